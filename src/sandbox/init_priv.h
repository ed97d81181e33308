// SPDX-License-Identifier: Apache-2.0
/** The state of PID 1, shared by its loop, its commands and its answers. */
#pragma once

#include "sandbox/control.h"
#include "sandbox/proc_list_priv.h"
#include "sandbox/spawner_priv.h"
#include "sandbox/watch_priv.h"

#include <stdbool.h>

struct job;

/** A command: it runs, or it has ended and left processes of its session. */
struct command_entry {
	uint32_t seq;
	pid_t pid;     /**< The leader of its process group. */
	pid_t session; /**< The leader of its session: itself, or the holder of its terminal. */
	bool ended;
	bool held; /**< The holder is there, or was not reaped yet. */
};

/** The commands that a process may belong to. */
struct command_table {
	struct command_entry *items; /**< Owned. */
	size_t count, cap;
	size_t running;
};

struct init {
	int control;
	int signals;    /**< signalfd of SIGCHLD. */
	int reports;    /**< Pipe: what holders of terminals tell. */
	int root;       /**< O_PATH of the world's root. */
	int proc;       /**< Its procfs, -1: none. */
	bool more;      /**< There may be more to reap. */
	bool childless; /**< The last look found no child at all. */
	uint32_t harden_off;
	struct spawner spawner;
	struct job *jobs; /**< Waiting, in order. */
	struct job **jobs_end;
	size_t njobs;
	struct watch_list watches;
	struct command_table commands;
	struct proc_list processes; /**< Scratch. */
	struct control_packet packet;
};

/** A struct of control.h. */
struct answering_body {
	const void *data;
	size_t size;
};

/**
 * Send a packet; waits for a daemon that does not read, as nothing of it may be lost.
 * An error means that the daemon is gone.
 */
int answering_send(struct init *init, enum control_kind kind, uint32_t seq,
		   const struct answering_body *body, struct error *err);

/** The same with a payload. */
int answering_send_with(struct init *init, const struct control_message *msg, struct error *err);

/** CONTROL_SPAWN: queue it, or answer why not. */
int command_spawn_queue(struct init *init, struct error *err);

/** Start the next command when the spawner is idle. */
int command_spawn_next(struct init *init, struct error *err);

/** The spawner is done with one. */
int command_spawn_done(struct init *init, struct error *err);

/** A start takes long: another command may have stopped the child before its exec. */
void command_spawn_nudge(struct init *init);

/** The command that waits or is being started under this seq, or NULL. */
struct job *command_spawn_pending(struct init *init, uint32_t seq);

/** CONTROL_SIGNAL. */
int steering_signal(struct init *init, struct error *err);

/** CONTROL_LIST. */
int steering_list(struct init *init, struct error *err);

/** A command by its seq, also one that ended and left something; NULL: unknown. */
struct command_entry *command_table_find(struct command_table *table, uint32_t seq);

/** Note a command that runs.  False: no memory (reserve first). */
bool command_table_add(struct command_table *table, const struct command_entry *entry);

/** Make sure that one more fits. */
bool command_table_reserve(struct command_table *table);

/** The running command that `pid` leads, or NULL. */
struct command_entry *command_table_leader(struct command_table *table, pid_t pid);

/** The command whose terminal `pid` holds, or held until it was reaped, or NULL. */
struct command_entry *command_table_held(struct command_table *table, pid_t pid);

/** Holders that are not reaped yet. */
size_t command_table_holders(const struct command_table *table);

/** Forget the commands that ended and of whose session nothing is left. */
void command_table_prune(struct command_table *table, const struct proc_list *processes);

/** CONTROL_CHECK. */
int remount_check(struct init *init, struct error *err);

/** CONTROL_MOUNT. */
int remount_tree(struct init *init, struct error *err);

/** Check before a spawn: 0, or the errno of what could not be put back. */
int remount_before_spawn(struct init *init, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/**
 * A world: one substrate-init and what runs in it.
 *
 * States: STARTING -> READY -> STOPPED.  All is asynchronous on the loop.  A world never
 * runs anything on the host: when it cannot be built, started() gets the error.
 */
#pragma once

#include "base/id.h"
#include "base/str.h"
#include "world/compile.h"
#include "world/spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct guard_hub;
struct loop;
struct world;
struct world_command;

enum world_state { WORLD_STARTING, WORLD_READY, WORLD_STOPPED };

/** Something that a guard did.  All borrowed for the call. */
struct world_guarded {
	bool aside;          /**< Set aside or put back; else a mount was put back. */
	const char *path;    /**< Host path. */
	const char *kept;    /**< Where what was there is kept, or NULL. */
	const char *detail;  /**< What was done, for a person. */
	const char *span_id; /**< The command that ran or ran last; NULL: none did. */
};

/** What a world tells its owner (the session registry). */
struct world_ops {
	/** It stands (err NULL) or does not (err set; the world is STOPPED). */
	void (*started)(struct world *world, const struct error *err, void *owner);
	/** Init is gone and everything in it; its commands have been told already. */
	void (*stopped)(struct world *world, const char *reason, void *owner);
	/** A watched mount was put back, or something was set aside (`kept`), or a config key. */
	void (*guarded)(struct world *world, const struct world_guarded *what, void *owner);
};

struct world_options {
	struct loop *loop;
	const char *init_path;    /**< substrate-init. */
	const struct spec *spec;  /**< Copied where needed; borrowed for the call. */
	struct guard_hub *guards; /**< Of all worlds of the daemon; NULL: one of its own. */
	const struct world_ops *ops;
	void *owner;
};

/** Compile the plan and start init.  On success the caller owns *ret; started() follows. */
int world_new(const struct world_options *options, struct world **ret, struct error *err);

/**
 * Kill everything in it and forget it.  NULL is fine.  Returns NULL.  It calls guarded() for
 * what it finds, no other callback; of the callbacks only started() and stopped() may call it.
 */
struct world *world_free(struct world *world);
DEFINE_AUTO(struct world *, world_free)

/** Kill init (and so all of it); stopped() follows, or started() with an error. */
void world_stop(struct world *world, const char *reason);

/** What it is in. */
enum world_state world_state(const struct world *world);

/** Its id.  Borrowed. */
const char *world_id(const struct world *world);

/** The compiled plan it was built from.  Borrowed. */
const struct image *world_image(const struct world *world);

/** How long it took to stand, in microseconds. */
uint64_t world_start_us(const struct world *world);

/** The Landlock ABI in force, 0: none. */
int world_landlock_abi(const struct world *world);

/** Its init, in the daemon's PID namespace. */
pid_t world_init_pid(const struct world *world);

/** What to run.  Borrowed for the call. */
struct world_exec {
	char *const *argv;   /**< NULL-terminated; argv[0] may be looked up in PATH. */
	char *const *envp;   /**< NULL-terminated: all of it. */
	const char *cwd;     /**< Path in the world. */
	const char *span_id; /**< Names it in guard records. */
	unsigned umask;
	int fds[3];          /**< Become 0, 1, 2; pipes of our own or /dev/null.  Borrowed. */
	bool terminal;       /**< A terminal of the world's own instead of fds. */
	uint16_t rows, cols; /**< Its size. */
};

/** What became of a command. */
struct world_exit {
	int status; /**< As waitpid() gives it. */
	bool lost;  /**< Init died; `status` means nothing. */
	uint32_t survivors;
	uint64_t user_us, system_us, max_rss_kib;
};

struct world_command_ops {
	/** It runs (err NULL), or it does not: *step tells where it failed (control.h). */
	void (*spawned)(struct world_command *command, unsigned step, const struct error *err,
			void *owner);
	/** It runs on a terminal and was stopped; SIGCONT makes it go on. */
	void (*stopped)(struct world_command *command, int signo, void *owner);
	/** The leader ended, guards are checked.  The command is freed after this call. */
	void (*exited)(struct world_command *command, const struct world_exit *exit, void *owner);
};

/**
 * Start a command in a READY world.  spawned() follows; after a failed one it is freed.
 * -ESTALE: the world does not cover a protected path that appeared, see world_is_stale().
 */
int world_run(struct world *world, const struct world_exec *exec,
	      const struct world_command_ops *ops, void *owner, struct world_command **ret,
	      struct error *err);

/**
 * Within spawned(): the master of the terminal that it runs on.  The caller owns it; -1: it has
 * none, or it was taken.
 */
int world_command_terminal(struct world_command *command);

/** Signal the leader's process group, or everything of the command that can be told. */
void world_command_signal(struct world_command *command, int signo, bool everything);

/** Kill what is left of an ended command, by its span.  -ESRCH: nothing known of it. */
int world_kill_span(struct world *world, const char *span_id, struct error *err);

/** One process in a world, for `world status`. */
struct world_process {
	pid_t pid;
	char comm[16];
	char span_id[ID_SIZE]; /**< Empty: unknown. */
	bool leader;           /**< A command that still runs, not a survivor. */
};

/** List processes; `listed` is called once with count and array (borrowed), or count 0. */
int world_list(struct world *world,
	       void (*listed)(const struct world_process *processes, size_t count, void *owner),
	       void *owner, struct error *err);

/** Commands that run now. */
unsigned world_active(const struct world *world);

/** Processes that ended commands left running, as far as known: told with each exit, then polled.
 */
unsigned world_survivors(const struct world *world);

/**
 * True when nothing runs in it and its mounts do not fit the project any more, because the host
 * made, removed or replaced something protected: stop it and build another.
 */
bool world_is_stale(struct world *world);

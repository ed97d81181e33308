// SPDX-License-Identifier: Apache-2.0
/**
 * The life of a command: request -> world -> span -> spawn -> streams -> exit -> span -> result.
 *
 * It knows neither HTTP nor WebSockets: the owner (module api) gets callbacks.  The completing
 * span is written before the owner is told the result.  A command outlives its owner's
 * interest: what it leaves running keeps its pipes, which are read and thrown away.
 */
#pragma once

#include "base/id.h"
#include "base/str.h"
#include "loop/loop.h"
#include "world/session.h"

#include <stdbool.h>
#include <stdint.h>

struct command;
struct commands;
struct error;
struct trace;

/** What is asked.  Strings are owned by the request. */
struct command_request {
	char *cmd;               /**< Shell text; NULL when argv is given. */
	struct strv argv;        /**< Empty when cmd is given. */
	char *cwd;               /**< NULL: the root of the project that default_cwd is in. */
	char *default_cwd;       /**< Where the caller is; used when cwd is NULL. */
	struct strv env;         /**< NAME=value, over the base environment. */
	struct strv env_dropped; /**< Names that the caller kept to itself. */
	char *profile;           /**< NULL: "default". */
	char *agent;
	char *traceparent; /**< NULL: none. */
	bool ephemeral;
	bool detach;         /**< It goes on when its owner leaves. */
	bool want_stdin;     /**< Else /dev/null. */
	bool pty;            /**< A terminal of the world's own; both outputs are channel 1. */
	unsigned rows, cols; /**< Its size. */
	uint64_t timeout_ms; /**< 0: none. */
	unsigned umask;
};

/** Free the members; works on a zeroed one. */
void command_request_done(struct command_request *req);

/** Why a command did not run, for a person and for a status. */
struct command_refusal {
	int exit;         /**< 2, 125, 126 or 127. */
	const char *type; /**< Stable problem name: "usage", "no-world", "not-found", ... */
	const char *detail;
};

/** How it ended.  Strings are borrowed for the callback. */
struct command_result {
	int exit;           /**< The status as a shell would say it. */
	int signal;         /**< 0: none. */
	const char *status; /**< "ok", "failed", "signaled", "timed_out", "lost". */
	const char *error;  /**< More about it, or NULL. */
	uint64_t duration_ms;
};

struct command_ops {
	/** It runs; command_*() accessors are good from here on. */
	void (*started)(struct command *command, void *owner);
	/** Output of channel 1 or 2; false: no more until command_resume(). */
	bool (*output)(struct command *command, int channel, const void *data, size_t len,
		       void *owner);
	/** stdin has room again after command_write() said so. */
	void (*writable)(struct command *command, void *owner);
	/** Some of the queued stdin was taken or dropped: see command_queued(). */
	void (*taken)(struct command *command, void *owner);
	/** It runs on a terminal and was stopped, until command_continue(). */
	void (*stopped)(struct command *command, int signo, void *owner);
	/** The leader ended and all it wrote was delivered. */
	void (*exited)(struct command *command, const struct command_result *result, void *owner);
	/** Nobody holds its pipes any more; the command is freed after this call. */
	void (*drained)(struct command *command, void *owner);
	/** It never ran; the command is freed after this call. */
	void (*refused)(struct command *command, const struct command_refusal *refusal,
			void *owner);
};

struct commands_options {
	struct loop *loop;
	struct sessions *sessions;
	struct trace *trace;
	const char *home;                               /**< SUBSTRATE_HOME, real; borrowed. */
	struct spec_without without;                    /**< All zero outside tests. */
	void (*changed)(unsigned running, void *owner); /**< The number of commands changed. */
	void *owner;
};

/** Make the set.  On success the caller owns *ret. */
int commands_new(const struct commands_options *options, struct commands **ret, struct error *err);

/** Forget all commands (their worlds are stopped by their owner).  NULL is fine.  Returns NULL. */
struct commands *commands_free(struct commands *commands);
DEFINE_AUTO(struct commands *, commands_free)

/** Commands that have not drained yet and commands whose leader runs. */
unsigned commands_running(const struct commands *commands);

/**
 * Start a command; the request is taken over (empty afterwards).  *ret is set before any
 * callback is called; started() or refused() follows, never during this call.
 * Fails only when memory is out.
 */
int command_start(struct commands *commands, struct command_request *req,
		  const struct command_ops *ops, void *owner, struct command **ret,
		  struct error *err);

/** The owner goes away: no callback follows.  A running leader gets HUP, and KILL after 2 s. */
void command_abandon(struct command *command);

/** The owner leaves: no callback follows.  The command, or what is left of it, goes on without
 * stdin. */
void command_detach(struct command *command);

/** Queue bytes for stdin (copied).  False: wait for writable() before sending more. */
bool command_write(struct command *command, const void *data, size_t len);

/** Bytes of stdin that wait for the command to read them. */
size_t command_queued(const struct command *command);

/** End of stdin, after what is queued. */
void command_close_stdin(struct command *command);

/** Signal the process group of the leader.  -EINVAL: no such signal. */
int command_signal(struct command *command, int signo, struct error *err);

/** Let a stopped command go on. */
void command_continue(struct command *command);

/** Set the size of its terminal; without one it does nothing. */
void command_resize(struct command *command, unsigned rows, unsigned cols);

/** Go on with output after output() said false. */
void command_resume(struct command *command);

/** Its span id, from the beginning.  Borrowed. */
const char *command_span(const struct command *command);

/** Its session; NULL before started() and after exited(). */
struct session *command_session(const struct command *command); /**< NULL before started(). */
const char *command_world_id(const struct command *command); /**< Kept after the world is gone. */
bool command_world_reused(const struct command *command);

/** Commands in turn (for status): start with NULL. */
struct command *commands_next(const struct commands *commands, struct command *after);

/** What was asked.  Borrowed. */
const struct command_request *command_asked(const struct command *command);

/** When it was asked, CLOCK_REALTIME in nanoseconds. */
uint64_t command_started_ns(const struct command *command); /**< CLOCK_REALTIME. */
bool command_is_running(const struct command *command);     /**< The leader has not ended. */

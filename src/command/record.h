// SPDX-License-Identifier: Apache-2.0
/** The span events of a command, a world and a guard, from the domain's objects. */
#pragma once

#include "base/str.h"
#include "world/session.h"

#include <stdbool.h>
#include <stdint.h>

struct command_request;
struct error;
struct trace;

/** A command as the trace sees it.  Borrowed. */
struct record_command {
	const struct command_request *request;
	struct session *session; /**< NULL: refused before it had one. */
	const char *span_id;
	const char *session_id; /**< NULL: none. */
	const char *world_id;   /**< NULL: none. */
	const char *plan_hash;  /**< NULL: none. */
	const char *spec_hash;  /**< NULL: none. */
	const char *cwd;
	const struct strv *argv;
	const struct strv *env;
	uint64_t started_ns; /**< CLOCK_REALTIME. */
	bool started;        /**< Its start is in the trace. */
};

/** How it ended.  Borrowed. */
struct record_result {
	const char *status;
	const char *error; /**< NULL: nothing more to say. */
	int exit;
	int signal;
	uint64_t duration_ms;
	uint64_t user_us, system_us, max_rss_kib;
	uint64_t stdout_bytes, stderr_bytes;
	bool world_reused;
};

/** Write command_start.  A command whose start cannot be written must not run. */
int record_start(struct trace *trace, const struct record_command *command, struct error *err);

/** Write command_complete; that of a command that was started is never lost, see trace_record(). */
int record_complete(struct trace *trace, const struct record_command *command,
		    const struct record_result *result, struct error *err);

/** Write world_start (reason NULL) or world_stop. */
int record_world(struct trace *trace, struct session *session, const char *reason,
		 struct error *err);

/** Write protect_gap, or set_aside. */
int record_guard(struct trace *trace, struct session *session, const struct world_guarded *what,
		 struct error *err);

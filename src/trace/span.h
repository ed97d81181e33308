// SPDX-License-Identifier: Apache-2.0
/**
 * The span events of trace.jsonl: one JSON object a line.
 *
 * A line is built by span_print() from plain structs, with fields in a fixed order and
 * strings that are not UTF-8 kept as {"b64": ...}; only the writer adds "prev".
 */
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define SPAN_SCHEMA 1

/** The event types that this version writes. */
enum span_event {
	SPAN_COMMAND_START,
	SPAN_COMMAND_COMPLETE,
	SPAN_WORLD_START,
	SPAN_WORLD_STOP,
	SPAN_PROTECT_GAP,
	SPAN_SET_ASIDE,
	SPAN_TRACE_ROTATE, /**< Written by the trace itself: the first line after a rotation. */
};

/** What is common to all events.  Strings are borrowed; NULL leaves the field out. */
struct span_common {
	enum span_event event;
	uint64_t ts_ns; /**< CLOCK_REALTIME. */
	const char *session_id;
	const char *span_id;
	const char *parent_span;
	const char *component; /**< "world", "broker", "shell", "api". */
	const char *world_id;
	const char *policy_id;
	const char *policy_commit;
	const char *profile;
	const char *agent_id;
};

/** command_start and command_complete.  After a start only the result fields are added. */
struct span_command {
	const char *cwd;
	const char *cmd;        /**< The text given, or NULL when argv was. */
	char *const *argv;      /**< NULL-terminated. */
	const struct strv *env; /**< NAME=value as the command gets them, sorted by the caller. */
	const struct strv *env_dropped; /**< Names that were not passed on. */
	unsigned umask;
	const char *world_image; /**< Hash of the plan. */
	const char *plan_hash;   /**< The same; kept for replay. */
	const char *traceparent;
	/* The result, used by command_complete only. */
	uint64_t ts_end_ns, duration_ms;
	const char *status; /**< One of SPAN_STATUSES. */
	int exit;           /**< Negative: none (null), when it did not exit. */
	int signal;         /**< 0: none. */
	const char *error;  /**< Why it did not run. */
	uint64_t user_us, system_us, max_rss_kib;
	uint64_t stdout_bytes, stderr_bytes;
	bool world_reused;
	const char *limits; /**< "unavailable" until cgroups are used. */
};

/** How a command ended; "running" is said of one that did not. */
#define SPAN_STATUSES \
	"ok, failed, signaled, timed_out, not_found, not_executable, refused, error, lost, " \
	"running"

/** Is it one of SPAN_STATUSES? */
bool span_status_known(const char *status);

/** world_start and world_stop. */
struct span_world {
	const char *project;
	const char *backend; /**< "linux". */
	const char *plan_hash;
	const char *reason; /**< Why it stopped. */
	uint64_t start_us;  /**< How long the start took. */
	int landlock_abi;
};

/** protect_gap and set_aside. */
struct span_guard {
	const char *path; /**< In the project. */
	const char *kept; /**< Where it is, or NULL. */
	const char *detail;
};

/**
 * Append the line of a command_start or command_complete, without "prev" and without newline.
 * Returns 0 or -ENOMEM.
 */
int span_print_command(struct buf *out, const struct span_common *common,
		       const struct span_command *command);

/** Append the line of a world_start or world_stop.  Returns 0 or -ENOMEM. */
int span_print_world(struct buf *out, const struct span_common *common,
		     const struct span_world *world);

/** Append the line of a protect_gap or set_aside.  Returns 0 or -ENOMEM. */
int span_print_guard(struct buf *out, const struct span_common *common,
		     const struct span_guard *guard);

/** "command_start", ... */
const char *span_event_name(enum span_event event);

// SPDX-License-Identifier: Apache-2.0
/**
 * Reading the trace, newest files last.  Lines are bounded (16 MiB); memory is bounded by the
 * longest line.  All of this may block: run it in the worker or in a client-driven slice.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct error;

/**
 * The lines (parsed) that belong to one span, in order: a JSON array, owned by the caller, empty
 * when there is none.  After 64 MiB of lines only command_complete is still added.
 */
int trace_read_span(int dirfd, const char *span_id, json_t **ret, struct error *err);

/** Filter of trace_read_list(); zero or NULL fields match all. */
struct trace_read_filter {
	const char *agent;
	const char *status; /**< As in the span; "running" for a command without a result. */
	uint64_t since_ns;  /**< CLOCK_REALTIME. */
	uint32_t limit;     /**< The newest so many; 0: 50. */
};

/**
 * One object a command, newest first: start and completion merged, with status "running" when
 * there is no completion.  A JSON array, owned by the caller.  env, env_dropped and prev are left
 * out, and it ends early when it would exceed 32 MiB of lines.
 */
int trace_read_list(int dirfd, const struct trace_read_filter *filter, json_t **ret,
		    struct error *err);

/** Kinds of damage. */
enum trace_damage {
	TRACE_DAMAGE_NONE,
	TRACE_DAMAGE_NOT_JSON,     /**< A line that is not one JSON object, or is too long. */
	TRACE_DAMAGE_NO_PREV,      /**< A line that does not end in a "prev". */
	TRACE_DAMAGE_WRONG_PREV,   /**< It, or the line before, was changed, put in or taken out. */
	TRACE_DAMAGE_TORN,         /**< A file's last line has no end. */
	TRACE_DAMAGE_MISSING_FILE, /**< A number of the sequence is not there. */
	TRACE_DAMAGE_UNREADABLE,   /**< A file that is not a regular file of this user. */
	TRACE_DAMAGE_HEAD,         /**< No line has the hash that was asked for. */
};

/** The result of trace_verify(). */
struct trace_verify_result {
	bool intact;              /**< No damage of any kind. */
	enum trace_damage damage; /**< The first damage. */
	uint64_t damages;         /**< Places with damage; the walk goes on behind each. */
	uint64_t lines;           /**< Lines read, the damaged ones included. */
	char head[65];            /**< Hash of the last line; empty when there is none. */
	char file[64];            /**< Where the first damage is, else empty. */
	uint64_t line;            /**< Its line number in that file; 0: the file as such. */
	char what[128];           /**< What is wrong there. */
};

/** "wrong_prev", ...; "none" for TRACE_DAMAGE_NONE. */
const char *trace_verify_name(enum trace_damage damage);

/**
 * Walk the chain over all files.  With `head` (a hash noted earlier, in hex) also check that a
 * line with that hash is still part of it.  What was changed after the last line that a noted head
 * vouches for can not be told when all later hashes were computed anew.
 *
 * Returns 0 also when there is damage; <0 when the walk itself failed.
 */
int trace_verify(int dirfd, const char *head, struct trace_verify_result *ret, struct error *err);

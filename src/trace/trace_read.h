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

/** The lines (parsed) that belong to one span, in order: a JSON array, owned by the caller. */
int trace_read_span(int dirfd, const char *span_id, json_t **ret, struct error *err);

/** Filter of trace_read_list(); zero or NULL fields match all. */
struct trace_read_filter {
	const char *agent;
	const char *status;
	uint64_t since_ns;  /**< CLOCK_REALTIME. */
	uint32_t limit;     /**< The newest so many; 0: 50. */
};

/** One object a command, newest first: start and completion merged.  A JSON array. */
int trace_read_list(int dirfd, const struct trace_read_filter *filter, json_t **ret,
		    struct error *err);

/** The result of trace_verify(). */
struct trace_verify_result {
	bool intact;          /**< Every line's prev is the hash of the line before. */
	uint64_t lines;
	char head[65];        /**< Hash of the last line; empty when there is none. */
	char file[64];        /**< Where the first damage is, else empty. */
	uint64_t line;        /**< Its line number in that file. */
	char what[128];       /**< What is wrong there. */
};

/**
 * Walk the chain over all files.  With `head` (a hash noted earlier) also checks that a line
 * with that hash is still part of it.
 */
int trace_verify(int dirfd, const char *head, struct trace_verify_result *ret, struct error *err);

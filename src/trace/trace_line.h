// SPDX-License-Identifier: Apache-2.0
/**
 * One line of the trace, judged without building a tree.
 *
 * Pure and allocation-free.  The strings found are slices of the line: the raw text between the
 * quotes, escapes not undone.  The ids and names of the schema never need an escape, so a
 * slice with a backslash matches none of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** The longest line, newline included; the writer makes none that is longer. */
#define TRACE_LINE_MAX ((size_t)16 << 20)

/** Objects and arrays may be nested this deep. */
#define TRACE_LINE_DEPTH 64

/** Hex digits of a SHA-256. */
#define TRACE_LINE_HASH 64

/** Bytes of the line; text is NULL when the member is missing or not a string. */
struct trace_line_slice {
	const char *text;
	size_t len;
};

/** The top-level members that reader and writer look at. */
struct trace_line {
	struct trace_line_slice ts;
	struct trace_line_slice event_type;
	struct trace_line_slice session_id;
	struct trace_line_slice span_id;
};

/**
 * Check that the `len` bytes are exactly one JSON object in UTF-8, and find its members.
 *
 * @return     0, or -EBADMSG (also when a member that is looked for is there twice).
 */
int trace_line_parse(const char *line, size_t len, struct trace_line *ret);

/**
 * Find the members as trace_line_parse() does, but stop once event_type and span_id are known:
 * what follows is not checked.
 */
int trace_line_peek(const char *line, size_t len, struct trace_line *ret);

/**
 * The 64 hex digits of "prev", which the writer puts last, or NULL when the line does not end
 * in a well-formed one.  In a line that trace_line_parse() accepts it is the object's own.
 */
const char *trace_line_prev(const char *line, size_t len);

/** True when the slice is exactly this text. */
bool trace_line_is(const struct trace_line_slice *slice, const char *text);

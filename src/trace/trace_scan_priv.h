// SPDX-License-Identifier: Apache-2.0
/** The lines of one file, one after the other, in memory bounded by the longest line. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct error;

/** What trace_scan_next() found. */
enum trace_scan {
	TRACE_SCAN_END,  /**< No more bytes. */
	TRACE_SCAN_LINE, /**< A line: text, len, offset and number are set. */
	TRACE_SCAN_LONG, /**< A line longer than TRACE_LINE_MAX, skipped: text is NULL. */
	TRACE_SCAN_TORN, /**< The last bytes have no newline: text is NULL, len is their number. */
};

/** A reader.  Start it with trace_scan_init(). */
struct trace_scanner {
	int fd;               /**< Borrowed. */
	unsigned patience_ms; /**< How long a torn end may stand still; 0 where nobody writes. */
	const char *text;     /**< The line, without newline; valid until the next call. */
	size_t len;           /**< Its bytes. */
	uint64_t offset;      /**< Where it starts in the file. */
	uint64_t number;      /**< Counted from 1. */

	char *data;      /**< Owned.  This and all below belong to trace_scan.c. */
	size_t cap;      /**< Bytes allocated. */
	bool at_end;     /**< The last read met the end of the file. */
	size_t start;    /**< Where the next line starts in data. */
	size_t end;      /**< Bytes filled. */
	size_t seen;     /**< Bytes from start that hold no newline. */
	uint64_t filled; /**< File offset of data + end. */
};

/** Read `fd` (borrowed) from the start; see the fields. */
void trace_scan_init(struct trace_scanner *scan, int fd, unsigned patience_ms);

/** Free what it holds; not the descriptor. */
void trace_scan_done(struct trace_scanner *scan);
static inline void trace_scan_donep(struct trace_scanner *scan)
{
	trace_scan_done(scan);
}

/** Step to the next line.  Returns an enum trace_scan, or <0 with *err set. */
int trace_scan_next(struct trace_scanner *scan, struct error *err);

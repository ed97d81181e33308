// SPDX-License-Identifier: Apache-2.0
/** A table of text with aligned columns. */
#pragma once

#include "base/str.h"

#include <jansson.h>

struct buf;

#define COLUMNS_MAX 8

/** Set `count`, the rest is zero.  Cells are added row by row. */
struct columns {
	size_t count; /**< Columns, at most COLUMNS_MAX. */
	struct strv cells;
	bool failed; /**< Out of memory: not whole. */
};

/** Free it; works on a zeroed one. */
void columns_done(struct columns *columns);

/** For AUTO(columns_done). */
static inline void columns_donep(struct columns *columns)
{
	columns_done(columns);
}

/** Add a cell with text of ours. */
void columns_add(struct columns *columns, const char *text);

/** Add a cell that is taken over; NULL counts as out of memory. */
void columns_take(struct columns *columns, char *text);

/** Add a member of an object, escaped and cut at `max` bytes. */
void columns_member(struct columns *columns, const json_t *object, const char *name, size_t max);

/** Append the table: two blanks between columns, none at the ends of lines. */
void columns_print(const struct columns *columns, struct buf *out);

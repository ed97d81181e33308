// SPDX-License-Identifier: Apache-2.0
/**
 * The commands that were started and have no result yet, as the lines of the trace tell.
 */
#pragma once

#include "base/buf.h"
#include "base/map.h"

#include <stdbool.h>

struct trace_line;

/** Zero-initialise it. */
struct unfinished {
	struct map map; /**< Span id → its record. */
};

/** Free it; works on a zeroed one. */
void unfinished_done(struct unfinished *set);
static inline void unfinished_donep(struct unfinished *set)
{
	unfinished_done(set);
}

/**
 * Learn from a line that was read: a start adds its command, a completion removes it, the line
 * of a rotation adds all that it lists.  Other lines change nothing.  Returns 0 or -ENOMEM.
 */
int unfinished_learn(struct unfinished *set, const char *text, size_t len);

/** Add the command of a command_start.  Returns 0, -EINVAL without a usable id, -EEXIST, or
 * -ENOMEM. */
int unfinished_add(struct unfinished *set, const struct trace_line *line);

/** True when a command is open. */
bool unfinished_any(const struct unfinished *set);

/** Remove the command of this line; fine when it is not there. */
void unfinished_remove(struct unfinished *set, const struct trace_line *line);

/**
 * Append the event trace_rotate, which lists all of them; `after` is the number of the file
 * before.  Returns 0 or -ENOMEM.
 */
int unfinished_print(const struct unfinished *set, uint32_t after, struct buf *out);

/**
 * Take one out and append its command_complete with status "lost".
 * Returns 1, 0 when there is none left, or -ENOMEM.
 */
int unfinished_close(struct unfinished *set, struct buf *out);

// SPDX-License-Identifier: Apache-2.0
/**
 * A growing byte string.
 *
 * Zero-initialise it; the first failure to allocate is remembered in `failed` and every
 * later call does nothing, so a writer checks once at the end.  `data` is always
 * NUL-terminated when it is not NULL.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct buf {
	char *data;  /**< Owned; NULL while empty. */
	size_t len;  /**< Bytes in use, the NUL not counted. */
	size_t cap;  /**< Bytes allocated. */
	bool failed; /**< An allocation failed: the content is not whole. */
};

/** Free the content; works on a zeroed buffer. */
void buf_done(struct buf *buf);

/** For AUTO(buf_done). */
static inline void buf_donep(struct buf *buf)
{
	buf_done(buf);
}

/** Append bytes. */
void buf_add(struct buf *buf, const void *data, size_t len);

/** Append a C string. */
void buf_adds(struct buf *buf, const char *text);

/** Append one byte. */
void buf_addc(struct buf *buf, char c);

/** Append formatted text. */
void buf_addf(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);

/** Make room for `extra` more bytes at data + len.  Returns that place, or NULL. */
char *buf_room(struct buf *buf, size_t extra);

/** Count `n` bytes that were written where buf_room(), asked for at least n, pointed. */
void buf_advance(struct buf *buf, size_t n);

/** Drop the first n bytes. */
void buf_consume(struct buf *buf, size_t n);

/** Take the content as an owned C string, "" when empty; NULL when it failed.  Empty after. */
char *buf_take(struct buf *buf);

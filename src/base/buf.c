// SPDX-License-Identifier: Apache-2.0
/** The growing byte string.  Invariant: data is NULL, or len < cap and data[len] is NUL. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define CAP_MIN 64

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

/** Make cap at least `need`, doubling so that appending is linear.  Returns 0 or -1. */
static int grow(struct buf *buf, size_t need)
{
	size_t cap = buf->cap ? buf->cap : CAP_MIN;

	while (cap < need) {
		if (__builtin_mul_overflow(cap, (size_t)2, &cap))
			return -1;
	}

	char *data = realloc(buf->data, cap);

	if (!data)
		return -1;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

char *buf_room(struct buf *buf, size_t extra)
{
	size_t need;

	if (buf->failed)
		return NULL;
	if (__builtin_add_overflow(buf->len, extra, &need) ||
	    __builtin_add_overflow(need, (size_t)1, &need) ||
	    (need > buf->cap && grow(buf, need) < 0)) {
		buf->failed = true;
		return NULL;
	}
	buf->data[buf->len] = '\0';
	return buf->data + buf->len;
}

void buf_advance(struct buf *buf, size_t n)
{
	if (buf->failed || n == 0)
		return;
	assert(n < buf->cap - buf->len);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	char *at = buf_room(buf, len);

	if (!at || len == 0)
		return;
	memcpy(at, data, len);
	buf_advance(buf, len);
}

void buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0) {
		buf->failed = true;
		return;
	}

	char *at = buf_room(buf, (size_t)n);

	if (!at)
		return;
	va_start(args, fmt);
	(void)vsnprintf(at, (size_t)n + 1, fmt, args);
	va_end(args);
	buf_advance(buf, (size_t)n);
}

void buf_consume(struct buf *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (n == 0)
		return;
	memmove(buf->data, buf->data + n, buf->len - n + 1);
	buf->len -= n;
}

char *buf_take(struct buf *buf)
{
	char *data = NULL;

	if (buf_room(buf, 0))
		data = TAKE_PTR(buf->data);
	buf_done(buf);
	return data;
}

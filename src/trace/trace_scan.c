// SPDX-License-Identifier: Apache-2.0
/**
 * The lines of one file.
 *
 * The reader may run beside the writer.  It can then see a line of which only a part is in the
 * file yet (the kernel may make a write of many pages wait for the disk between two of them),
 * or one that the writer takes back because the disk is full.  So such bytes are read again, from
 * the start of the line, as long as they change, and count as torn when they have not
 * changed for a while.
 */
#include "trace/trace_scan_priv.h"

#include "base/error.h"
#include "trace/trace_line.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)
#define WAIT_MS 5

void trace_scan_init(struct trace_scanner *scan, int fd, unsigned patience_ms)
{
	*scan = (struct trace_scanner){.fd = fd, .patience_ms = patience_ms};
}

void trace_scan_done(struct trace_scanner *scan)
{
	free(scan->data);
	scan->data = NULL;
}

/** Make room behind `end`: move the open line to the front, or grow. */
static int make_room(struct trace_scanner *scan)
{
	if (scan->start) {
		memmove(scan->data, scan->data + scan->start, scan->end - scan->start);
		scan->end -= scan->start;
		scan->start = 0;
	}
	if (scan->end < scan->cap)
		return 0;

	size_t cap = scan->cap ? scan->cap * 2 : CHUNK;
	char *grown = realloc(scan->data, cap);

	if (!grown)
		return -ENOMEM;
	scan->data = grown;
	scan->cap = cap;
	return 0;
}

/** Read more.  Returns 1, 0 at the end of the file, or <0. */
static int fill(struct trace_scanner *scan, struct error *err)
{
	if (make_room(scan) < 0)
		return error_oom(err);

	size_t room = scan->cap - scan->end;
	ssize_t n;

	do {
		n = pread(scan->fd, scan->data + scan->end, room, (off_t)scan->filled);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "read the trace");
	scan->end += (size_t)n;
	scan->filled += (uint64_t)n;
	scan->at_end = (size_t)n < room;
	return n > 0;
}

/** The first newline that was not seen yet, or NULL. */
static const char *find_newline(struct trace_scanner *scan)
{
	size_t have = scan->end - scan->start;

	if (scan->seen == have)
		return NULL;

	const char *newline =
		memchr(scan->data + scan->start + scan->seen, '\n', have - scan->seen);

	scan->seen = newline ? 0 : have;
	return newline;
}

static void drop_all(struct trace_scanner *scan)
{
	scan->start = 0;
	scan->end = 0;
	scan->seen = 0;
}

/** Give the writer a moment, and go back to the start of the line. */
static void read_again(struct trace_scanner *scan)
{
	(void)poll(NULL, 0, WAIT_MS);
	scan->filled = scan->offset;
	drop_all(scan);
}

/** The end of the file: with bytes that are no line, or clean. */
static int torn(struct trace_scanner *scan)
{
	scan->text = NULL;
	scan->len = (size_t)(scan->filled - scan->offset);
	drop_all(scan);
	return scan->len ? TRACE_SCAN_TORN : TRACE_SCAN_END;
}

static int skip_long(struct trace_scanner *scan, struct error *err)
{
	const char *newline;

	do {
		drop_all(scan);

		int r = fill(scan, err);

		if (r < 0)
			return r;
		if (r == 0)
			return torn(scan);
		newline = find_newline(scan);
	} while (!newline);
	scan->start = (size_t)(newline - scan->data) + 1;
	scan->text = NULL;
	scan->len = (size_t)(scan->filled - (scan->end - scan->start) - 1 - scan->offset);
	return TRACE_SCAN_LONG;
}

int trace_scan_next(struct trace_scanner *scan, struct error *err)
{
	const char *newline;
	unsigned tries = 0;
	size_t before = 0;

	scan->offset = scan->filled - (scan->end - scan->start);
	scan->number++;
	while (!(newline = find_newline(scan))) {
		if (scan->seen >= TRACE_LINE_MAX)
			return skip_long(scan, err);
		if (scan->at_end) {
			if (scan->seen != before)
				tries = scan->patience_ms / WAIT_MS;
			before = scan->seen;
			if (!scan->seen || !tries)
				return torn(scan);
			tries--;
			read_again(scan);
		}

		int r = fill(scan, err);

		if (r < 0)
			return r;
	}
	scan->text = scan->data + scan->start;
	scan->len = (size_t)(newline - scan->text);
	scan->start += scan->len + 1;
	return TRACE_SCAN_LINE;
}

// SPDX-License-Identifier: Apache-2.0
/** What the files tell about where a trace stands. */
#include "trace/recover_priv.h"

#include "base/error.h"
#include "base/fd.h"
#include "hash/sha256.h"
#include "trace/tail_priv.h"
#include "trace/trace_scan_priv.h"
#include "trace/unfinished_priv.h"

#include <errno.h>
#include <unistd.h>

#define TORN_NAME "trace.torn"
#define CHUNK ((size_t)64 << 10)

/** Read `len` bytes at an offset piece by piece into fn, which returns 0 or <0 with *err set. */
static int each_piece(int fd, uint64_t offset, uint64_t len,
		      int (*fn)(void *arg, const char *data, size_t size, struct error *err),
		      void *arg, struct error *err)
{
	AUTO(mem_free) char *data = malloc(CHUNK);

	if (!data)
		return error_oom(err);
	while (len) {
		ssize_t n = pread(fd, data, len < CHUNK ? (size_t)len : CHUNK, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "read the trace");
		if (n == 0)
			return error_set(err, EIO, "the trace shrank while it was read");

		int r = fn(arg, data, (size_t)n, err);

		if (r < 0)
			return r;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int hash_piece(void *arg, const char *data, size_t size, struct error *err)
{
	(void)err;
	sha256_add(arg, data, size);
	return 0;
}

/** Hash of a line, which may be longer than memory has room for. */
static int hash_line(int fd, uint64_t offset, uint64_t len, char ret[static SHA256_HEX_SIZE],
		     struct error *err)
{
	AUTO(sha256_done) struct sha256 hash = {0};
	uint8_t digest[SHA256_SIZE];
	int r = sha256_init(&hash, err);

	if (r == 0)
		r = each_piece(fd, offset, len, hash_piece, &hash, err);
	if (r == 0)
		r = sha256_finish(&hash, digest, err);
	if (r == 0)
		sha256_print(digest, ret);
	return r;
}

int recover_scan(int fd, struct unfinished *set, struct recover_state *ret, struct error *err)
{
	AUTO(trace_scan_done) struct trace_scanner scan;
	struct recover_state state = {0};
	uint64_t offset = 0;
	uint64_t len = 0;
	int r;

	trace_scan_init(&scan, fd, 0);
	while ((r = trace_scan_next(&scan, err)) > TRACE_SCAN_END) {
		if (r == TRACE_SCAN_TORN)
			continue;
		state.has_line = true;
		offset = scan.offset;
		len = scan.len;
		state.whole = offset + len + 1;
		if (r == TRACE_SCAN_LINE && unfinished_learn(set, scan.text, scan.len) < 0)
			return error_oom(err);
	}
	if (r == 0 && state.has_line)
		r = hash_line(fd, offset, len, state.head, err);
	if (r < 0)
		return r;
	*ret = state;
	return 0;
}

static int torn_piece(void *arg, const char *data, size_t size, struct error *err)
{
	return tail_append(arg, data, size, err);
}

int recover_torn(struct tail *tail, int dirfd, uint64_t whole, struct error *err)
{
	struct tail torn;
	bool made;
	int r = tail_open(&torn, dirfd, TORN_NAME, &made, err);

	if (r < 0)
		return r;

	uint64_t before = torn.size;

	r = each_piece(tail->fd, whole, tail->size - whole, torn_piece, &torn, err);
	if (r == 0)
		r = tail_append(&torn, "\n", 1, err);
	if (r == 0 && fdatasync(torn.fd) < 0)
		r = error_errno(err, "sync %s", TORN_NAME);
	if (r < 0)
		tail_cut(&torn, before);
	tail_close(&torn);
	if (r < 0)
		return error_wrap(err, r, "set the torn end of the trace aside");
	tail_cut(tail, whole);
	return tail->stuck ? error_set(err, EIO, "cut the torn end of the trace off") : 0;
}

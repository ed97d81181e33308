// SPDX-License-Identifier: Apache-2.0
/** A trace in a directory of its own, and short names for what the tests do with it. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"
#include "trace/span.h"
#include "trace/trace.h"
#include "trace/trace_read.h"
#include "trace/trace_verify_priv.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	int dirfd;
	struct loop *loop;
	struct trace *trace;
	struct trace_recovery recovery;
	uint64_t clock_ns; /**< Time of the next event. */
};

static inline int fixture_setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));
	struct error err = {0};

	memcpy(fix->dir, "/tmp/trace-XXXXXX", sizeof("/tmp/trace-XXXXXX"));
	fix->clock_ns = 1700000000ULL * 1000000000;
	if (!mkdtemp(fix->dir) || loop_new(&fix->loop, &err) < 0)
		return -1;
	fix->dirfd = open(fix->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fix;
	return fix->dirfd < 0 ? -1 : 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *fix = *state;

	fix->trace = trace_close(fix->trace);
	loop_free(fix->loop);

	DIR *dir = opendir(fix->dir);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (unlinkat(fix->dirfd, entry->d_name, 0) < 0)
			(void)unlinkat(fix->dirfd, entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
	fd_close(fix->dirfd);
	rmdir(fix->dir);
	free(fix);
	return 0;
}

static inline int fixture_try_open(struct fixture *fix, uint64_t rotate_bytes, struct error *err)
{
	const struct trace_options options = {.dirfd = fix->dirfd, .rotate_bytes = rotate_bytes};

	return trace_open(fix->loop, &options, &fix->trace, &fix->recovery, err);
}

static inline void fixture_open(struct fixture *fix, uint64_t rotate_bytes)
{
	struct error err = {0};

	if (fixture_try_open(fix, rotate_bytes, &err) < 0)
		fail_msg("%s", err.msg);
}

/** Close as a crash would: nothing is written. */
static inline void fixture_close(struct fixture *fix)
{
	fix->trace = trace_close(fix->trace);
}

static inline int fixture_try_event(struct fixture *fix, enum span_event event, const char *span_id,
				    const char *agent_id, struct error *err)
{
	static char word[] = "true";
	static char *argv[] = {word, NULL};
	const struct span_common common = {
		.event = event,
		.ts_ns = fix->clock_ns,
		.session_id = "ses_1",
		.span_id = span_id,
		.agent_id = agent_id,
	};
	const struct span_command command = {.cwd = "/", .argv = argv, .status = "ok"};
	AUTO(buf_done) struct buf line = {0};

	fix->clock_ns += 1000000000;
	assert_int_equal(span_print_command(&line, &common, &command), 0);
	return trace_append(fix->trace, line.data, line.len, err);
}

static inline void fixture_event(struct fixture *fix, enum span_event event, const char *span_id)
{
	struct error err = {0};

	if (fixture_try_event(fix, event, span_id, "human", &err) < 0)
		fail_msg("%s", err.msg);
}

static inline void fixture_start(struct fixture *fix, const char *span_id)
{
	fixture_event(fix, SPAN_COMMAND_START, span_id);
}

static inline void fixture_complete(struct fixture *fix, const char *span_id)
{
	fixture_event(fix, SPAN_COMMAND_COMPLETE, span_id);
}

/** The whole of a file; the test frees it. */
static inline char *fixture_read(const struct fixture *fix, const char *name)
{
	char *text = NULL;
	size_t len;
	struct error err = {0};

	if (fd_read_file(fix->dirfd, name, (size_t)1 << 28, &text, &len, &err) < 0)
		fail_msg("%s", err.msg);
	return text;
}

static inline void fixture_write(const struct fixture *fix, const char *name, const char *text,
				 size_t len)
{
	AUTO(fd_close)
	int fd = openat(fix->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, len), 0);
}

static inline struct trace_verify_result fixture_verify(const struct fixture *fix, const char *head)
{
	struct trace_verify_result result;
	struct error err = {0};

	if (trace_verify_patient(fix->dirfd, head, 10, &result, &err) < 0)
		fail_msg("%s", err.msg);
	return result;
}

static inline bool fixture_exists(const struct fixture *fix, const char *name)
{
	return faccessat(fix->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#define FIXTURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

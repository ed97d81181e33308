// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"
#include "trace/trace_flush_priv.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct bench {
	struct loop *loop;
	struct trace_flush flush;
	struct timer poll;
	int notes; /**< How often to note again. */
	int fd;    /**< What is written to. */
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err = {0};

	*state = bench;
	if (loop_new(&bench->loop, &err) < 0 ||
	    trace_flush_open(&bench->flush, bench->loop, &err) < 0)
		return -1;
	bench->flush.delay_ms = 2;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	trace_flush_close(&bench->flush);
	loop_free(bench->loop);
	free(bench);
	return 0;
}

/** Stop the loop once nothing is under way any more. */
static void poll_idle(struct timer *timer)
{
	struct bench *bench = container_of(timer, struct bench, poll);

	if (bench->flush.running || bench->flush.timer.loop || bench->flush.again) {
		timer_start(bench->loop, timer, 5, poll_idle);
	} else if (bench->notes > 0) {
		bench->notes--;
		trace_flush_note(&bench->flush, bench->fd);
		timer_start(bench->loop, timer, 5, poll_idle);
	} else {
		loop_stop(bench->loop);
	}
}

static void run_until_idle(struct bench *bench)
{
	struct error err = {0};

	timer_start(bench->loop, &bench->poll, 1, poll_idle);
	assert_int_equal(loop_run(bench->loop, &err), 0);
}

static void a_good_sync_says_nothing(void **state)
{
	struct bench *bench = *state;
	AUTO(fd_close) int fd = memfd_create("file", MFD_CLOEXEC);

	bench->fd = fd;
	bench->notes = 1;
	trace_flush_note(&bench->flush, fd);
	trace_flush_note(&bench->flush, fd);
	run_until_idle(bench);
	assert_int_equal(bench->flush.code, 0);
	assert_int_equal(bench->flush.job_fd, -1);
}

static void a_failed_sync_is_kept(void **state)
{
	struct bench *bench = *state;
	int pipefd[2];

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0); // a pipe can not be synced
	trace_flush_note(&bench->flush, pipefd[1]);
	run_until_idle(bench);
	assert_int_equal(bench->flush.code, EINVAL);
	fd_close(pipefd[0]);
	fd_close(pipefd[1]);
}

static void what_is_forgotten_is_not_synced(void **state)
{
	struct bench *bench = *state;
	int pipefd[2];

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	trace_flush_note(&bench->flush, pipefd[1]);
	trace_flush_forget(&bench->flush);
	fd_close(pipefd[0]);
	fd_close(pipefd[1]);
	run_until_idle(bench);
	assert_int_equal(bench->flush.code, 0);
}

static void it_closes_with_a_sync_under_way(void **state)
{
	struct bench *bench = *state;
	AUTO(fd_close) int fd = memfd_create("file", MFD_CLOEXEC);

	trace_flush_note(&bench->flush, fd);
	timer_stop(&bench->flush.timer);
	bench->flush.timer.fn(&bench->flush.timer);
	assert_true(bench->flush.running);
	bench->flush.timer.fn(&bench->flush.timer);
	assert_true(bench->flush.again);
	trace_flush_close(&bench->flush);
	assert_false(bench->flush.running);
	assert_int_equal(bench->flush.job_fd, -1);
}

#define BENCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_good_sync_says_nothing),
		BENCH_TEST(a_failed_sync_is_kept),
		BENCH_TEST(what_is_forgotten_is_not_synced),
		BENCH_TEST(it_closes_with_a_sync_under_way),
	};

	return cmocka_run_group_tests_name("trace/trace_flush", tests, NULL, NULL);
}

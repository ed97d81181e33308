// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "cli/forward.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void signals_arrive_one_by_one(void **state)
{
	struct error err = {0};
	AUTO(fd_close) int fd = -1;

	(void)state;
	assert_int_equal(forward_open(false, &fd, &err), 0);
	assert_int_equal(forward_next(fd), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGINT), 0);

	int first = forward_next(fd);
	int second = forward_next(fd);
	assert_int_equal(first + second, SIGUSR1 + SIGINT);
	assert_int_equal(forward_next(fd), 0);
}

static void an_ignored_one_is_skipped(void **state)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct error err = {0};
	AUTO(fd_close) int fd = -1;

	(void)state;
	assert_int_equal(sigaction(SIGHUP, &ignore, NULL), 0);
	assert_int_equal(forward_open(false, &fd, &err), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(forward_next(fd), SIGTERM);
	assert_int_equal(forward_next(fd), 0);
}

static void a_broken_pipe_is_an_error_of_write(void **state)
{
	struct error err = {0};
	AUTO(fd_close) int fd = -1;
	int fds[2];

	(void)state;
	assert_int_equal(forward_open(false, &fd, &err), 0);
	assert_int_equal(pipe(fds), 0);
	(void)close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(fds[1]);
}

static void a_job_in_the_background_is_not_stopped(void **state)
{
	struct error err = {0};
	AUTO(fd_close) int fd = -1;
	sigset_t blocked;

	(void)state;
	assert_int_equal(forward_open(false, &fd, &err), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
	assert_int_equal(sigismember(&blocked, SIGTTIN), 1);
	assert_int_equal(sigismember(&blocked, SIGTSTP), 0); // a person's Ctrl-Z still works
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_arrive_one_by_one),
		cmocka_unit_test(an_ignored_one_is_skipped),
		cmocka_unit_test(a_broken_pipe_is_an_error_of_write),
		cmocka_unit_test(a_job_in_the_background_is_not_stopped),
	};
	const struct sigaction usual = {.sa_handler = SIG_DFL};

	// The runner may have been started with some of them ignored.
	(void)sigaction(SIGINT, &usual, NULL);
	(void)sigaction(SIGPIPE, &usual, NULL);
	return cmocka_run_group_tests_name("cli/forward", tests, NULL, NULL);
}

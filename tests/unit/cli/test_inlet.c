// SPDX-License-Identifier: Apache-2.0
#include "cli/inlet.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_stdin(int fd)
{
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd);
}

static void bytes_then_the_end(void **state)
{
	AUTO(inlet_done) struct inlet inlet = {.open = true};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "a\0b", 3), 3);
	(void)close(fds[1]);
	set_stdin(fds[0]);
	assert_int_equal(inlet_read(&inlet), 3);
	assert_memory_equal(inlet.data, "a\0b", 3);
	assert_int_equal(inlet_read(&inlet), 0);
}

static void a_pipe_that_others_made_nonblocking_is_not_an_end(void **state)
{
	AUTO(inlet_done) struct inlet inlet = {.open = true};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	set_stdin(fds[0]);
	assert_int_equal(inlet_read(&inlet), -EAGAIN);
	assert_false(inlet.parked);
	(void)close(fds[1]);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	AUTO(inlet_done) struct inlet inlet = {.open = true};

	(void)state;
	set_stdin(open("/", O_RDONLY | O_DIRECTORY));
	assert_int_equal(inlet_read(&inlet), -EISDIR);
}

/** In a session of its own, with `slave` as its terminal that belongs to another job. */
static int read_in_background(int slave)
{
	AUTO(inlet_done) struct inlet inlet = {.open = true};
	sigset_t set;

	(void)setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return 10;
	set_stdin(slave);
	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);

	pid_t job = fork();

	if (job == 0) {
		(void)setpgid(0, 0);
		ssize_t n = inlet_read(&inlet);
		_exit(n == -EAGAIN && inlet.parked ? 0 : 11);
	}

	int status = 0;

	if (waitpid(job, &status, WUNTRACED) != job || !WIFEXITED(status))
		return 12; // stopped
	return WEXITSTATUS(status);
}

static void a_background_job_waits_for_the_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int status = 0;

	(void)state;
	if (master < 0 || unlockpt(master) < 0)
		skip(); // no terminals in this sandbox

	pid_t pid = fork();

	if (pid == 0)
		_exit(read_in_background(open(ptsname(master), O_RDWR | O_NOCTTY)));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	(void)close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_then_the_end),
		cmocka_unit_test(a_pipe_that_others_made_nonblocking_is_not_an_end),
		cmocka_unit_test(what_cannot_be_read_is_an_error),
		cmocka_unit_test(a_background_job_waits_for_the_terminal),
	};

	(void)alarm(60);
	return cmocka_run_group_tests_name("cli/inlet", tests, NULL, NULL);
}

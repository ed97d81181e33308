// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "cli/outlet.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG (4u << 20) /* more than a pipe or a socket takes */

static char big[BIG];

/** Fill until it takes no more; a call that blocks would hang here. */
static size_t fill(struct outlet *outlet)
{
	size_t total = 0;
	ssize_t n;

	while ((n = outlet_write(outlet, big, sizeof(big))) > 0)
		total += (size_t)n;
	assert_int_equal(n, 0);
	return total;
}

static void a_full_pipe_does_not_block(void **state)
{
	int fds[2];
	struct outlet outlet = {0};
	static char block[65536];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	outlet.fd = fds[1];
	assert_true(fill(&outlet) >= 4096);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); // it belongs to others as well
	assert_true(read(fds[0], block, sizeof(block)) > 0);
	assert_true(outlet_write(&outlet, "x", 1) == 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void an_old_kernel_s_pipe_does_not_block(void **state)
{
	int fds[2];
	struct outlet outlet = {.kind = OUTLET_SMALL};

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	outlet.fd = fds[1];
	assert_true(fill(&outlet) >= 4096);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_terminal_that_cannot_be_opened_takes_little_at_a_time(void **state)
{
	int master, slave;
	struct outlet outlet = {.kind = OUTLET_SMALL};

	(void)state;
	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		skip(); // no terminals in this sandbox
	outlet.fd = slave;
	assert_in_range(outlet_write(&outlet, big, sizeof(big)), 1, 256);
	(void)close(master);
	(void)close(slave);
}

static void a_full_socket_does_not_block(void **state)
{
	int fds[2];
	struct outlet outlet = {0};

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	outlet.fd = fds[1];
	assert_true(fill(&outlet) > 0);
	assert_int_equal(outlet.kind, OUTLET_SOCKET);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_full_terminal_does_not_block(void **state)
{
	int master, slave;
	struct outlet outlet = {0};

	(void)state;
	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		skip(); // no terminals in this sandbox
	outlet.fd = slave;
	assert_true(fill(&outlet) > 0);
	assert_int_equal(outlet.kind, OUTLET_OWN);
	assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0); // it belongs to others as well
	outlet_done(&outlet);
	(void)close(master);
	(void)close(slave);
}

static void a_file_takes_all_of_it(void **state)
{
	struct outlet outlet = {.fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};

	(void)state;
	assert_true(outlet.fd >= 0);
	assert_int_equal(outlet_write(&outlet, big, sizeof(big)), sizeof(big));
	assert_int_equal(outlet.kind, OUTLET_FILE);
	(void)close(outlet.fd);
}

static void errors_are_told(void **state)
{
	int fds[2];
	struct outlet gone = {.fd = 12345};
	struct outlet full = {.fd = open("/dev/full", O_WRONLY | O_CLOEXEC)};
	struct outlet broken = {0};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)state;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	assert_int_equal(outlet_write(&gone, "x", 1), -EBADF);
	assert_int_equal(outlet_write(&full, "x", 1), -ENOSPC);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	(void)close(fds[0]);
	broken.fd = fds[1];
	assert_int_equal(outlet_write(&broken, "x", 1), -EPIPE);
	(void)close(fds[1]);
	(void)close(full.fd);
}

static void somebody_s_nonblocking_descriptor_is_fine(void **state)
{
	int fds[2];
	struct outlet outlet = {.kind = OUTLET_FILE};

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	outlet.fd = fds[1];
	assert_true(fill(&outlet) > 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_does_not_block),
		cmocka_unit_test(an_old_kernel_s_pipe_does_not_block),
		cmocka_unit_test(a_terminal_that_cannot_be_opened_takes_little_at_a_time),
		cmocka_unit_test(a_full_socket_does_not_block),
		cmocka_unit_test(a_full_terminal_does_not_block),
		cmocka_unit_test(a_file_takes_all_of_it),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(somebody_s_nonblocking_descriptor_is_fine),
	};

	(void)alarm(60); // a write that blocks must not hang the suite
	return cmocka_run_group_tests_name("cli/outlet", tests, NULL, NULL);
}

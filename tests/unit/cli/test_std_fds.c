// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/std_fds.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** Run the check in a child, whose descriptors may be broken. */
static void in_child(int (*check)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int claim_closed(void)
{
	struct error err = {0};

	(void)close(0);
	(void)close(1);
	(void)close(2);
	if (std_fds_claim(&err) != 0)
		return 1;
	if (std_fds_has_input())
		return 2;

	char byte;
	if (read(0, &byte, 1) != 0)
		return 3;
	if (write(1, "x", 1) >= 0 || errno != EBADF || write(2, "x", 1) >= 0 || errno != EBADF)
		return 4;
	return dup(0) > 2 ? 0 : 5; // nothing else becomes one of the three
}

static void closed_ones_are_taken(void **state)
{
	(void)state;
	in_child(claim_closed);
}

static int claim_open(void)
{
	struct error err = {0};
	int fds[2];

	if (pipe(fds) != 0 || dup2(fds[0], 0) != 0 || dup2(fds[1], 1) != 1)
		return 1;
	if (std_fds_claim(&err) != 0)
		return 2;
	return write(1, "x", 1) == 1 ? 0 : 3;
}

static void open_ones_are_left_alone(void **state)
{
	(void)state;
	in_child(claim_open);
}

static int judge_input(void)
{
	int fds[2];

	(void)dup2(open("/dev/null", O_RDONLY), 0);
	if (std_fds_has_input())
		return 1;
	(void)dup2(open("/dev/zero", O_RDONLY), 0);
	if (!std_fds_has_input())
		return 2;
	if (pipe(fds) != 0)
		return 3;
	(void)dup2(fds[0], 0);
	if (!std_fds_has_input())
		return 4;
	(void)close(0);
	return std_fds_has_input() ? 5 : 0;
}

static void nothing_to_read_is_seen(void **state)
{
	(void)state;
	in_child(judge_input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_ones_are_taken),
		cmocka_unit_test(open_ones_are_left_alone),
		cmocka_unit_test(nothing_to_read_is_seen),
	};

	return cmocka_run_group_tests_name("cli/std_fds", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/cli.h"
#include "cli/inside.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** The status of a child that becomes the command. */
static int status_of(const struct cli *cli, char *const *argv)
{
	struct error err = {0};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		int r = inside_exec(cli, argv, &err);
		_exit(r < 0 ? 200 : r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

#define STATUS(cli, ...) status_of((cli), (char *const[]){__VA_ARGS__, NULL})
#define WORD(text) \
	(char[]) \
	{ \
		text \
	}

static void the_command_takes_our_place(void **state)
{
	const char *explicit[] = {"A=1", "A=7"};
	char *envp[] = {WORD("PATH=/usr/bin:/bin"), WORD("A=0"), NULL};
	struct cli cli = {.envp = envp,
			  .settings = {.status_fd = -1, .env = {explicit, 2}, .cwd = "/usr"}};

	(void)state;
	assert_int_equal(STATUS(&cli, WORD("sh"), WORD("-c"), WORD("exit $A")), 7);
	assert_int_equal(STATUS(&cli, WORD("sh"), WORD("-c"), WORD("test $PWD = /usr")), 0);
	assert_int_equal(STATUS(&cli, WORD("/bin/sh"), WORD("-c"), WORD("exit 3")), 3);
}

static void path_is_searched_as_a_shell_does(void **state)
{
	char *nowhere[] = {WORD("PATH=/nonexistent"), NULL};
	char *unset[] = {NULL};
	char *here[] = {WORD("PATH="), NULL};
	struct cli cli = {.envp = nowhere, .settings.status_fd = -1};

	(void)state;
	assert_int_equal(STATUS(&cli, WORD("sh"), WORD("-c"), WORD("exit 3")), 127);
	cli.envp = unset;
	assert_int_equal(STATUS(&cli, WORD("sh"), WORD("-c"), WORD("exit 3")), 3);
	cli.envp = here;
	cli.settings.cwd = "/bin";
	assert_int_equal(STATUS(&cli, WORD("sh"), WORD("-c"), WORD("exit 3")), 3);
}

static void what_cannot_run_has_the_usual_statuses(void **state)
{
	char *envp[] = {WORD("PATH=/usr/bin:/bin"), NULL};
	struct cli cli = {.envp = envp, .settings.status_fd = -1};

	(void)state;
	assert_int_equal(STATUS(&cli, WORD("no-such-program")), 127);
	assert_int_equal(STATUS(&cli, WORD("")), 127);
	assert_int_equal(STATUS(&cli, WORD("/no/such/program")), 127);
	assert_int_equal(STATUS(&cli, WORD("/")), 126);
	assert_int_equal(STATUS(&cli, WORD("/etc/passwd")), 126);
}

static void options_that_mean_nothing_here_are_refused(void **state)
{
	const struct settings meaningless[] = {
		{.status_fd = -1, .json = true},
		{.status_fd = -1, .ephemeral = true},
		{.status_fd = -1, .timeout_ms = 5},
		{.status_fd = 2},
	};
	char *envp[] = {NULL};
	char *argv[] = {WORD("/bin/true"), NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(meaningless); i++) {
		struct cli cli = {.envp = envp, .settings = meaningless[i]};
		struct error err = {0};

		assert_int_equal(inside_exec(&cli, argv, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "this is a world already"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_takes_our_place),
		cmocka_unit_test(path_is_searched_as_a_shell_does),
		cmocka_unit_test(what_cannot_run_has_the_usual_statuses),
		cmocka_unit_test(options_that_mean_nothing_here_are_refused),
	};

	return cmocka_run_group_tests_name("cli/inside", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "base/log.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/** What the log writes between capture() and captured(). */
static int saved_stderr = -1;

static void capture(void)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(fd >= 0 && saved_stderr >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
}

static void captured(char *ret, size_t size)
{
	assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);

	ssize_t n = fd_read_full(STDERR_FILENO, ret, size - 1);

	assert_int_equal(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	saved_stderr = fd_close(saved_stderr);
	assert_true(n >= 0);
	ret[n] = '\0';
}

static void lines_have_the_program_and_lower_levels_are_dropped(void **state)
{
	char text[256];

	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	log_start("prog", LOG_LEVEL_WARNING);
	capture();
	log_line(LOG_LEVEL_ERROR, "one %d", 1);
	log_line(LOG_LEVEL_WARNING, "two");
	log_line(LOG_LEVEL_INFO, "three");
	captured(text, sizeof(text));
	assert_string_equal(text, "prog: one 1\nprog: two\n");
}

static void under_journald_a_line_has_its_priority(void **state)
{
	char text[256];

	(void)state;
	(void)setenv("JOURNAL_STREAM", "8:1", 1);
	log_start("prog", LOG_LEVEL_DEBUG);
	capture();
	log_line(LOG_LEVEL_ERROR, "a");
	log_line(LOG_LEVEL_WARNING, "b");
	log_line(LOG_LEVEL_INFO, "c");
	log_line(LOG_LEVEL_DEBUG, "d");
	captured(text, sizeof(text));
	(void)unsetenv("JOURNAL_STREAM");
	assert_string_equal(text, "<3>a\n<4>b\n<6>c\n<7>d\n");
}

static void a_line_stays_one_line_without_control_bytes(void **state)
{
	char text[256];

	(void)state;
	log_start("prog", LOG_LEVEL_INFO);
	capture();
	log_line(LOG_LEVEL_INFO, "a\nprog: forged \033[2J\r%s", "\xff");
	captured(text, sizeof(text));
	assert_string_equal(text, "prog: a\\x0aprog: forged \\x1b[2J\\x0d\\xff\n");
}

static void a_long_line_is_cut(void **state)
{
	char text[4096], big[3000];

	(void)state;
	memset(big, '\n', sizeof(big) - 1); // each becomes four bytes
	big[sizeof(big) - 1] = '\0';
	log_start("prog", LOG_LEVEL_INFO);
	capture();
	log_line(LOG_LEVEL_INFO, "%s", big);
	captured(text, sizeof(text));
	assert_true(strlen(text) <= strlen("prog: ") + 1024 + 1);
	assert_string_equal(text + strlen(text) - 8, "\\x0a...\n");

	memset(big, 'y', sizeof(big) - 1);
	capture();
	log_line(LOG_LEVEL_INFO, "%s", big);
	captured(text, sizeof(text));
	assert_int_equal(strlen(text), strlen("prog: ") + 1024 + 1);
	assert_string_equal(text + strlen(text) - 6, "yy...\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_the_program_and_lower_levels_are_dropped),
		cmocka_unit_test(under_journald_a_line_has_its_priority),
		cmocka_unit_test(a_line_stays_one_line_without_control_bytes),
		cmocka_unit_test(a_long_line_is_cut),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}

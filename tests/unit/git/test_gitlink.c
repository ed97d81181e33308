// SPDX-License-Identifier: Apache-2.0
#include "base/compiler.h"
#include "base/error.h"
#include "git/gitlink.h"
#include "unit.h"

#include <errno.h>
#include <limits.h>

static void good(const char *text, const char *path)
{
	AUTO(mem_free) char *found = NULL;
	struct error err = {0};

	assert_int_equal(gitlink_parse(text, strlen(text), &found, &err), 0);
	assert_string_equal(found, path);
}

static void bad(const char *text, size_t len)
{
	char *found = NULL;
	struct error err = {0};

	assert_int_equal(gitlink_parse(text, len, &found, &err), -EINVAL);
	assert_null(found);
}

static void links_are_read(void **state)
{
	(void)state;
	good("gitdir: ../.git/modules/a\n", "../.git/modules/a");
	good("gitdir: /a b\r\n\n", "/a b");
	good("gitdir:  x", " x");
	good("gitdir: a\nb\n", "a\nb");
}

static void other_text_is_no_link(void **state)
{
	char large[PATH_MAX + 16] = "gitdir: ";

	(void)state;
	memset(large + 8, 'a', PATH_MAX);
	bad("", 0);
	bad("gitdir: ", 8);
	bad("gitdir: \n", 9);
	bad("gitdir:/x\n", 10);
	bad("gitdir: a\0b\n", 12);
	bad(" gitdir: a\n", 11);
	bad(large, strlen(large));
}

static void a_path_alone_is_read(void **state)
{
	AUTO(mem_free) char *found = NULL;
	char *none = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(gitlink_parse_path("../..\n", 6, &found, &err), 0);
	assert_string_equal(found, "../..");
	assert_int_equal(gitlink_parse_path("\n\n", 2, &none, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_read),
		cmocka_unit_test(other_text_is_no_link),
		cmocka_unit_test(a_path_alone_is_read),
	};

	return cmocka_run_group_tests_name("git/gitlink", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/compiler.h"
#include "base/error.h"
#include "base/path.h"
#include "proc/program.h"
#include "unit.h"

#include <errno.h>

static void a_program_beside_this_one_is_found(void **state)
{
	AUTO(mem_free) char *self = NULL;
	AUTO(mem_free) char *found = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(path_real("/proc/self/exe", &self, &err), 0);
	assert_int_equal(program_find(path_base(self), &found, &err), 0);
	assert_string_equal(found, self);
}

static void a_missing_program_is_named(void **state)
{
	char *found = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(program_find("no-such-program", &found, &err), -ENOENT);
	assert_memory_equal(err.msg, "no-such-program is neither in /", 31);
	assert_null(found);
}

static void a_directory_is_no_program(void **state)
{
	char *found = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(program_find(".", &found, &err), -ENOENT);
	assert_int_equal(program_find("..", &found, &err), -ENOENT);
}

static void a_path_is_no_name(void **state)
{
	char *found = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(program_find("../bin/sh", &found, &err), -EINVAL);
	assert_int_equal(program_find("/bin/sh", &found, &err), -EINVAL);
	assert_int_equal(program_find("", &found, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_beside_this_one_is_found),
		cmocka_unit_test(a_missing_program_is_named),
		cmocka_unit_test(a_directory_is_no_program),
		cmocka_unit_test(a_path_is_no_name),
	};

	return cmocka_run_group_tests_name("proc/program", tests, NULL, NULL);
}

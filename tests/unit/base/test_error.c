// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "unit.h"

#include <errno.h>

static void set_keeps_code_and_text(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, EINVAL, "bad %s", "thing"), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.msg, "bad thing");
}

static void errno_is_named(void **state)
{
	struct error err = {0};

	(void)state;
	errno = ENOENT;
	assert_int_equal(error_errno(&err, "open %s", "/x"), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.msg, "open /x: No such file or directory");
}

static void an_errno_of_zero_is_still_a_failure(void **state)
{
	struct error err = {0};

	(void)state;
	errno = 0;
	assert_int_equal(error_errno(&err, "call"), -EIO);
	assert_int_equal(err.code, EIO);
}

static void wrap_puts_context_before_and_keeps_the_code(void **state)
{
	struct error err = {0};

	(void)state;
	int r = error_set(&err, EPERM, "inner");

	assert_int_equal(error_wrap(&err, r, "outer %d", 1), -EPERM);
	assert_int_equal(err.code, EPERM);
	assert_string_equal(err.msg, "outer 1: inner");
}

static void long_text_is_cut_and_says_so(void **state)
{
	struct error err = {0};
	char text[2 * ERROR_MSG_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)error_set(&err, EINVAL, "%s", text);
	assert_int_equal(strlen(err.msg), ERROR_MSG_SIZE - 1);
	assert_string_equal(err.msg + ERROR_MSG_SIZE - 5, "x...");

	(void)error_wrap(&err, -EINVAL, "context");
	assert_memory_equal(err.msg, "context: xxx", 12);
	assert_string_equal(err.msg + ERROR_MSG_SIZE - 4, "...");

	errno = EIO;
	(void)error_errno(&err, "%s", text);
	assert_string_equal(err.msg + ERROR_MSG_SIZE - 4, "...");
}

static void text_that_just_fits_is_not_cut(void **state)
{
	struct error err = {0};
	char text[ERROR_MSG_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)error_set(&err, EINVAL, "%s", text);
	assert_string_equal(err.msg, text);
}

static void out_of_memory_has_its_own_call(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_oom(&err), -ENOMEM);
	assert_int_equal(err.code, ENOMEM);
	assert_string_equal(err.msg, "out of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_keeps_code_and_text),
		cmocka_unit_test(errno_is_named),
		cmocka_unit_test(an_errno_of_zero_is_still_a_failure),
		cmocka_unit_test(wrap_puts_context_before_and_keeps_the_code),
		cmocka_unit_test(long_text_is_cut_and_says_so),
		cmocka_unit_test(text_that_just_fits_is_not_cut),
		cmocka_unit_test(out_of_memory_has_its_own_call),
	};

	return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/exitcode.h"
#include "unit.h"
#include "json/value.h"

#include <errno.h>

static int status_of(const char *text)
{
	AUTO(value_free) json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	return exitcode_of_object(object);
}

static void errors_have_the_documented_statuses(void **state)
{
	(void)state;
	assert_int_equal(exitcode_of_error(EINVAL), 2);
	assert_int_equal(exitcode_of_error(E2BIG), 126);
	assert_int_equal(exitcode_of_error(ESRCH), 1);
	assert_int_equal(exitcode_of_error(EIO), 125);
	assert_int_equal(exitcode_of_error(ENOENT), 125);
}

static void the_status_of_a_command_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(status_of("{\"exit\": 0, \"signal\": null}"), 0);
	assert_int_equal(status_of("{\"exit\": 124, \"signal\": 15}"), 124);
	assert_int_equal(status_of("{\"exit\": 255}"), 255);
	assert_int_equal(status_of("{\"exit\": 143, \"signal\": 15}"), 143);
}

static void a_signal_alone_is_enough(void **state)
{
	(void)state;
	assert_int_equal(status_of("{\"exit\": null, \"signal\": 9}"), 137);
	assert_int_equal(status_of("{\"signal\": 1}"), 129);
}

static void an_object_without_a_status_is_no_success(void **state)
{
	(void)state;
	assert_int_equal(status_of("{}"), 125);
	assert_int_equal(status_of("{\"exit\": \"0\"}"), 125);
	assert_int_equal(status_of("{\"exit\": false}"), 125);
	assert_int_equal(status_of("{\"exit\": -1}"), 125);
	assert_int_equal(status_of("{\"exit\": 256}"), 125);
	assert_int_equal(status_of("{\"signal\": 200}"), 125);
	assert_int_equal(status_of("[]"), 125);
	assert_int_equal(exitcode_of_object(NULL), 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_the_documented_statuses),
		cmocka_unit_test(the_status_of_a_command_is_passed_on),
		cmocka_unit_test(a_signal_alone_is_enough),
		cmocka_unit_test(an_object_without_a_status_is_no_success),
	};

	return cmocka_run_group_tests_name("cli/exitcode", tests, NULL, NULL);
}

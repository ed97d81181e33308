// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"
#include "unit.h"

#include <errno.h>

static void items_are_copied_and_terminated(void **state)
{
	AUTO(strv_done) struct strv list = {0};
	char text[] = "one";

	(void)state;
	assert_false(strv_has(&list, "one"));
	assert_int_equal(strv_add(&list, text), 0);
	text[0] = 'x';
	assert_int_equal(strv_take(&list, strdup("two")), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0], "one");
	assert_string_equal(list.items[1], "two");
	assert_null(list.items[2]);
	assert_true(strv_has(&list, "two"));
	assert_false(strv_has(&list, "tw"));
}

static void taking_null_is_out_of_memory(void **state)
{
	AUTO(strv_done) struct strv list = {0};

	(void)state;
	assert_int_equal(strv_take(&list, NULL), -ENOMEM);
	assert_int_equal(list.count, 0);
	assert_null(list.items);
}

static void many_items_are_kept(void **state)
{
	AUTO(strv_done) struct strv list = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(strv_take(&list, str_format("%d", i)), 0);
	assert_int_equal(list.count, 1000);
	assert_string_equal(list.items[777], "777");
	assert_null(list.items[1000]);
	strv_done(&list);
	assert_int_equal(list.count, 0);
	assert_null(list.items);
}

static void environment_variables_are_found_and_replaced(void **state)
{
	AUTO(strv_done) struct strv list = {0};

	(void)state;
	assert_null(strv_env(&list, "A"));
	assert_int_equal(strv_env_set(&list, "AB", "long"), 0);
	assert_int_equal(strv_env_set(&list, "A", "1"), 0);
	assert_int_equal(strv_env_set(&list, "A", "2=3"), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(strv_env(&list, "A"), "2=3");
	assert_string_equal(strv_env(&list, "AB"), "long");
	assert_null(strv_env(&list, "B"));
	assert_null(strv_env(&list, "AB=long"));
	assert_int_equal(strv_env_set(&list, "E", ""), 0);
	assert_string_equal(strv_env(&list, "E"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_copied_and_terminated),
		cmocka_unit_test(taking_null_is_out_of_memory),
		cmocka_unit_test(many_items_are_kept),
		cmocka_unit_test(environment_variables_are_found_and_replaced),
	};

	return cmocka_run_group_tests_name("base/strv", tests, NULL, NULL);
}

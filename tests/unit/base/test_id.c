// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/compiler.h"
#include "base/id.h"
#include "unit.h"

static void a_new_id_is_valid_and_says_its_time(void **state)
{
	char id[ID_SIZE], digits[13] = {0};

	(void)state;
	uint64_t before_ms = clock_real_ns() / 1000000;

	id_new("spn", id);
	assert_true(id_valid("spn", id));
	assert_int_equal(strlen(id), 4 + 36);
	assert_int_equal(id[4 + 14], '7'); // version
	assert_non_null(strchr("89ab", id[4 + 19]));

	memcpy(digits, id + 4, 8);
	memcpy(digits + 8, id + 4 + 9, 4);
	assert_true(strtoull(digits, NULL, 16) >= before_ms);
}

static void ids_rise_even_within_a_millisecond(void **state)
{
	char last[ID_SIZE], next[ID_SIZE];

	(void)state;
	id_new("ses", last);
	for (int i = 0; i < 20000; i++) { // more than one counter holds
		id_new("ses", next);
		assert_true(strcmp(last, next) < 0);
		memcpy(last, next, sizeof(last));
	}
}

static void the_random_part_differs(void **state)
{
	char a[ID_SIZE], b[ID_SIZE];

	(void)state;
	id_new("wld", a);
	id_new("wld", b);
	assert_string_not_equal(a + 4 + 24, b + 4 + 24);
}

static void a_long_prefix_is_cut(void **state)
{
	char id[ID_SIZE];

	(void)state;
	id_new("abcdefghijklmnopqrstuvwxyz", id);
	assert_true(id_valid("abcdefgh", id));
}

static void what_is_not_an_id_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"spn",
		"spn_",
		"wld_01900000-0000-7000-8000-000000000000",
		"spn-01900000-0000-7000-8000-000000000000",
		"spn_01900000-0000-7000-8000-00000000000",
		"spn_01900000-0000-7000-8000-0000000000000",
		"spn_01900000-0000-7000-8000-00000000000G",
		"spn_01900000-0000-7000-8000-00000000000A",
		"spn_019000000000-7000-8000-0000-00000000",
		"spn_01900000-0000-7000-8000-000000000000/../x",
		"spn_../../../../../../../../../../etc/pas",
	};

	(void)state;
	assert_true(id_valid("spn", "spn_01900000-0000-7000-8000-000000000000"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(id_valid("spn", bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_id_is_valid_and_says_its_time),
		cmocka_unit_test(ids_rise_even_within_a_millisecond),
		cmocka_unit_test(the_random_part_differs),
		cmocka_unit_test(a_long_prefix_is_cut),
		cmocka_unit_test(what_is_not_an_id_is_refused),
	};

	return cmocka_run_group_tests_name("base/id", tests, NULL, NULL);
}

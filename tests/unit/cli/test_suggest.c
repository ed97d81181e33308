// SPDX-License-Identifier: Apache-2.0
#include "cli/suggest.h"
#include "unit.h"

static void distances_are_counted(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("list", "list"), 0);
	assert_int_equal(suggest_distance("lst", "list"), 1);
	assert_int_equal(suggest_distance("lisst", "list"), 1);
	assert_int_equal(suggest_distance("last", "list"), 1);
	assert_int_equal(suggest_distance("lits", "list"), 1); // a swap is one
	assert_int_equal(suggest_distance("", "ab"), 2);
	assert_int_equal(suggest_distance("ab", ""), 2);
	assert_int_equal(suggest_distance("", ""), 0);
}

static void far_ones_count_as_three(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("abcdef", "uvwxyz"), 3);
	assert_int_equal(suggest_distance("a", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"), 3);
	assert_int_equal(suggest_distance("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq", "a"), 3);
}

static void the_closest_wins_and_the_first_of_equals(void **state)
{
	struct suggest best = {0};

	(void)state;
	suggest_consider(&best, "stap", "start"); // 2
	assert_string_equal(best.name, "start");
	suggest_consider(&best, "stap", "stop"); // 1
	suggest_consider(&best, "stap", "step");
	assert_string_equal(best.name, "stop");
}

static void nothing_close_is_no_suggestion(void **state)
{
	struct suggest best = {0};

	(void)state;
	suggest_consider(&best, "frobnicate", "list");
	suggest_consider(&best, "xy", "ab"); // two steps make any two-letter word
	assert_null(best.name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances_are_counted),
		cmocka_unit_test(far_ones_count_as_three),
		cmocka_unit_test(the_closest_wins_and_the_first_of_equals),
		cmocka_unit_test(nothing_close_is_no_suggestion),
	};

	return cmocka_run_group_tests_name("cli/suggest", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/compiler.h"
#include "base/random.h"
#include "unit.h"

#include <stdbool.h>

static void every_byte_is_filled_and_none_beyond(void **state)
{
	unsigned char data[1024 + 1];
	bool changed[1024] = {false};

	(void)state;
	// A byte keeps its value by chance once in 256 times: not in twenty rounds.
	for (int round = 0; round < 20; round++) {
		memset(data, 0, sizeof(data));
		random_fill(data, 1024);
		for (size_t i = 0; i < 1024; i++)
			changed[i] = changed[i] || data[i] != 0;
		assert_int_equal(data[1024], 0);
	}
	for (size_t i = 0; i < 1024; i++)
		assert_true(changed[i]);
	random_fill(data, 0);
}

static void two_calls_differ(void **state)
{
	unsigned char a[32] = {0}, b[32] = {0};

	(void)state;
	random_fill(a, sizeof(a));
	random_fill(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_filled_and_none_beyond),
		cmocka_unit_test(two_calls_differ),
	};

	return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}

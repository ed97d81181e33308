// SPDX-License-Identifier: Apache-2.0
#include "hash/xxh.h"
#include "unit.h"

#include <stdbool.h>

static void the_hash_of_nothing_is_that_of_the_specification(void **state)
{
	(void)state;
	assert_true(xxh_hash64("", 0) == 0x2d06800538d394c2ULL);
}

static void each_changed_byte_changes_the_hash(void **state)
{
	uint8_t data[300] = {0};
	uint64_t before = xxh_hash64(data, sizeof(data));

	(void)state;
	assert_true(before == xxh_hash64(data, sizeof(data)));
	assert_true(before != xxh_hash64(data, sizeof(data) - 1));
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = 1;
		assert_true(before != xxh_hash64(data, sizeof(data)));
		data[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_of_nothing_is_that_of_the_specification),
		cmocka_unit_test(each_changed_byte_changes_the_hash),
	};

	return cmocka_run_group_tests_name("hash/xxh", tests, NULL, NULL);
}

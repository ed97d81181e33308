// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

static int values[4];

static void an_empty_map_holds_nothing(void **state)
{
	struct map map = {0};
	size_t cursor = 0;
	const char *key;

	(void)state;
	assert_null(map_get(&map, "x"));
	assert_null(map_remove(&map, "x"));
	assert_null(map_next(&map, &cursor, &key));
	map_done(&map);
}

static void set_replaces_and_remove_forgets(void **state)
{
	struct map map = {0};
	char key[] = "key";

	(void)state;
	assert_int_equal(map_set(&map, key, &values[0]), 0);
	key[0] = 'x'; // the key was copied
	assert_ptr_equal(map_get(&map, "key"), &values[0]);
	assert_int_equal(map_set(&map, "key", &values[1]), 0);
	assert_int_equal(map.count, 1);
	assert_ptr_equal(map_get(&map, "key"), &values[1]);
	assert_ptr_equal(map_remove(&map, "key"), &values[1]);
	assert_null(map_get(&map, "key"));
	assert_int_equal(map.count, 0);
	assert_int_equal(map_set(&map, "", &values[2]), 0);
	assert_ptr_equal(map_get(&map, ""), &values[2]);
	map_done(&map);
	assert_null(map.slots);
}

static void key_of(int i, char ret[static 40])
{
	(void)snprintf(ret, 40, "%s-%d", i % 2 ? "a-longer-key-of-many-bytes" : "k", i);
}

static void many_keys_are_kept_apart(void **state)
{
	static int numbers[5000];
	struct map map = {0};
	char key[40];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		key_of(i, key);
		numbers[i] = i;
		assert_int_equal(map_set(&map, key, &numbers[i]), 0);
	}
	for (int i = 0; i < 5000; i += 3) {
		key_of(i, key);
		assert_ptr_equal(map_remove(&map, key), &numbers[i]);
	}
	for (int i = 0; i < 5000; i++) {
		key_of(i, key);
		assert_ptr_equal(map_get(&map, key), i % 3 ? &numbers[i] : NULL);
	}
	map_done(&map);
}

static void a_map_that_is_used_for_ever_does_not_grow(void **state)
{
	struct map map = {0};
	char key[40];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		key_of(i, key);
		assert_int_equal(map_set(&map, key, &values[0]), 0);
		assert_ptr_equal(map_remove(&map, key), &values[0]);
	}
	assert_true(map.cap <= 64);
	map_done(&map);
}

static void iteration_sees_each_entry_once_and_may_remove_it(void **state)
{
	struct map map = {0};
	bool seen[100] = {false};
	static int numbers[100];
	size_t cursor = 0, count = 0;
	const char *key;
	int *value;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[40];

		key_of(i, name);
		numbers[i] = i;
		assert_int_equal(map_set(&map, name, &numbers[i]), 0);
	}
	while ((value = map_next(&map, &cursor, &key))) {
		char name[40];

		key_of(*value, name);
		assert_string_equal(key, name);
		assert_false(seen[*value]);
		seen[*value] = true;
		count++;
		assert_ptr_equal(map_remove(&map, name), value);
	}
	assert_int_equal(count, 100);
	assert_int_equal(map.count, 0);
	map_done(&map);
}

static void each_map_has_a_seed_of_its_own(void **state)
{
	struct map a = {0}, b = {0};

	(void)state;
	assert_int_equal(map_set(&a, "x", &values[0]), 0);
	assert_int_equal(map_set(&b, "x", &values[0]), 0);
	assert_memory_not_equal(a.seed, b.seed, sizeof(a.seed));
	map_done(&a);
	map_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_holds_nothing),
		cmocka_unit_test(set_replaces_and_remove_forgets),
		cmocka_unit_test(many_keys_are_kept_apart),
		cmocka_unit_test(a_map_that_is_used_for_ever_does_not_grow),
		cmocka_unit_test(iteration_sees_each_entry_once_and_may_remove_it),
		cmocka_unit_test(each_map_has_a_seed_of_its_own),
	};

	return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"
#include "unit.h"

#include <string.h>

/** The key 00 01 .. 0f, in the order of the machine. */
static void known_key(uint64_t ret[static 2])
{
	uint8_t bytes[16];

	for (uint8_t i = 0; i < 16; i++)
		bytes[i] = i;
	memcpy(ret, bytes, sizeof(bytes));
}

static void the_vectors_of_its_authors_hold(void **state)
{
	static const uint64_t expected[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
		0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
		0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
		0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
	};
	uint64_t key[2];
	uint8_t data[16];

	(void)state;
	known_key(key);
	for (uint8_t i = 0; i < 16; i++) {
		data[i] = i;
		assert_true(siphash(key, data, i) == expected[i]); // the first i bytes
	}
}

static void another_key_gives_another_hash(void **state)
{
	uint64_t key[2];

	(void)state;
	known_key(key);
	uint64_t before = siphash(key, "text", 4);

	key[1]++;
	assert_true(siphash(key, "text", 4) != before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_its_authors_hold),
		cmocka_unit_test(another_key_gives_another_hash),
	};

	return cmocka_run_group_tests_name("base/siphash", tests, NULL, NULL);
}

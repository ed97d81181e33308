// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "hash/sha256.h"
#include "unit.h"

#include <errno.h>

#define EMPTY_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION_HEX "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void known_texts_have_their_known_hashes(void **state)
{
	char hex[SHA256_HEX_SIZE];

	(void)state;
	assert_int_equal(sha256_hex("", 0, hex), 0);
	assert_string_equal(hex, EMPTY_HEX);
	assert_int_equal(sha256_hex("abc", 3, hex), 0);
	assert_string_equal(hex, ABC_HEX);
}

static void pieces_hash_like_the_whole(void **state)
{
	AUTO(sha256_done) struct sha256 hash = {0};
	uint8_t digest[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE], block[1000];
	struct error err = {0};

	(void)state;
	memset(block, 'a', sizeof(block));
	assert_int_equal(sha256_init(&hash, &err), 0);
	for (int i = 0; i < 1000; i++)
		sha256_add(&hash, block, sizeof(block));
	assert_int_equal(sha256_finish(&hash, digest, &err), 0);
	sha256_print(digest, hex);
	assert_string_equal(hex, MILLION_HEX);

	assert_int_equal(sha256_init(&hash, &err), 0); // the struct can be used again
	assert_int_equal(sha256_finish(&hash, digest, &err), 0);
	sha256_print(digest, hex);
	assert_string_equal(hex, EMPTY_HEX);
}

static void a_hash_that_was_not_started_cannot_be_finished(void **state)
{
	struct sha256 hash = {0};
	uint8_t digest[SHA256_SIZE] = {42};
	struct error err = {0};

	(void)state;
	sha256_add(&hash, "x", 1);
	assert_int_equal(sha256_finish(&hash, digest, &err), -ENOMEM);
	assert_int_equal(digest[0], 42);
	sha256_done(&hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_have_their_known_hashes),
		cmocka_unit_test(pieces_hash_like_the_whole),
		cmocka_unit_test(a_hash_that_was_not_started_cannot_be_finished),
	};

	return cmocka_run_group_tests_name("hash/sha256", tests, NULL, NULL);
}

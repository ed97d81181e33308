// SPDX-License-Identifier: Apache-2.0
#include "hash/sha1.h"
#include "unit.h"

static void the_handshake_of_the_rfc_has_its_known_hash(void **state)
{
	// RFC 6455, section 1.3.
	static const char text[] = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	static const uint8_t expected[SHA1_SIZE] = {
		0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6,
		0x46, 0x06, 0xcf, 0x38, 0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea,
	};
	uint8_t digest[SHA1_SIZE] = {0};

	(void)state;
	assert_true(sha1_sum(text, sizeof(text) - 1, digest));
	assert_memory_equal(digest, expected, SHA1_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_handshake_of_the_rfc_has_its_known_hash),
	};

	return cmocka_run_group_tests_name("hash/sha1", tests, NULL, NULL);
}

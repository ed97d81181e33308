// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"
#include "base/compiler.h"
#include "unit.h"

#include <errno.h>

/** The test vectors of RFC 4648, section 10, and bytes that are not text. */
static const struct {
	const char *data;
	size_t len;
	const char *text;
} pairs[] = {
	{"", 0, ""},
	{"f", 1, "Zg=="},
	{"fo", 2, "Zm8="},
	{"foo", 3, "Zm9v"},
	{"foob", 4, "Zm9vYg=="},
	{"fooba", 5, "Zm9vYmE="},
	{"foobar", 6, "Zm9vYmFy"},
	{"\0\xff\x10", 3, "AP8Q"},
	{"\xfb\xff\xfe", 3, "+//+"},
};

static void known_pairs_encode_and_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		AUTO(mem_free) char *text = base64_encode(pairs[i].data, pairs[i].len);
		AUTO(mem_free) char *data = NULL;
		size_t len = 99;

		assert_string_equal(text, pairs[i].text);
		assert_int_equal(base64_decode(text, strlen(text), &data, &len), 0);
		assert_int_equal(len, pairs[i].len);
		assert_memory_equal(data, pairs[i].data, len);
		assert_int_equal(data[len], '\0');
	}
}

static void what_is_not_canonical_is_refused(void **state)
{
	static const char *const bad[] = {
		"Zg",   "Zg=",  "Z===", "====",     "=",    "Zg==Zg==", "Zm9v\n",     " Zm9v",
		"Zm-_", "Zh==", "Zm9=", "Zm9vYg=a", "Z=g=", "Zm9v====", "\xc3\xa4==", "Zm8=Zm8=",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *data = (char *)&state;
		size_t len = 99;

		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &data, &len), -EINVAL);
		assert_ptr_equal(data, &state);
		assert_int_equal(len, 99);
	}
	// A NUL is not a digit either.
	char *data = NULL;
	size_t len;

	assert_int_equal(base64_decode("Zm\0v", 4, &data, &len), -EINVAL);
}

static void a_length_that_cannot_be_encoded_is_out_of_memory(void **state)
{
	(void)state;
	assert_null(base64_encode("", SIZE_MAX / 4 * 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_pairs_encode_and_decode),
		cmocka_unit_test(what_is_not_canonical_is_refused),
		cmocka_unit_test(a_length_that_cannot_be_encoded_is_out_of_memory),
	};

	return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}

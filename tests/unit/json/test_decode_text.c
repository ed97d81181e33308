// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "unit.h"
#include "json/decode.h"

#include <errno.h>
#include <stdio.h>

static void objects_and_arrays_are_read(void **state)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" {\"a\": [1, -2.5e3, true, null, \"\\u00e4\\n\"]} \n",
		"[[[]]]",
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(value_free) json_t *value = NULL;

		assert_int_equal(decode_text(good[i], strlen(good[i]), 100, &value, &err), 0);
		assert_non_null(value);
	}
}

/** Decode what must fail; returns the code and leaves the error. */
static int refuse(const char *text, size_t len, struct error *err)
{
	json_t *value = NULL;
	int r = decode_text(text, len, 100000, &value, err);

	assert_null(value);
	assert_int_equal(err->code, -r);
	return r;
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"[1,]",
		"{\"a\":1,}",
		"1",
		"\"text\"",
		"null",
		"{} {}",
		"{}x",
		"{a:1}",
		"['x']",
		"[01]",
		"[+1]",
		"[1e999]",
		"[9223372036854775808]",
		"[NaN]",
		"[\"\t\"]",
		"[\"\\ud800\"]",
		"[\"\xff\"]",
		"[\"\xed\xa0\x80\"]",
		"\xef\xbb\xbf{}",
		"/* */ {}",
		"[\"a\\u0000b\"]",
		"{\"a\\u0000b\": 1}",
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int line = 0, column = 0;

		assert_int_equal(refuse(bad[i], strlen(bad[i]), &err), -EINVAL);
		assert_int_equal(sscanf(err.msg, "%d:%d: ", &line, &column), 2);
		assert_true(line == 1 && column >= 1);
	}
	assert_int_equal(refuse("[1,\n 2,\n x]", 11, &err), -EINVAL);
	assert_memory_equal(err.msg, "3:", 2);
	assert_int_equal(refuse("[1,\n2\0]", 7, &err), -EINVAL);
	assert_string_equal(err.msg, "2:2: a NUL byte");
	assert_int_equal(refuse("[]\0", 3, &err), -EINVAL);
	assert_int_equal(refuse("[\"a\0b\"]", 7, &err), -EINVAL);
}

static void duplicate_keys_are_refused(void **state)
{
	static const char plain[] = "{\"a\": 1, \"b\": 2, \"a\": 3}";
	static const char escaped[] = "{\"a\": 1, \"\\u0061\": 3}";
	static const char nested[] = "[{\"x\": {\"a\": 1, \"a\": 3}}]";
	struct error err = {0};

	(void)state;
	assert_int_equal(refuse(plain, sizeof(plain) - 1, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "duplicate"));
	assert_int_equal(refuse(escaped, sizeof(escaped) - 1, &err), -EINVAL);
	assert_int_equal(refuse(nested, sizeof(nested) - 1, &err), -EINVAL);
}

static void long_text_is_refused_unread(void **state)
{
	json_t *value = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(decode_text("[1]", 3, 3, &value, &err), 0);
	value = value_free(value);
	assert_int_equal(decode_text("[1]", 3, 2, &value, &err), -E2BIG);
	assert_string_equal(err.msg, "larger than 2 bytes");
	assert_null(value);
}

static void deep_nesting_is_refused(void **state)
{
	char text[200];
	json_t *value = NULL;
	struct error err = {0};

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_int_equal(decode_text(text, 128, 200, &value, &err), 0);
	value = value_free(value);

	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(refuse(text, 130, &err), -EINVAL);
	assert_string_equal(err.msg, "1:65: nested deeper than 64");

	// A bracket in a string is text, also behind an escaped quote.
	memset(text, '[', sizeof(text));
	memcpy(text, "[\"\\\"\\\\\\\"", 8);
	memcpy(text + sizeof(text) - 2, "\"]", 2);
	assert_int_equal(decode_text(text, sizeof(text), 200, &value, &err), 0);
	value = value_free(value);
}

static void an_error_quotes_no_control_bytes(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(refuse("[\033[2J]", 6, &err), -EINVAL);
	for (const char *at = err.msg; *at; at++)
		assert_true(*at >= ' ');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_and_arrays_are_read),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
		cmocka_unit_test(duplicate_keys_are_refused),
		cmocka_unit_test(long_text_is_refused_unread),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(an_error_quotes_no_control_bytes),
	};

	return cmocka_run_group_tests_name("json/decode_text", tests, NULL, NULL);
}

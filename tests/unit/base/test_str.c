// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"
#include "unit.h"

#include <errno.h>
#include <limits.h>

static void starts_ends_same(void **state)
{
	(void)state;
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends("abc", "bc"));
	assert_true(str_ends("abc", ""));
	assert_false(str_ends("bc", "abc"));
	assert_false(str_ends("abx", "abc"));
	assert_true(str_same("a", "a"));
	assert_false(str_same("a", "b"));
	assert_false(str_same("a", NULL));
	assert_false(str_same(NULL, "a"));
	assert_true(str_same(NULL, NULL));
}

static void format_gives_owned_text(void **state)
{
	AUTO(mem_free) char *text = str_format("%s-%d", "a", 7);

	(void)state;
	assert_string_equal(text, "a-7");
}

static void whole_numbers_in_range_are_read(void **state)
{
	static const struct {
		const char *text;
		int r;
		long value;
	} rows[] = {
		{"0", 0, 0},         {"7", 0, 7},
		{"-5", 0, -5},       {"007", 0, 7},
		{"100", 0, 100},     {"101", -ERANGE, 0},
		{"-6", -ERANGE, 0},  {"", -EINVAL, 0},
		{"-", -EINVAL, 0},   {"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},  {"1 ", -EINVAL, 0},
		{"1x", -EINVAL, 0},  {"0x1", -EINVAL, 0},
		{"--1", -EINVAL, 0}, {"99999999999999999999", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long value = 42;

		assert_int_equal(str_to_long(rows[i].text, -5, 100, &value), rows[i].r);
		assert_int_equal(value, rows[i].r == 0 ? rows[i].value : 42);
	}

	long value = 0;

	assert_int_equal(str_to_long("-9223372036854775808", LONG_MIN, LONG_MAX, &value), 0);
	assert_true(value == LONG_MIN);
	assert_int_equal(str_to_long("9223372036854775808", LONG_MIN, LONG_MAX, &value), -ERANGE);
}

static void utf8_is_told_from_other_bytes(void **state)
{
	static const char *const good[] = {
		"",
		"a",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"a\xc3\xa4z",
	};
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2z",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xe1\x80",
		"\xe1\x80z",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"a\xfe",
		"\xf1\x80\x80",
		"\xf1\x80\x80z",
		"\xc3\xa4\xa4",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(str_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_is_utf8(bad[i], strlen(bad[i])));
	assert_false(str_is_utf8("a\0b", 3));
}

static void escape_shows_what_would_steer_a_terminal(void **state)
{
	static const char *const rows[][2] = {
		{"plain \xc3\xa4 \xe2\x82\xac", "plain \xc3\xa4 \xe2\x82\xac"},
		{"\x1b[0m\n\t\x7f", "\\x1b[0m\\x0a\\x09\\x7f"},
		{"\xff\xc3", "\\xff\\xc3"},
		{"\xc2\x9b"
		 "31m",
		 "\\xc2\\x9b"
		 "31m"},
		{"a\xe2\x80\xae"
		 "b",
		 "a\\xe2\\x80\\xae"
		 "b"}, // right-to-left override
		{"\xe2\x80\x8b\xef\xbb\xbf", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf"}, // zero width
		{"\xe2\x80\xa7", "\xe2\x80\xa7"}, // just below a range
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(mem_free) char *text = str_escape(rows[i][0], strlen(rows[i][0]), 100);

		assert_string_equal(text, rows[i][1]);
	}

	AUTO(mem_free) char *nul = str_escape("a\0b", 3, 100);

	assert_string_equal(nul, "a\\x00b");
}

static void escape_cuts_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *shown;
	} rows[] = {
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc..."},
		{"abc", 3, "abc"},
		{"abcd", 3, "..."},
		{"abcd", 2, ".."},
		{"abcd", 0, ""},
		{"", 0, ""},
		{"a\nbcd", 7, "a..."},
		{"a\nb", 7, "a\\x0ab"},
		{"ab\xc3\xa4x", 5, "ab\xc3\xa4x"},
		{"ab\xc3\xa4xy", 5, "ab..."},
		{"ab\xc3\xa4xyz", 6, "ab..."},
		{"ab\xc3\xa4wxyz", 7, "ab\xc3\xa4..."},
		{"abcdefgh\n", 9, "abcdef..."},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(mem_free)
		char *text = str_escape(rows[i].text, strlen(rows[i].text), rows[i].max);

		assert_string_equal(text, rows[i].shown);
	}
}

static void escape_into_fills_no_more_than_it_may(void **state)
{
	char out[8];

	(void)state;
	memset(out, '#', sizeof(out));
	assert_int_equal(str_escape_into("abcdefgh", 8, 5, out), 5);
	assert_memory_equal(out, "ab...\0##", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_ends_same),
		cmocka_unit_test(format_gives_owned_text),
		cmocka_unit_test(whole_numbers_in_range_are_read),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(escape_shows_what_would_steer_a_terminal),
		cmocka_unit_test(escape_cuts_between_characters),
		cmocka_unit_test(escape_into_fills_no_more_than_it_may),
	};

	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}

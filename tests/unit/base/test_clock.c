// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "unit.h"

#include <string.h>
#include <time.h>

#define NS 1000000000U

static void known_times_are_printed(void **state)
{
	static const struct {
		uint64_t real_ns;
		const char *text;
	} times[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{951782399ULL * NS, "2000-02-28T23:59:59.000000Z"},
		{951782400ULL * NS + 999, "2000-02-29T00:00:00.000000Z"},
		{951868800ULL * NS + 1000, "2000-03-01T00:00:00.000001Z"},
		{1769903999ULL * NS + 123456789, "2026-01-31T23:59:59.123456Z"},
		{4107542399ULL * NS, "2100-02-28T23:59:59.000000Z"},
		{4107542400ULL * NS, "2100-03-01T00:00:00.000000Z"},
		{UINT64_MAX, "2554-07-21T23:34:33.709551Z"},
	};
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		clock_print(times[i].real_ns, text);
		assert_string_equal(text, times[i].text);
	}
}

static void every_day_agrees_with_libc(void **state)
{
	char text[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE];

	(void)state;
	for (uint64_t day = 0; day < 213000; day++) {
		time_t s = (time_t)(day * 86400 + day % 86400);
		struct tm tm;

		assert_non_null(gmtime_r(&s, &tm));
		assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000Z", &tm));
		clock_print((uint64_t)s * NS, text);
		assert_string_equal(text, expected);
	}
}

static void monotonic_time_does_not_go_back(void **state)
{
	uint64_t last = clock_mono_ns();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t next = clock_mono_ns();

		assert_true(next >= last);
		last = next;
	}
}

static void real_time_is_what_libc_says(void **state)
{
	time_t before = time(NULL);
	uint64_t seconds = clock_real_ns() / NS;

	(void)state;
	assert_true(seconds + 1 >= (uint64_t)before); // time() may lag by a tick
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_times_are_printed),
		cmocka_unit_test(every_day_agrees_with_libc),
		cmocka_unit_test(monotonic_time_does_not_go_back),
		cmocka_unit_test(real_time_is_what_libc_says),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}

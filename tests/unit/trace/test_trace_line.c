// SPDX-License-Identifier: Apache-2.0
#include "base/compiler.h"
#include "trace/trace_line.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UPPER "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct trace_line *ret)
{
	return trace_line_parse(text, strlen(text), ret);
}

static void objects_are_accepted(void **state)
{
	static const char *const good[] = {
		"{}",
		" { } ",
		"{\"a\":1}",
		"{\"a\" : [ 1 , -0.5e+3 , 0 , 1E9 ] , \"b\":{\"c\":null,\"d\":true,\"e\":false}}",
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\uD83d\\ude00\"}",
		"{\"\":[[],{}]}",
		"{\"a\":\"\xc3\xa9\"}",
	};
	struct trace_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (parse(good[i], &line) != 0)
			fail_msg("refused: %s", good[i]);
	}
}

static void what_is_not_one_object_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"1",
		"null",
		"\"a\"",
		"{",
		"}",
		"{}{}",
		"{} x",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{,\"a\":1}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":01}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":-}",
		"{\"a\":+1}",
		"{\"a\":1e}",
		"{\"a\":1e+}",
		"{\"a\":nul}",
		"{\"a\":True}",
		"{\"a\":[1,]}",
		"{\"a\":[1 2]}",
		"{\"a\":[}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"x",
		"{\"a\":\"\t\"}",
		"{\"a\":\"\\",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":1/**/}",
		"{\"span_id\":\"a\",\"span_id\":\"b\"}",
	};
	struct trace_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i], &line) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(trace_line_parse("{\0}", 3, &line), -EBADMSG);
}

/** {"a":[[[...]]]} with this many nested containers in all. */
static int parse_nested(int depth)
{
	char text[512];
	struct trace_line line;
	int len = snprintf(text, sizeof(text), "{\"a\":");

	memset(text + len, '[', (size_t)depth - 1);
	memset(text + len + depth - 1, ']', (size_t)depth - 1);
	len += 2 * (depth - 1);
	text[len++] = '}';
	return trace_line_parse(text, (size_t)len, &line);
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(TRACE_LINE_DEPTH), 0);
	assert_int_equal(parse_nested(TRACE_LINE_DEPTH + 1), -EBADMSG);
}

static void only_top_level_strings_are_found(void **state)
{
	struct trace_line line;

	(void)state;
	assert_int_equal(parse("{\"x\":{\"span_id\":\"no\",\"ts\":\"no\"},\"ts\":\"T\","
			       "\"event_type\":7,\"session_id\":null,\"span_id\":\"s\"}",
			       &line),
			 0);
	assert_true(trace_line_is(&line.ts, "T"));
	assert_true(trace_line_is(&line.span_id, "s"));
	assert_null(line.event_type.text);
	assert_null(line.session_id.text);
	assert_false(trace_line_is(&line.event_type, ""));
	assert_false(trace_line_is(&line.span_id, "sp"));
}

static void a_peek_stops_once_it_knows(void **state)
{
	static const char torn[] = "{\"event_type\":\"e\",\"span_id\":\"s\",\"cmd\":\"unfinis";
	struct trace_line line;

	(void)state;
	assert_int_equal(trace_line_peek(torn, strlen(torn), &line), 0);
	assert_true(trace_line_is(&line.event_type, "e"));
	assert_true(trace_line_is(&line.span_id, "s"));
	assert_int_equal(parse(torn, &line), -EBADMSG);
	assert_int_equal(trace_line_peek(torn, 20, &line), -EBADMSG);
}

static void prev_is_found_at_the_end_only(void **state)
{
	static const char good[] = "{\"a\":1,\"prev\":\"" HASH "\"}";
	static const char *const bad[] = {
		"{\"prev\":\"" HASH "\",\"a\":1}",
		"{\"prev\":\"" HASH "\"}",
		"{\"a\":1,\"prev\":\"" HASH "0\"}",
		"{\"a\":1,\"prev\":\"x" HASH "\"}",
		"{\"a\":1,\"prev\": \"" HASH "\"}",
		"{\"a\":1,\"prev\":\"" HASH "\"} ",
		"{\"a\":1,\"prev\":\"" UPPER "\"}",
		"{\"a\":1,\"prev\":\"\"}",
		"{\"a\":1}",
		"",
	};

	(void)state;
	assert_memory_equal(trace_line_prev(good, strlen(good)), HASH, 64);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (trace_line_prev(bad[i], strlen(bad[i])))
			fail_msg("accepted: %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_accepted),
		cmocka_unit_test(what_is_not_one_object_is_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(only_top_level_strings_are_found),
		cmocka_unit_test(a_peek_stops_once_it_knows),
		cmocka_unit_test(prev_is_found_at_the_end_only),
	};

	return cmocka_run_group_tests_name("trace/trace_line", tests, NULL, NULL);
}

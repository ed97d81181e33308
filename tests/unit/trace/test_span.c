// SPDX-License-Identifier: Apache-2.0
#include "trace/span.h"
#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct span_common start_common = {
	.event = SPAN_COMMAND_START,
	.ts_ns = 1704067200123456789ULL,
	.session_id = "ses_1",
	.span_id = "spn_1",
	.parent_span = "spn_0",
	.component = "world",
	.world_id = "wld_1",
	.policy_id = "builtin",
	.policy_commit = "abc",
	.profile = "default",
	.agent_id = "human",
};

static void a_start_has_the_seed_fields_first(void **state)
{
	const struct span_command command = {.cwd = "/p", .cmd = "npm install", .umask = 18};
	AUTO(buf_done) struct buf line = {0};

	(void)state;
	assert_int_equal(span_print_command(&line, &start_common, &command), 0);
	assert_string_equal(
		line.data,
		"{\"ts\":\"2024-01-01T00:00:00.123456Z\",\"event_type\":\"command_start\","
		"\"session_id\":\"ses_1\",\"span_id\":\"spn_1\",\"parent_span\":\"spn_0\","
		"\"component\":\"world\",\"world_id\":\"wld_1\",\"policy_id\":\"builtin\","
		"\"agent_id\":\"human\",\"cwd\":\"/p\",\"cmd\":\"npm install\",\"schema\":1,"
		"\"umask\":18,\"policy_commit\":\"abc\",\"profile\":\"default\"}");
}

static void a_completion_has_all_result_fields(void **state)
{
	char word[] = "ls";
	char *argv[] = {word, NULL};
	char *names[] = {NULL};
	struct strv env = {0};
	struct strv dropped = {.items = names};
	const struct span_command command = {
		.cwd = "/p",
		.argv = argv,
		.env = &env,
		.env_dropped = &dropped,
		.world_image = "h",
		.plan_hash = "h",
		.traceparent = "00-1",
		.ts_end_ns = 1704067201ULL * 1000000000,
		.duration_ms = 876,
		.status = "failed",
		.exit = 3,
		.error = "e",
		.user_us = 1,
		.system_us = UINT64_MAX,
		.max_rss_kib = 3,
		.stdout_bytes = 4,
		.stderr_bytes = 5,
		.world_reused = true,
		.limits = "unavailable",
	};
	struct span_common common = start_common;
	AUTO(buf_done) struct buf line = {0};

	(void)state;
	common.event = SPAN_COMMAND_COMPLETE;
	common.parent_span = NULL;
	assert_int_equal(span_print_command(&line, &common, &command), 0);
	assert_string_equal(
		line.data,
		"{\"ts\":\"2024-01-01T00:00:00.123456Z\",\"event_type\":\"command_complete\","
		"\"session_id\":\"ses_1\",\"span_id\":\"spn_1\",\"component\":\"world\","
		"\"world_id\":\"wld_1\",\"policy_id\":\"builtin\",\"agent_id\":\"human\","
		"\"cwd\":\"/p\",\"exit\":3,\"scopes_used\":[],\"fs_diff\":null,\"schema\":1,"
		"\"ts_end\":\"2024-01-01T00:00:01.000000Z\",\"duration_ms\":876,"
		"\"status\":\"failed\",\"signal\":null,\"error\":\"e\",\"argv\":[\"ls\"],\"env\":[]"
		","
		"\"env_dropped\":[],\"umask\":0,\"world_image\":\"h\",\"plan_hash\":\"h\","
		"\"policy_commit\":\"abc\",\"profile\":\"default\",\"traceparent\":\"00-1\","
		"\"denials\":[],\"egress\":null,\"layer\":null,\"limits\":\"unavailable\","
		"\"user_us\":1,\"system_us\":18446744073709551615,\"max_rss_kib\":3,"
		"\"stdout_bytes\":4,\"stderr_bytes\":5,\"world_reused\":true}");
}

static void a_command_killed_by_a_signal_has_no_exit(void **state)
{
	const struct span_command command = {.exit = -1, .signal = 9, .status = "signaled"};
	struct span_common common = start_common;
	AUTO(buf_done) struct buf line = {0};

	(void)state;
	common.event = SPAN_COMMAND_COMPLETE;
	assert_int_equal(span_print_command(&line, &common, &command), 0);
	assert_non_null(strstr(line.data, "\"exit\":null"));
	assert_non_null(strstr(line.data, "\"signal\":9"));
}

static void world_events_differ_by_their_event(void **state)
{
	const struct span_world world = {
		.project = "/p", .backend = "linux", .start_us = 7, .landlock_abi = -1};
	struct span_common common = {.event = SPAN_WORLD_START, .world_id = "wld_1"};
	AUTO(buf_done) struct buf start = {0};
	AUTO(buf_done) struct buf stop = {0};

	(void)state;
	assert_int_equal(span_print_world(&start, &common, &world), 0);
	assert_string_equal(start.data, "{\"ts\":\"1970-01-01T00:00:00.000000Z\","
					"\"event_type\":\"world_start\",\"world_id\":\"wld_1\","
					"\"schema\":1,\"project\":\"/p\",\"backend\":\"linux\","
					"\"start_us\":7,\"landlock_abi\":0}");
	common.event = SPAN_WORLD_STOP;
	assert_int_equal(span_print_world(&stop, &common, &world), 0);
	assert_non_null(strstr(stop.data, "\"world_stop\""));
	assert_null(strstr(stop.data, "start_us"));
}

static void a_guard_event_names_path_and_place(void **state)
{
	const struct span_guard guard = {.path = ".envrc", .kept = "aside/spn_1", .detail = "d"};
	const struct span_common common = {.event = SPAN_SET_ASIDE};
	AUTO(buf_done) struct buf line = {0};

	(void)state;
	assert_int_equal(span_print_guard(&line, &common, &guard), 0);
	assert_string_equal(line.data,
			    "{\"ts\":\"1970-01-01T00:00:00.000000Z\","
			    "\"event_type\":\"set_aside\",\"schema\":1,"
			    "\"path\":\".envrc\",\"kept\":\"aside/spn_1\",\"detail\":\"d\"}");
}

/** The text that the line has for a cwd. */
static char *printed_cwd(const char *cwd)
{
	const struct span_command command = {.cwd = cwd};
	AUTO(buf_done) struct buf line = {0};

	assert_int_equal(span_print_command(&line, &start_common, &command), 0);

	char *from = strstr(line.data, "\"cwd\":") + 6;
	char *to = strstr(from, ",\"schema\"");

	return strndup(from, (size_t)(to - from));
}

static void strings_are_escaped_and_other_bytes_kept_exactly(void **state)
{
	static const struct {
		const char *raw, *json;
	} cases[] = {
		{"", "\"\""},
		{"a\"b\\c/", "\"a\\\"b\\\\c/\""},
		{"\b\t\n\f\r\001\033\037\177", "\"\\b\\t\\n\\f\\r\\u0001\\u001b\\u001f\177\""},
		{"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
		{"\xff\xfe", "{\"b64\":\"//4=\"}"},
		{"caf\xe9", "{\"b64\":\"Y2Fm6Q==\"}"},
		{"\xed\xa0\x80", "{\"b64\":\"7aCA\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(mem_free) char *got = printed_cwd(cases[i].raw);

		assert_string_equal(got, cases[i].json);
	}
}

/** Bytes by a fixed recurrence, never NUL. */
static void fill_bytes(char *bytes, size_t len, uint32_t seed, unsigned mask)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (char)((seed >> 24) & mask);
		if (!bytes[i])
			bytes[i] = 'x';
	}
	bytes[len] = '\0';
}

static void another_parser_reads_back_what_was_printed(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 2000; round++) {
		char raw[33];

		fill_bytes(raw, round % 32, round, 0x7f);

		AUTO(mem_free) char *got = printed_cwd(raw);
		json_t *value = json_loads(got, JSON_DECODE_ANY, NULL);

		assert_non_null(value);
		assert_string_equal(json_string_value(value), raw);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_has_the_seed_fields_first),
		cmocka_unit_test(a_completion_has_all_result_fields),
		cmocka_unit_test(a_command_killed_by_a_signal_has_no_exit),
		cmocka_unit_test(world_events_differ_by_their_event),
		cmocka_unit_test(a_guard_event_names_path_and_place),
		cmocka_unit_test(strings_are_escaped_and_other_bytes_kept_exactly),
		cmocka_unit_test(another_parser_reads_back_what_was_printed),
	};

	return cmocka_run_group_tests_name("trace/span", tests, NULL, NULL);
}

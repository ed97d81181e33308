// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "trace/trace_files_priv.h"
#include "trace_fixture.h"
#include "json/value.h"

static json_t *read_span(const struct fixture *fix, const char *span_id)
{
	json_t *lines = NULL;
	struct error err = {0};

	if (trace_read_span(fix->dirfd, span_id, &lines, &err) < 0)
		fail_msg("%s", err.msg);
	return lines;
}

static json_t *read_list(const struct fixture *fix, const struct trace_read_filter *filter)
{
	json_t *list = NULL;
	struct error err = {0};

	if (trace_read_list(fix->dirfd, filter, &list, &err) < 0)
		fail_msg("%s", err.msg);
	return list;
}

static const char *member(const json_t *array, size_t index, const char *key)
{
	return json_string_value(json_object_get(json_array_get(array, index), key));
}

/** The span ids of a list, with a space after each; the caller frees. */
static char *span_ids(const struct fixture *fix, const struct trace_read_filter *filter)
{
	AUTO(value_free) json_t *list = read_list(fix, filter);
	struct buf ids = {0};

	buf_adds(&ids, "");
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_addf(&ids, "%s ", member(list, i, "span_id"));
	return buf_take(&ids);
}

static void expect_ids(const struct fixture *fix, const struct trace_read_filter *filter,
		       const char *wanted)
{
	AUTO(mem_free) char *ids = span_ids(fix, filter);

	assert_string_equal(ids, wanted);
}

static void the_lines_of_a_span_come_in_order(void **state)
{
	struct fixture *fix = *state;

	for (uint64_t rotate = 0; rotate < 2; rotate++) {
		fixture_open(fix, rotate); // with 1 each line gets a file of its own
		fixture_start(fix, rotate ? "spn_c" : "spn_a");
		fixture_start(fix, "spn_b");
		fixture_complete(fix, rotate ? "spn_c" : "spn_a");
		fixture_complete(fix, "spn_b");

		AUTO(value_free) json_t *lines = read_span(fix, rotate ? "spn_c" : "spn_a");

		assert_int_equal(json_array_size(lines), 2);
		assert_string_equal(member(lines, 0, "event_type"), "command_start");
		assert_string_equal(member(lines, 1, "event_type"), "command_complete");
		assert_non_null(member(lines, 0, "prev"));
		fixture_close(fix);
	}
}

static void an_unknown_span_has_no_lines(void **state)
{
	struct fixture *fix = *state;
	AUTO(value_free) json_t *before = read_span(fix, "spn_a");

	assert_int_equal(json_array_size(before), 0);
	fixture_open(fix, 0);
	fixture_start(fix, "spn_a");

	AUTO(value_free) json_t *lines = read_span(fix, "spn_");

	assert_int_equal(json_array_size(lines), 0);
}

/** A file with one line of this time and span. */
static void write_file(const struct fixture *fix, const char *name, const char *ts,
		       const char *span_id)
{
	AUTO(buf_done) struct buf line = {0};

	buf_addf(&line, "{\"ts\":\"%s.000000Z\",\"event_type\":\"set_aside\",\"span_id\":\"%s\"}\n",
		 ts, span_id);
	fixture_write(fix, name, line.data, line.len);
}

static void files_from_long_before_a_span_are_not_read(void **state)
{
	static const char id[] = "spn_018bcfe5-6800-7000-8000-000000000000"; // 2023-11-14T22:13:20
	struct fixture *fix = *state;
	struct error err = {0};
	json_t *none = NULL;

	assert_int_equal(symlinkat("x", fix->dirfd, "trace.jsonl.1"), 0); // must not be opened
	write_file(fix, "trace.jsonl.2", "2023-11-14T21:10:00", id); // its end may be close enough
	write_file(fix, "trace.jsonl.3", "2023-11-14T21:20:00", id);
	write_file(fix, "trace.jsonl.4", "2023-11-15T00:00:00", "spn_a");
	write_file(fix, "trace.jsonl", "2023-11-16T00:00:00", id);

	AUTO(value_free) json_t *lines = read_span(fix, id);

	assert_int_equal(json_array_size(lines), 3);
	assert_string_equal(member(lines, 0, "ts"), "2023-11-14T21:10:00.000000Z");
	assert_string_equal(member(lines, 2, "ts"), "2023-11-16T00:00:00.000000Z");
	assert_int_equal(trace_read_span(fix->dirfd, "spn_a", &none, &err), -EPERM);
	assert_null(none);

	// The same for a list since a time.
	const struct trace_read_filter since = {.since_ns = 1700100000ULL * 1000000000};

	expect_ids(fix, &since, "");
	assert_int_equal(trace_read_list(fix->dirfd, &(struct trace_read_filter){0}, &none, &err),
			 -EPERM);
}

static void the_list_has_the_newest_first_and_merges(void **state)
{
	struct fixture *fix = *state;
	const struct trace_read_filter all = {0};

	for (uint64_t rotate = 0; rotate < 2; rotate++) {
		fixture_open(fix, rotate);
		fixture_start(fix, "spn_1");
		fixture_start(fix, "spn_2");
		fixture_complete(fix, "spn_1");
		fixture_start(fix, "spn_3");
		fixture_complete(fix, "spn_3");

		AUTO(value_free) json_t *list = read_list(fix, &all);

		assert_string_equal(member(list, 0, "span_id"), "spn_3");
		assert_string_equal(member(list, 0, "status"), "ok");
		assert_string_equal(member(list, 0, "event_type"), "command_complete");
		assert_string_equal(member(list, 1, "span_id"), "spn_2");
		assert_string_equal(member(list, 1, "status"), "running");
		assert_string_equal(member(list, 1, "event_type"), "command_start");
		assert_string_equal(member(list, 2, "span_id"), "spn_1");
		assert_string_equal(member(list, 2, "status"), "ok");
		assert_null(member(list, 2, "prev"));
		if (!rotate) {
			assert_int_equal(json_array_size(list), 3);
			assert_string_equal(member(list, 2, "ts"), "2023-11-14T22:13:20.000000Z");
		}
		fixture_complete(fix, "spn_2");
		fixture_close(fix);
	}
}

static void the_list_can_be_narrowed(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};
	char name[ID_SIZE];

	for (uint64_t rotate = 0; rotate < 2; rotate++) {
		char prefix = rotate ? 'b' : 'a';

		fix->clock_ns = (1700000000ULL + rotate * 1000000) * 1000000000;
		fixture_open(fix, rotate);
		for (int i = 0; i < 4; i++) {
			const char *agent = i % 2 ? "claude" : "human";

			(void)snprintf(name, sizeof(name), "spn_%c%d", prefix, i);
			assert_int_equal(
				fixture_try_event(fix, SPAN_COMMAND_START, name, agent, &err), 0);
			if (i < 3)
				fixture_complete(fix, name);
		}
		fixture_close(fix);
	}
	// The second open closed spn_a3 as lost.
	expect_ids(fix, &(struct trace_read_filter){.agent = "claude", .limit = 2},
		   "spn_b3 spn_b1 ");
	expect_ids(fix, &(struct trace_read_filter){.status = "running"}, "spn_b3 ");
	expect_ids(fix, &(struct trace_read_filter){.status = "lost"}, "spn_a3 ");
	expect_ids(fix, &(struct trace_read_filter){.since_ns = 1701000002ULL * 1000000000},
		   "spn_b3 spn_b2 spn_b1 ");
	expect_ids(fix, &(struct trace_read_filter){.limit = 6},
		   "spn_b3 spn_b2 spn_b1 spn_b0 spn_a3 spn_a2 ");
	expect_ids(fix, &(struct trace_read_filter){.agent = "nobody"}, "");
}

static void fifty_are_listed_by_default(void **state)
{
	struct fixture *fix = *state;
	char name[ID_SIZE];

	fixture_open(fix, 0);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "spn_%d", i);
		fixture_start(fix, name);
	}

	AUTO(value_free) json_t *list = read_list(fix, &(struct trace_read_filter){0});

	assert_int_equal(json_array_size(list), 50);
	assert_string_equal(member(list, 49, "span_id"), "spn_10");
}

static void damaged_lines_are_passed_over(void **state)
{
	static const char text[] =
		"\n{}\nnonsense\n{\"event_type\":\"command_start\",\"span_id\":\"spn_1\",x\n"
		"{\"event_type\":\"command_start\",\"span_id\":\"spn_2\",\"b\":1}\n"
		"{\"event_type\":\"command_complete\",\"span_id\":\"spn_2\",\"status\":\"ok\"}\n"
		"{\"event_type\":\"command_complete\",\"span_id\":\"spn_2\",\"status\":\"ok\"}\n"
		"{\"event_type\":\"command_complete\",\"span_id\":\"spn_9\",\"status\":\"ok\"}\n"
		"{\"event_type\":\"command_start\",\"span_id\":\"spn_3\"}\n"
		"{\"event_type\":\"command_complete\",\"span_id\":\"spn_3\",\"status\":7,\"a\":[\n"
		"{\"event_type\":\"command_start\",\"span_id\":\"spn_4\"";
	struct fixture *fix = *state;

	fixture_write(fix, "trace.jsonl", text, sizeof(text) - 1);
	expect_ids(fix, &(struct trace_read_filter){0}, "spn_3 spn_2 ");

	AUTO(value_free) json_t *lines = read_span(fix, "spn_1");

	assert_int_equal(json_array_size(lines), 0);
}

static void a_snapshot_sees_a_file_that_is_rotated_meanwhile_once(void **state)
{
	struct fixture *fix = *state;
	AUTO(trace_files_done) struct trace_files files = {.current = -1};
	struct error err = {0};
	char name[TRACE_FILES_NAME_SIZE];

	fixture_write(fix, "trace.jsonl.1", "one\n", 4);
	fixture_write(fix, "trace.jsonl.10", "ten\n", 4);
	fixture_write(fix, "trace.jsonl.2", "two\n", 4);
	fixture_write(fix, "trace.jsonl", "now\n", 4);
	assert_int_equal(linkat(fix->dirfd, "trace.jsonl", fix->dirfd, "trace.jsonl.11", 0), 0);
	fixture_write(fix, "trace.jsonl.12", "later\n", 6);
	assert_int_equal(trace_files_snap(fix->dirfd, &files, &err), 0);
	assert_int_equal(trace_files_total(&files), 4);
	trace_files_name_at(&files, 0, name);
	assert_string_equal(name, "trace.jsonl.1");
	trace_files_name_at(&files, 1, name);
	assert_string_equal(name, "trace.jsonl.2");
	trace_files_name_at(&files, 2, name);
	assert_string_equal(name, "trace.jsonl.10");
	trace_files_name_at(&files, 3, name);
	assert_string_equal(name, "trace.jsonl.11");
}

static void only_canonical_numbers_are_files_of_the_trace(void **state)
{
	(void)state;
	assert_int_equal(trace_files_seq("trace.jsonl.1"), 1);
	assert_int_equal(trace_files_seq("trace.jsonl.999999999"), TRACE_FILES_SEQ_MAX);
	assert_int_equal(trace_files_seq("trace.jsonl"), 0);
	assert_int_equal(trace_files_seq("trace.jsonl."), 0);
	assert_int_equal(trace_files_seq("trace.jsonl.0"), 0);
	assert_int_equal(trace_files_seq("trace.jsonl.01"), 0);
	assert_int_equal(trace_files_seq("trace.jsonl.1x"), 0);
	assert_int_equal(trace_files_seq("trace.jsonl.-1"), 0);
	assert_int_equal(trace_files_seq("trace.jsonl.1000000000"), 0);
	assert_int_equal(trace_files_seq("xtrace.jsonl.1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_lines_of_a_span_come_in_order),
		FIXTURE_TEST(an_unknown_span_has_no_lines),
		FIXTURE_TEST(files_from_long_before_a_span_are_not_read),
		FIXTURE_TEST(the_list_has_the_newest_first_and_merges),
		FIXTURE_TEST(the_list_can_be_narrowed),
		FIXTURE_TEST(fifty_are_listed_by_default),
		FIXTURE_TEST(damaged_lines_are_passed_over),
		FIXTURE_TEST(a_snapshot_sees_a_file_that_is_rotated_meanwhile_once),
		cmocka_unit_test(only_canonical_numbers_are_files_of_the_trace),
	};

	return cmocka_run_group_tests_name("trace/trace_read", tests, NULL, NULL);
}

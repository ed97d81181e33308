// SPDX-License-Identifier: Apache-2.0
#include "hash/sha256.h"
#include "trace/trace_line.h"
#include "trace_fixture.h"

#include <inttypes.h>
#include <sys/wait.h>

#define LINES 6

/** A trace of six lines, closed, cut into its lines. */
struct sample {
	char *text; /**< Owned. */
	char *line[LINES + 1];
	char head[65];
};

static void sample_donep(struct sample *sample)
{
	free(sample->text);
}

static void sample_make(struct fixture *fix, struct sample *ret)
{
	fixture_open(fix, 0);
	for (int i = 0; i < LINES / 2; i++) {
		char name[ID_SIZE];

		(void)snprintf(name, sizeof(name), "spn_%d", i);
		fixture_start(fix, name);
		fixture_complete(fix, name);
	}
	memcpy(ret->head, trace_head(fix->trace), sizeof(ret->head));
	fixture_close(fix);
	ret->text = fixture_read(fix, "trace.jsonl");
	ret->line[0] = ret->text;
	for (int i = 1; i <= LINES; i++)
		ret->line[i] = strchr(ret->line[i - 1], '\n') + 1;
}

/** Write the lines with these numbers (counted from 0, ended by -1). */
static void write_lines(const struct fixture *fix, const struct sample *sample, const int *order)
{
	AUTO(buf_done) struct buf text = {0};

	buf_adds(&text, "");
	for (; *order >= 0; order++) {
		buf_add(&text, sample->line[*order],
			(size_t)(sample->line[*order + 1] - sample->line[*order]));
	}
	fixture_write(fix, "trace.jsonl", text.data, text.len);
}

static void expect_damage(const struct fixture *fix, const char *head, enum trace_damage damage,
			  const char *file, uint64_t line)
{
	struct trace_verify_result result = fixture_verify(fix, head);

	assert_false(result.intact);
	assert_string_equal(trace_verify_name(result.damage), trace_verify_name(damage));
	assert_string_equal(result.file, file);
	assert_int_equal(result.line, line);
	assert_int_equal(result.damages, 1);
	assert_true(result.what[0]);
}

static void what_was_written_is_intact(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);

	struct trace_verify_result result = fixture_verify(fix, sample.head);

	assert_true(result.intact);
	assert_int_equal(result.damage, TRACE_DAMAGE_NONE);
	assert_int_equal(result.lines, LINES);
	assert_string_equal(result.head, sample.head);
	assert_string_equal(result.file, "");
}

static void an_empty_trace_is_intact(void **state)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	struct fixture *fix = *state;

	assert_true(fixture_verify(fix, NULL).intact);
	fixture_open(fix, 0);
	assert_true(fixture_verify(fix, NULL).intact);
	assert_true(fixture_verify(fix, trace_head(fix->trace)).intact);
	fixture_start(fix, "spn_1");
	assert_true(fixture_verify(fix, zeros).intact);
	assert_string_equal(fixture_verify(fix, NULL).head, trace_head(fix->trace));
}

static void every_earlier_head_is_still_part_of_it(void **state)
{
	struct fixture *fix = *state;
	char heads[4][65];

	fixture_open(fix, 1);
	for (int i = 0; i < 4; i++) {
		fixture_event(fix, i % 2 ? SPAN_COMMAND_COMPLETE : SPAN_COMMAND_START, "spn_1");
		memcpy(heads[i], trace_head(fix->trace), sizeof(heads[i]));
	}
	for (int i = 0; i < 4; i++)
		assert_true(fixture_verify(fix, heads[i]).intact);
	heads[0][5] = heads[0][5] == 'a' ? 'b' : 'a';
	expect_damage(fix, heads[0], TRACE_DAMAGE_HEAD, "", 0);
}

static void every_edited_byte_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);

	size_t len = strlen(sample.text);

	for (size_t i = 0; i < len; i++) {
		sample.text[i] ^= 1;
		fixture_write(fix, "trace.jsonl", sample.text, len);
		sample.text[i] ^= 1;

		struct trace_verify_result result = fixture_verify(fix, sample.head);

		if (result.intact || result.damage == TRACE_DAMAGE_NONE)
			fail_msg("a change of byte %zu was not found", i);
	}
}

static void an_edited_line_is_named(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	*strstr(sample.line[2], "human") = 'H';
	fixture_write(fix, "trace.jsonl", sample.text, strlen(sample.text));
	expect_damage(fix, NULL, TRACE_DAMAGE_WRONG_PREV, "trace.jsonl", 4);
}

static void an_edited_last_line_needs_a_noted_head(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	*strstr(sample.line[LINES - 1], "human") = 'H';
	fixture_write(fix, "trace.jsonl", sample.text, strlen(sample.text));
	assert_true(fixture_verify(fix, NULL).intact);
	expect_damage(fix, sample.head, TRACE_DAMAGE_HEAD, "", 0);
}

static void a_removed_line_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	write_lines(fix, &sample, (const int[]){0, 1, 3, 4, 5, -1});
	expect_damage(fix, sample.head, TRACE_DAMAGE_WRONG_PREV, "trace.jsonl", 3);
	write_lines(fix, &sample, (const int[]){1, 2, 3, 4, 5, -1});
	expect_damage(fix, sample.head, TRACE_DAMAGE_WRONG_PREV, "trace.jsonl", 1);
}

static void a_line_put_in_twice_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	write_lines(fix, &sample, (const int[]){0, 1, 1, 2, 3, 4, 5, -1});
	expect_damage(fix, sample.head, TRACE_DAMAGE_WRONG_PREV, "trace.jsonl", 3);
}

static void a_forged_line_in_between_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};
	AUTO(buf_done) struct buf text = {0};
	char hash[SHA256_HEX_SIZE];
	size_t len;

	sample_make(fix, &sample);
	len = (size_t)(sample.line[1] - sample.line[0]);
	assert_int_equal(sha256_hex(sample.line[0], len - 1, hash), 0);
	buf_add(&text, sample.line[0], len);
	buf_addf(&text, "{\"forged\":1,\"prev\":\"%s\"}\n", hash); // its own prev is right
	buf_adds(&text, sample.line[1]);
	fixture_write(fix, "trace.jsonl", text.data, text.len);
	expect_damage(fix, sample.head, TRACE_DAMAGE_WRONG_PREV, "trace.jsonl", 3);
}

static void changed_order_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	write_lines(fix, &sample, (const int[]){0, 2, 1, 3, 4, 5, -1});

	struct trace_verify_result result = fixture_verify(fix, sample.head);

	assert_int_equal(result.damage, TRACE_DAMAGE_WRONG_PREV);
	assert_int_equal(result.line, 2);
	assert_int_equal(result.damages, 3); // at both lines, and at the one behind them
}

static void a_cut_end_needs_a_noted_head(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	write_lines(fix, &sample, (const int[]){0, 1, 2, 3, -1});
	assert_true(fixture_verify(fix, NULL).intact);
	expect_damage(fix, sample.head, TRACE_DAMAGE_HEAD, "", 0);
	write_lines(fix, &sample, (const int[]){-1});
	expect_damage(fix, sample.head, TRACE_DAMAGE_HEAD, "", 0);
}

static void a_torn_end_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	fixture_write(fix, "trace.jsonl", sample.text, strlen(sample.text) - 1);
	expect_damage(fix, NULL, TRACE_DAMAGE_TORN, "trace.jsonl", LINES);
}

static void what_is_not_json_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	memcpy(sample.line[LINES - 1], "[", 1);
	fixture_write(fix, "trace.jsonl", sample.text, strlen(sample.text));
	expect_damage(fix, NULL, TRACE_DAMAGE_NOT_JSON, "trace.jsonl", LINES);
	memset(sample.line[LINES - 1], 0, 20);
	fixture_write(fix, "trace.jsonl", sample.text, (size_t)(sample.line[LINES] - sample.text));
	expect_damage(fix, NULL, TRACE_DAMAGE_NOT_JSON, "trace.jsonl", LINES);
}

static void a_line_without_prev_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};

	sample_make(fix, &sample);
	memcpy(strstr(sample.line[LINES - 1], "prev"), "next", 4);
	fixture_write(fix, "trace.jsonl", sample.text, strlen(sample.text));
	expect_damage(fix, NULL, TRACE_DAMAGE_NO_PREV, "trace.jsonl", LINES);
}

static void a_line_that_is_too_long_is_found(void **state)
{
	struct fixture *fix = *state;
	AUTO(sample_done) struct sample sample = {0};
	AUTO(buf_done) struct buf text = {0};

	sample_make(fix, &sample);
	buf_add(&text, sample.text, (size_t)(sample.line[1] - sample.text));
	while (text.len < TRACE_LINE_MAX + 4096)
		buf_adds(&text, "                                                                ");
	buf_addc(&text, '\n');
	buf_adds(&text, sample.line[1]);
	fixture_write(fix, "trace.jsonl", text.data, text.len);
	expect_damage(fix, NULL, TRACE_DAMAGE_NOT_JSON, "trace.jsonl", 2);
}

static void a_missing_file_is_named(void **state)
{
	struct fixture *fix = *state;
	char head[65];

	fixture_open(fix, 1);
	for (int i = 0; i < 5; i++)
		fixture_event(fix, i % 2 ? SPAN_COMMAND_COMPLETE : SPAN_COMMAND_START, "spn_1");
	memcpy(head, trace_head(fix->trace), sizeof(head));
	assert_true(fixture_exists(fix, "trace.jsonl.4"));
	for (uint32_t i = 1; i <= 4; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "trace.jsonl.%u", i);
		assert_int_equal(renameat(fix->dirfd, name, fix->dirfd, "away"), 0);
		expect_damage(fix, head, TRACE_DAMAGE_MISSING_FILE, name, 0);
		assert_int_equal(renameat(fix->dirfd, "away", fix->dirfd, name), 0);
	}
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl.2", 0), 0);
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl.3", 0), 0);
	expect_damage(fix, head, TRACE_DAMAGE_MISSING_FILE, "trace.jsonl.2", 0);
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl", 0), 0);
	assert_int_equal(fixture_verify(fix, head).damages, 2); // and the head is gone
}

static void files_that_changed_places_are_found(void **state)
{
	struct fixture *fix = *state;

	fixture_open(fix, 1);
	for (int i = 0; i < 5; i++)
		fixture_event(fix, i % 2 ? SPAN_COMMAND_COMPLETE : SPAN_COMMAND_START, "spn_1");
	assert_int_equal(renameat(fix->dirfd, "trace.jsonl.2", fix->dirfd, "away"), 0);
	assert_int_equal(renameat(fix->dirfd, "trace.jsonl.3", fix->dirfd, "trace.jsonl.2"), 0);
	assert_int_equal(renameat(fix->dirfd, "away", fix->dirfd, "trace.jsonl.3"), 0);

	struct trace_verify_result result = fixture_verify(fix, NULL);

	assert_false(result.intact);
}

static void a_file_that_is_not_ours_is_named(void **state)
{
	struct fixture *fix = *state;

	fixture_open(fix, 1);
	fixture_start(fix, "spn_1");
	fixture_complete(fix, "spn_1");
	assert_int_equal(renameat(fix->dirfd, "trace.jsonl.1", fix->dirfd, "kept"), 0);
	assert_int_equal(symlinkat("kept", fix->dirfd, "trace.jsonl.1"), 0);
	expect_damage(fix, NULL, TRACE_DAMAGE_UNREADABLE, "trace.jsonl.1", 0);
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl.1", 0), 0);
	assert_int_equal(mkfifoat(fix->dirfd, "trace.jsonl.1", 0600), 0); // must not block
	expect_damage(fix, NULL, TRACE_DAMAGE_UNREADABLE, "trace.jsonl.1", 0);
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl", 0), 0);
	assert_int_equal(symlinkat("kept", fix->dirfd, "trace.jsonl"), 0);
	expect_damage(fix, NULL, TRACE_DAMAGE_UNREADABLE, "trace.jsonl", 0);
}

/** In a child: write lines of many pages, and rotate now and then. */
static int write_many(struct fixture *fix)
{
	AUTO(buf_done) struct buf line = {0};
	struct error err = {0};

	if (fixture_try_open(fix, 2 << 20, &err) < 0)
		return 1;
	buf_adds(&line, "{\"event_type\":\"x\",\"span_id\":\"spn_1\",\"pad\":\"");
	for (int i = 0; i < 100000; i++)
		buf_addc(&line, 'a');
	buf_adds(&line, "\"}");
	for (int i = 0; i < 300; i++) {
		if (trace_append(fix->trace, line.data, line.len, &err) < 0)
			return 2;
	}
	return 0;
}

static void a_trace_that_is_being_written_is_intact(void **state)
{
	struct fixture *fix = *state;
	int status = 0;
	pid_t pid = fork();
	pid_t done = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_many(fix));
	while (done == 0) {
		struct trace_verify_result result;
		struct error err = {0};

		assert_int_equal(trace_verify(fix->dirfd, NULL, &result, &err), 0);
		if (!result.intact)
			fail_msg("%s:%" PRIu64 ": %s", result.file, result.line, result.what);
		done = waitpid(pid, &status, WNOHANG);
	}
	assert_int_equal(status, 0);
	assert_true(fixture_verify(fix, NULL).lines > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(what_was_written_is_intact),
		FIXTURE_TEST(an_empty_trace_is_intact),
		FIXTURE_TEST(every_earlier_head_is_still_part_of_it),
		FIXTURE_TEST(every_edited_byte_is_found),
		FIXTURE_TEST(an_edited_line_is_named),
		FIXTURE_TEST(an_edited_last_line_needs_a_noted_head),
		FIXTURE_TEST(a_removed_line_is_found),
		FIXTURE_TEST(a_line_put_in_twice_is_found),
		FIXTURE_TEST(a_forged_line_in_between_is_found),
		FIXTURE_TEST(changed_order_is_found),
		FIXTURE_TEST(a_cut_end_needs_a_noted_head),
		FIXTURE_TEST(a_torn_end_is_found),
		FIXTURE_TEST(what_is_not_json_is_found),
		FIXTURE_TEST(a_line_without_prev_is_found),
		FIXTURE_TEST(a_line_that_is_too_long_is_found),
		FIXTURE_TEST(a_missing_file_is_named),
		FIXTURE_TEST(files_that_changed_places_are_found),
		FIXTURE_TEST(a_file_that_is_not_ours_is_named),
		FIXTURE_TEST(a_trace_that_is_being_written_is_intact),
	};

	return cmocka_run_group_tests_name("trace/trace_verify", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/capture.h"
#include "unit.h"

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void output_is_kept_by_channel(void **state)
{
	AUTO(capture_done) struct capture capture = {0};
	AUTO(value_free) json_t *message = json_pack("{s:s, s:i}", "type", "exit", "exit", 3);

	(void)state;
	capture_add(&capture, 1, "a\0", 2);
	capture_add(&capture, 2, "e", 1);
	capture_add(&capture, 1, "b", 1);

	AUTO(value_free) json_t *object = capture_result(&capture, message);
	assert_string_equal(member(object, "stdout_b64"), "YQBi");
	assert_string_equal(member(object, "stderr_b64"), "ZQ==");
	assert_int_equal(json_integer_value(json_object_get(object, "exit")), 3);
	assert_null(json_object_get(object, "type"));
	assert_null(json_object_get(object, "stdout_truncated"));
	assert_string_equal(member(message, "type"), "exit"); // the message is as it was
}

static void no_output_is_an_empty_text(void **state)
{
	AUTO(capture_done) struct capture capture = {0};
	AUTO(value_free) json_t *message = json_pack("{s:s, s:i}", "type", "exit", "exit", 0);
	AUTO(value_free) json_t *object = capture_result(&capture, message);

	(void)state;
	assert_string_equal(member(object, "stdout_b64"), "");
	assert_string_equal(member(object, "stderr_b64"), "");
}

static void more_than_is_kept_is_told(void **state)
{
	AUTO(capture_done) struct capture capture = {0};
	AUTO(value_free) json_t *message = json_pack("{s:s, s:i}", "type", "exit", "exit", 0);
	AUTO(mem_free) char *block = calloc(1, CAPTURE_MAX);

	(void)state;
	assert_non_null(block);
	capture_add(&capture, 2, block, CAPTURE_MAX - 1);
	capture_add(&capture, 2, block, 1);
	assert_false(capture.truncated[1]);
	capture_add(&capture, 2, block, 1);
	assert_true(capture.truncated[1]);
	assert_int_equal(capture.output[1].len, CAPTURE_MAX);

	AUTO(value_free) json_t *object = capture_result(&capture, message);
	assert_true(json_is_true(json_object_get(object, "stderr_truncated")));
	assert_null(json_object_get(object, "stdout_truncated"));
}

static void a_program_that_is_not_there_is_a_result(void **state)
{
	AUTO(capture_done) struct capture capture = {0};
	AUTO(value_free)
	json_t *message = json_pack("{s:s, s:i, s:s, s:s}", "type", "problem", "exit", 127,
				    "detail", "no such program", "span_id", "spn_1");
	AUTO(value_free) json_t *object = capture_result(&capture, message);
	static const char *const members[] = {
		"exit",        "signal",   "span_id",     "stdout_b64", "stderr_b64",
		"scopes_used", "fs_diff",  "denials",     "status",     "layer",
		"duration_ms", "world_id", "world_reused"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		assert_non_null(json_object_get(object, members[i]));
	assert_string_equal(member(object, "status"), "not_found");
	assert_string_equal(member(object, "error"), "no such program");
	assert_string_equal(member(object, "span_id"), "spn_1");
	assert_int_equal(json_integer_value(json_object_get(object, "exit")), 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_kept_by_channel),
		cmocka_unit_test(no_output_is_an_empty_text),
		cmocka_unit_test(more_than_is_kept_is_told),
		cmocka_unit_test(a_program_that_is_not_there_is_a_result),
	};

	return cmocka_run_group_tests_name("cli/capture", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/str.h"
#include "unit.h"
#include "json/decode.h"

#include <errno.h>

/** One field of each kind. */
struct thing {
	char *cwd;
	bool pty;
	int64_t timeout_ms, any;
	json_t *object, *array;
	struct strv argv, env;
};

static const struct decode_field fields[] = {
	{.name = "cwd",
	 .kind = DECODE_STRING,
	 .required = true,
	 .offset = offsetof(struct thing, cwd)},
	{.name = "pty", .kind = DECODE_BOOL, .offset = offsetof(struct thing, pty)},
	{.name = "timeout_ms",
	 .kind = DECODE_INT,
	 .offset = offsetof(struct thing, timeout_ms),
	 .min = 1,
	 .max = 99},
	{.name = "any", .kind = DECODE_INT, .offset = offsetof(struct thing, any)},
	{.name = "object", .kind = DECODE_OBJECT, .offset = offsetof(struct thing, object)},
	{.name = "array", .kind = DECODE_ARRAY, .offset = offsetof(struct thing, array)},
	{.name = "argv", .kind = DECODE_STRING_ARRAY, .offset = offsetof(struct thing, argv)},
	{.name = "env", .kind = DECODE_STRING_MAP, .offset = offsetof(struct thing, env)},
};

static int decode_thing(const char *text, struct thing *thing, struct error *err)
{
	AUTO(value_free) json_t *value = NULL;

	assert_int_equal(decode_text(text, strlen(text), 100000, &value, err), 0);
	return decode_object(value, fields, ARRAY_LEN(fields), thing, err);
}

static void every_kind_of_field_is_read(void **state)
{
	struct thing thing = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
		decode_thing("{\"cwd\": \"/x\", \"pty\": true, \"timeout_ms\": 99,"
			     " \"any\": -9223372036854775808, \"object\": {\"k\": 1},"
			     " \"array\": [2], \"argv\": [\"a\", {\"b64\": \"/w==\"}, \"\"],"
			     " \"env\": {\"A\": \"1=2\", \"B\": {\"b64\": \"/g==\"}}}",
			     &thing, &err),
		0);
	assert_string_equal(thing.cwd, "/x");
	assert_true(thing.pty);
	assert_int_equal(thing.timeout_ms, 99);
	assert_true(thing.any == INT64_MIN);
	assert_int_equal(json_integer_value(json_object_get(thing.object, "k")), 1);
	assert_int_equal(json_array_size(thing.array), 1);
	assert_int_equal(thing.argv.count, 3);
	assert_string_equal(thing.argv.items[0], "a");
	assert_string_equal(thing.argv.items[1], "\xff");
	assert_string_equal(thing.argv.items[2], "");
	assert_int_equal(thing.env.count, 2);
	assert_string_equal(strv_env(&thing.env, "A"), "1=2");
	assert_string_equal(strv_env(&thing.env, "B"), "\xfe");
	decode_done(fields, ARRAY_LEN(fields), &thing);
	assert_null(thing.cwd);
	assert_null(thing.object);
	assert_int_equal(thing.argv.count, 0);
	decode_done(fields, ARRAY_LEN(fields), &thing); // a second time is fine
}

static void what_is_missing_or_null_keeps_its_default(void **state)
{
	struct thing thing = {.pty = true, .timeout_ms = 7};
	struct error err = {0};

	(void)state;
	assert_int_equal(
		decode_thing("{\"cwd\": \"\", \"timeout_ms\": null, \"argv\": null}", &thing, &err),
		0);
	assert_string_equal(thing.cwd, "");
	assert_true(thing.pty);
	assert_int_equal(thing.timeout_ms, 7);
	assert_null(thing.argv.items);
	decode_done(fields, ARRAY_LEN(fields), &thing);
}

static void what_does_not_fit_is_named(void **state)
{
	static const char *const rows[][2] = {
		{"[]", "expected an object"},
		{"{}", "field 'cwd' is missing"},
		{"{\"cwd\": null}", "field 'cwd': expected a string"},
		{"{\"cwd\": 5}", "field 'cwd': expected a string"},
		{"{\"cwd\": \"\", \"pty\": 1}", "field 'pty': expected true or false"},
		{"{\"cwd\": \"\", \"timeout_ms\": 0}",
		 "field 'timeout_ms': 0 is not between 1 and 99"},
		{"{\"cwd\": \"\", \"timeout_ms\": 100}",
		 "field 'timeout_ms': 100 is not between 1 and 99"},
		{"{\"cwd\": \"\", \"timeout_ms\": 5.0}", "field 'timeout_ms': expected an integer"},
		{"{\"cwd\": \"\", \"timeout_ms\": \"5\"}",
		 "field 'timeout_ms': expected an integer"},
		{"{\"cwd\": \"\", \"object\": []}", "field 'object': expected an object"},
		{"{\"cwd\": \"\", \"array\": {}}", "field 'array': expected an array"},
		{"{\"cwd\": \"\", \"argv\": \"x\"}", "field 'argv': expected an array of strings"},
		{"{\"cwd\": \"\", \"argv\": [\"a\", 1]}",
		 "field 'argv': item 2: expected a string"},
		{"{\"cwd\": \"\", \"argv\": [\"a\", null]}",
		 "field 'argv': item 2: expected a string"},
		{"{\"cwd\": \"\", \"env\": []}", "field 'env': expected an object of strings"},
		{"{\"cwd\": \"\", \"env\": {\"A\": 1}}", "field 'env': 'A': expected a string"},
		{"{\"cwd\": \"\", \"env\": {\"\": \"\"}}", "field 'env': '' is not a name"},
		{"{\"cwd\": \"\", \"env\": {\"A=B\": \"\"}}", "field 'env': 'A=B' is not a name"},
		{"{\"cwd\": {}}", "field 'cwd': expected a string"},
		{"{\"cwd\": {\"b64\": 1}}", "field 'cwd': expected a string"},
		{"{\"cwd\": {\"b64\": \"\", \"x\": 1}}", "field 'cwd': expected a string"},
		{"{\"cwd\": {\"b64\": \"a\"}}", "field 'cwd': 'b64' is not base64"},
		{"{\"cwd\": {\"b64\": \"YQBi\"}}", "field 'cwd': has a NUL in it"},
		{"{\"cwd\": \"\", \"CWD\": 1}", "unknown field 'CWD'; allowed: cwd, pty, "
						"timeout_ms, any, object, array, argv, env"},
		{"{\"cwd\": \"\", \"\\u001b[2J\": 1}",
		 "unknown field '\\x1b[2J'; allowed: cwd, pty, timeout_ms, any, object, array, "
		 "argv, env"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct thing thing = {0};
		struct error err = {0};

		assert_int_equal(decode_thing(rows[i][0], &thing, &err), -EINVAL);
		assert_string_equal(err.msg, rows[i][1]);
	}
}

static void a_failure_leaves_nothing_owned(void **state)
{
	struct thing thing = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(decode_thing("{\"cwd\": \"/x\", \"object\": {}, \"array\": [],"
				      " \"argv\": [\"a\"], \"env\": {\"A\": \"1\", \"B\": 2}}",
				      &thing, &err),
			 -EINVAL);
	assert_null(thing.cwd);
	assert_null(thing.object);
	assert_null(thing.array);
	assert_null(thing.argv.items);
	assert_null(thing.env.items);
}

static void a_string_with_a_nul_is_refused(void **state)
{
	AUTO(value_free) json_t *value = json_stringn("a\0b", 3);
	char *text = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(decode_string(value, &text, &err), -EINVAL);
	assert_string_equal(err.msg, "has a NUL in it");
	assert_null(text);
	assert_int_equal(decode_string(NULL, &text, &err), -EINVAL);
}

static void an_object_without_fields_must_be_empty(void **state)
{
	AUTO(value_free) json_t *value = json_object();
	struct error err = {0};

	(void)state;
	assert_int_equal(decode_object(value, NULL, 0, NULL, &err), 0);
	assert_int_equal(json_object_set_new(value, "x", json_null()), 0);
	assert_int_equal(decode_object(value, NULL, 0, NULL, &err), -EINVAL);
	assert_string_equal(err.msg, "unknown field 'x'; allowed: none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_field_is_read),
		cmocka_unit_test(what_is_missing_or_null_keeps_its_default),
		cmocka_unit_test(what_does_not_fit_is_named),
		cmocka_unit_test(a_failure_leaves_nothing_owned),
		cmocka_unit_test(a_string_with_a_nul_is_refused),
		cmocka_unit_test(an_object_without_fields_must_be_empty),
	};

	return cmocka_run_group_tests_name("json/decode", tests, NULL, NULL);
}

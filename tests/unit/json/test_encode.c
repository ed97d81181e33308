// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "unit.h"
#include "json/decode.h"
#include "json/encode.h"

/** Print `value`, which is dropped, and compare. */
static void assert_prints(json_t *value, const char *expected)
{
	AUTO(buf_done) struct buf buf = {0};

	assert_non_null(value);
	encode_print(value, &buf);
	json_decref(value);
	assert_false(buf.failed);
	assert_string_equal(buf.data, expected);
}

static void text_stays_text_and_other_bytes_become_base64(void **state)
{
	(void)state;
	assert_prints(encode_bytes("", 0), "\"\"");
	assert_prints(encode_bytes("a\xc3\xa4\n\"\\/", 7), "\"a\xc3\xa4\\n\\\"\\\\/\"");
	assert_prints(encode_bytes("\xff", 1), "{\"b64\":\"/w==\"}");
	assert_prints(encode_bytes("a\0b", 3), "{\"b64\":\"YQBi\"}");
	assert_prints(encode_bytes("\xed\xa0\x80", 3), "{\"b64\":\"7aCA\"}");
	assert_prints(encode_string("x"), "\"x\"");
	assert_prints(encode_string(NULL), "null");
}

static void lists_become_arrays(void **state)
{
	AUTO(strv_done) struct strv list = {0};

	(void)state;
	assert_prints(encode_strings(&list), "[]");
	assert_int_equal(strv_add(&list, "a"), 0);
	assert_int_equal(strv_add(&list, "\xfe"), 0);
	assert_prints(encode_strings(&list), "[\"a\",{\"b64\":\"/g==\"}]");
}

static void members_keep_their_order_on_one_line(void **state)
{
	(void)state;
	assert_prints(json_pack("{s:i, s:[b, n], s:s}", "z", 1, "a", 1, "m", "x\ny"),
		      "{\"z\":1,\"a\":[true,null],\"m\":\"x\\ny\"}");
}

static void printing_appends(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(value_free) json_t *value = json_integer(7);

	(void)state;
	buf_adds(&buf, "n=");
	encode_print(value, &buf);
	assert_string_equal(buf.data, "n=7");
}

static void what_cannot_be_printed_fails_the_buffer(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(value_free) json_t *outer = json_array();
	json_t *inner = json_array();

	(void)state;
	encode_print(NULL, &buf);
	assert_true(buf.failed);
	buf_done(&buf);

	assert_int_equal(json_array_append(outer, inner), 0);
	assert_int_equal(json_array_append(inner, outer), 0);
	encode_print(outer, &buf); // a circle
	assert_true(buf.failed);
	assert_int_equal(json_array_clear(inner), 0);
	json_decref(inner);
}

static void every_byte_string_survives_the_round(void **state)
{
	AUTO(strv_done) struct strv list = {0};

	(void)state;
	for (int i = 1; i < 256; i++)
		assert_int_equal(strv_take(&list, str_format("%cx%c", i, 256 - i)), 0);

	AUTO(value_free) json_t *value = encode_strings(&list);
	AUTO(value_free) json_t *again = NULL;
	AUTO(buf_done) struct buf buf = {0};
	AUTO(strv_done) struct strv back = {0};
	struct error err = {0};

	encode_print(value, &buf);
	assert_int_equal(decode_text(buf.data, buf.len, buf.len, &again, &err), 0);
	assert_int_equal(decode_strings(again, &back, &err), 0);
	assert_int_equal(back.count, list.count);
	for (size_t i = 0; i < list.count; i++)
		assert_string_equal(back.items[i], list.items[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_text_and_other_bytes_become_base64),
		cmocka_unit_test(lists_become_arrays),
		cmocka_unit_test(members_keep_their_order_on_one_line),
		cmocka_unit_test(printing_appends),
		cmocka_unit_test(what_cannot_be_printed_fails_the_buffer),
		cmocka_unit_test(every_byte_string_survives_the_round),
	};

	return cmocka_run_group_tests_name("json/encode", tests, NULL, NULL);
}

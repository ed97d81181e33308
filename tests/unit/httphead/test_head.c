// SPDX-License-Identifier: Apache-2.0
#include "httphead/head.h"

#include "base/buf.h"
#include "base/error.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static int parse(const char *text, struct head *ret)
{
	struct error err = {0};
	int r = head_parse(text, strlen(text), ret, &err);

	assert_int_equal(r < 0 ? err.code : 0, r < 0 ? -r : 0);
	return r;
}

static void a_head_is_taken_apart(void **state)
{
	struct head head;
	const char text[] = "HTTP/1.1 200 OK\r\nContent-Type:  a/b \t\r\nX:\r\n"
			    "content-length: 12\r\n\r\nbody";

	(void)state;
	assert_int_equal(parse(text, &head), 0);
	assert_int_equal(head.status, 200);
	assert_int_equal(head.nfields, 3);
	assert_true(head.has_length);
	assert_int_equal(head.length, 12);
	assert_string_equal(text + head.size, "body");

	const struct head_field *field = head_find(&head, "CONTENT-TYPE");

	assert_non_null(field);
	assert_int_equal(field->value_len, 3);
	assert_memory_equal(field->value, "a/b", 3);
	assert_int_equal(head_find(&head, "x")->value_len, 0);
	assert_null(head_find(&head, "Content"));
}

static void every_prefix_of_a_head_needs_more(void **state)
{
	const char text[] = "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n";
	struct error err = {0};
	struct head head;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(head_parse(text, len, &head, &err), HEAD_MORE);
	assert_int_equal(head_parse(text, sizeof(text) - 1, &head, &err), 0);
	assert_int_equal(head.size, sizeof(text) - 1);
}

static void a_status_line_without_reason_or_fields_is_enough(void **state)
{
	struct head head;

	(void)state;
	assert_int_equal(parse("HTTP/1.0 204\r\n\r\n", &head), 0);
	assert_int_equal(head.status, 204);
	assert_int_equal(head.nfields, 0);
	assert_false(head.has_length);
}

static void what_is_no_head_is_refused(void **state)
{
	static const char *const bad[] = {
		"\r\n\r\n",
		"HTTP/2 200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000\r\n\r\n",
		"HTTP/1.1 099 no\r\n\r\n",
		"HTTP/1.1 600 no\r\n\r\n",
		"HTTP/1.1 -20 no\r\n\r\n",
		"HTTP/1.1200 OK\r\n\r\n",
		"http/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\n: empty name\r\n\r\n",
		"HTTP/1.1 200 OK\r\nblank : before colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: bare\nlf\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: bare\rcr\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: \x7f\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	struct head head = {.status = 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i], &head) != -EPROTO)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(head.status, 7); // written on success only
}

static void a_nul_in_a_field_is_refused(void **state)
{
	const char text[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n";
	struct error err = {0};
	struct head head;

	(void)state;
	assert_int_equal(head_parse(text, sizeof(text) - 1, &head, &err), -EPROTO);
}

static void limits_hold(void **state)
{
	AUTO(buf_done) struct buf text = {0};
	AUTO(buf_done) struct buf many = {0};
	struct error err = {0};
	struct head head;

	(void)state;
	buf_adds(&text, "HTTP/1.1 200 OK\r\nA: ");
	while (text.len < HEAD_SIZE_MAX - 4)
		buf_addc(&text, 'a');
	assert_int_equal(head_parse(text.data, text.len, &head, &err), HEAD_MORE);
	buf_adds(&text, "\r\n\r\n");
	assert_int_equal(head_parse(text.data, text.len, &head, &err), 0);
	text.data[HEAD_SIZE_MAX - 4] = 'a'; // the empty line ends one byte too late
	assert_int_equal(head_parse(text.data, text.len, &head, &err), -E2BIG);

	buf_adds(&many, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < HEAD_FIELDS_MAX; i++)
		buf_adds(&many, "A: b\r\n");
	buf_adds(&many, "\r\n");
	assert_int_equal(head_parse(many.data, many.len, &head, &err), 0);
	buf_consume(&many, 0);
	many.len -= 2;
	buf_adds(&many, "A: b\r\n\r\n");
	assert_int_equal(head_parse(many.data, many.len, &head, &err), -E2BIG);
}

static bool has(const char *list, const char *token)
{
	return head_has_token(list, strlen(list), token);
}

static void tokens_are_found_in_lists(void **state)
{
	(void)state;
	assert_true(has("upgrade", "Upgrade"));
	assert_true(has("keep-alive, Upgrade", "upgrade"));
	assert_true(has(" ,\tupgrade\t,", "upgrade"));
	assert_false(has("upgraded", "upgrade"));
	assert_false(has("", "upgrade"));
	assert_false(has("up grade", "upgrade"));
	assert_false(has("keep-alive;upgrade", "upgrade"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_taken_apart),
		cmocka_unit_test(every_prefix_of_a_head_needs_more),
		cmocka_unit_test(a_status_line_without_reason_or_fields_is_enough),
		cmocka_unit_test(what_is_no_head_is_refused),
		cmocka_unit_test(a_nul_in_a_field_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(tokens_are_found_in_lists),
	};

	return cmocka_run_group_tests_name("httphead/head", tests, NULL, NULL);
}

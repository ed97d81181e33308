// SPDX-License-Identifier: Apache-2.0
#include "http/problem.h"

#include "http/fixture.h"
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** What problem_send_raw() writes, parsed. */
static json_t *sent(const struct problem *problem, struct answer *answer)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	problem_send_raw(ends[0], problem);
	(void)close(ends[0]);
	fixture_answer(ends[1], answer);
	assert_int_equal(fixture_drain(ends[1]), 0);
	(void)close(ends[1]);

	json_t *object =
		json_loadb(answer->body.data, answer->body.len, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(object);
	return object;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void a_raw_problem_is_a_whole_response(void **state)
{
	struct answer answer = {0};
	json_t *object = sent(&(struct problem){403, "peer", "Forbidden", "not you"}, &answer);

	(void)state;
	assert_int_equal(answer.head.status, 403);
	assert_string_equal(text_of(object, "type"), "urn:substrate:problem:peer");
	assert_string_equal(text_of(object, "title"), "Forbidden");
	assert_string_equal(text_of(object, "detail"), "not you");
	assert_int_equal(json_integer_value(json_object_get(object, "status")), 403);

	const struct head_field *type = head_find(&answer.head, "content-type");

	assert_memory_equal(type->value, "application/problem+json", type->value_len);
	assert_non_null(head_find(&answer.head, "connection"));
	json_decref(object);
	fixture_answer_done(&answer);
}

static void a_detail_may_hold_anything(void **state)
{
	static const char detail[] = "a\"b\\ \xff\x01 \r\nX: y";
	struct answer answer = {0};
	json_t *object =
		sent(&(struct problem){400, "bad-request", "Bad request", detail}, &answer);

	(void)state;
	assert_non_null(strstr(text_of(object, "detail"), "a\"b\\"));
	assert_null(strchr(text_of(object, "detail"), '\n'));
	assert_int_equal(answer.head.nfields, 3);
	json_decref(object);
	fixture_answer_done(&answer);
}

static void a_closed_socket_does_no_harm(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	(void)close(ends[1]);
	problem_send_raw(ends[0], &(struct problem){403, "peer", "Forbidden", "not you"});
	(void)close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_raw_problem_is_a_whole_response),
		cmocka_unit_test(a_detail_may_hold_anything),
		cmocka_unit_test(a_closed_socket_does_no_harm),
	};

	return cmocka_run_group_tests_name("http/problem", tests, NULL, NULL);
}

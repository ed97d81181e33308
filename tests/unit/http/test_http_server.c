// SPDX-License-Identifier: Apache-2.0
#include "http/fixture.h"

#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 1000

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static int start(void **state)
{
	static struct fixture fixture;

	fixture_start(&fixture, MANY + 24);
	*state = &fixture;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static void a_request_is_answered(void **state)
{
	struct answer answer = {0};

	fixture_get(*state, "/hello", &answer);
	assert_int_equal(answer.head.status, 200);
	assert_string_equal(answer.body.data, "hello");
	fixture_answer_done(&answer);
}

static void a_connection_takes_one_request_after_the_other(void **state)
{
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	for (int i = 0; i < 10; i++) {
		fixture_say(fd, GET("/hello"));
		fixture_answer(fd, &answer);
		assert_string_equal(answer.body.data, "hello");
	}
	fixture_answer_done(&answer);
	(void)close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	fixture_say(fd, GET("/show/1") "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
				       "two" GET("/show/3") GET("/none"));
	fixture_answer(fd, &answer);
	assert_non_null(strstr(answer.body.data, "/show/1"));
	fixture_answer(fd, &answer);
	assert_string_equal(answer.body.data, "two");
	fixture_answer(fd, &answer);
	assert_non_null(strstr(answer.body.data, "/show/3"));
	fixture_answer(fd, &answer);
	assert_int_equal(answer.head.status, 404);
	fixture_answer_done(&answer);
	(void)close(fd);
}

static void an_answer_may_come_later(void **state)
{
	struct answer answer = {0};
	int fds[3];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = fixture_dial(*state);
		// What is pipelined behind it waits.
		fixture_say(fds[i], GET("/later") GET("/hello"));
	}
	fixture_expect(*state, "waiting", ARRAY_LEN(fds));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		char byte;

		assert_int_equal(recv(fds[i], &byte, 1, MSG_DONTWAIT), -1);
	}

	// Nothing else may happen on the server's sockets that would wake it by chance.
	int release = fixture_dial(*state);

	fixture_say(release, GET("/release"));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fixture_answer_done(&answer);
		fixture_answer(fds[i], &answer);
		assert_string_equal(answer.body.data, "late");
		fixture_answer(fds[i], &answer);
		assert_string_equal(answer.body.data, "hello");
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	(void)close(release);
	fixture_answer_done(&answer);
}

static void an_answer_may_come_from_a_timer(void **state)
{
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	// Nothing but the timer happens in the server then.
	fixture_say(fd, GET("/delayed"));
	fixture_answer(fd, &answer);
	assert_string_equal(answer.body.data, "delayed");
	(void)close(fd);
	fixture_answer_done(&answer);
}

static void the_clients_death_is_told(void **state)
{
	long before = fixture_counter(*state, "gone");
	int first = fixture_dial(*state);
	int second = fixture_dial(*state);
	int third = fixture_dial(*state);

	fixture_say(first, GET("/later"));
	fixture_say(second, GET("/later"));
	fixture_say(third, GET("/later") GET("/hello")); // dies with bytes unread
	fixture_expect(*state, "waiting", 3);
	(void)close(second);
	fixture_expect(*state, "gone", before + 1);
	(void)close(third);
	fixture_expect(*state, "gone", before + 2);
	(void)shutdown(first, SHUT_WR); // half-closed counts too
	fixture_expect(*state, "gone", before + 3);
	assert_int_equal(fixture_drain(first), 0);
	(void)close(first);

	struct answer answer = {0};

	fixture_get(*state, "/release", &answer); // none of them is answered
	fixture_answer_done(&answer);
	fixture_expect(*state, "connections", 1);
}

static void an_unwatched_exchange_outlives_its_client(void **state)
{
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	fixture_say(fd, GET("/silent"));
	fixture_expect(*state, "waiting", 1);
	(void)close(fd);
	fixture_get(*state, "/release", &answer); // answers nobody
	fixture_answer_done(&answer);
	fixture_expect(*state, "connections", 1);
}

static void many_connections_are_served(void **state)
{
	struct rlimit limit;
	static int fds[MANY];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 2 * MANY + 100)
		skip();
	for (int i = 0; i < MANY; i++)
		fds[i] = fixture_dial(*state);
	fixture_expect(*state, "connections", MANY + 1);
	for (int i = 0; i < MANY; i++)
		fixture_say(fds[i], i % 2 ? GET("/hello") : GET("/later"));
	for (int i = 1; i < MANY; i += 2) {
		struct answer answer = {0};

		fixture_answer(fds[i], &answer);
		assert_string_equal(answer.body.data, "hello");
		fixture_answer_done(&answer);
	}
	fixture_expect(*state, "waiting", MANY / 2);

	struct answer released = {0};

	fixture_get(*state, "/release", &released);
	fixture_answer_done(&released);
	for (int i = 0; i < MANY; i += 2) {
		struct answer answer = {0};

		fixture_answer(fds[i], &answer);
		assert_string_equal(answer.body.data, "late");
		fixture_answer_done(&answer);
	}
	for (int i = 0; i < MANY; i++)
		(void)close(fds[i]);
	fixture_expect(*state, "connections", 1);
}

static void the_server_ends_with_exchanges_open(void **state)
{
	struct fixture fixture;
	struct buf in = {0};

	(void)state;
	fixture_start(&fixture, 10);

	int waiting = fixture_dial(&fixture);
	int half = fixture_dial(&fixture);
	int ws = fixture_websocket(&fixture, &in);
	int flooded = fixture_websocket(&fixture, &in);

	fixture_say(waiting, GET("/later"));
	fixture_say(half, "GET /hello HTT");
	fixture_message(flooded, FRAME_TEXT, "flood 100", 9);
	fixture_expect(&fixture, "waiting", 1);
	fixture_expect(&fixture, "ws_messages", 1);
	fixture_stop(&fixture); // fails on a leak, and unless all are told
	assert_int_equal(fixture_drain(waiting), 0);
	assert_int_equal(fixture_drain(half), 0);
	(void)close(waiting);
	(void)close(half);
	(void)close(ws);
	(void)close(flooded);
	buf_done(&in);
}

static void over_the_limit_clients_wait(void **state)
{
	struct fixture fixture;
	struct answer answer = {0};
	int fds[4];

	(void)state;
	fixture_start(&fixture, 2);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = fixture_dial(&fixture);
		fixture_say(fds[i], GET("/hello"));
	}
	fixture_answer(fds[0], &answer);
	fixture_answer(fds[1], &answer);
	(void)poll(NULL, 0, 50);

	char byte;

	assert_int_equal(recv(fds[2], &byte, 1, MSG_DONTWAIT), -1);
	(void)close(fds[0]);
	fixture_answer(fds[2], &answer);
	assert_string_equal(answer.body.data, "hello");
	(void)close(fds[1]);
	fixture_answer(fds[3], &answer);
	(void)close(fds[2]);
	(void)close(fds[3]);
	fixture_answer_done(&answer);
	fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(a_connection_takes_one_request_after_the_other),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(an_answer_may_come_from_a_timer),
		cmocka_unit_test(the_clients_death_is_told),
		cmocka_unit_test(an_unwatched_exchange_outlives_its_client),
		cmocka_unit_test(many_connections_are_served),
		cmocka_unit_test(the_server_ends_with_exchanges_open),
		cmocka_unit_test(over_the_limit_clients_wait),
	};

	return cmocka_run_group_tests_name("http/http_server", tests, start, stop);
}

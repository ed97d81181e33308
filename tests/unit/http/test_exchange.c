// SPDX-License-Identifier: Apache-2.0
#include "http/fixture.h"

#include "base/compiler.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int start(void **state)
{
	static struct fixture fixture;

	fixture_start(&fixture, 100);
	*state = &fixture;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

/** Send text, expect one answer with this status and then the end of the connection. */
static void refused(const struct fixture *fixture, const char *text, int status, const char *detail)
{
	struct answer answer = {0};
	long before = fixture_counter(fixture, "requests");
	int fd = fixture_dial(fixture);

	fixture_say(fd, text);
	fixture_answer(fd, &answer);
	if (answer.head.status != status)
		fail_msg("%d instead of %d for %s", answer.head.status, status, text);
	if (detail && !strstr(answer.body.data, detail))
		fail_msg("no '%s' in %s", detail, answer.body.data);
	if (detail)
		assert_memory_equal(head_find(&answer.head, "content-type")->value,
				    "application/problem+json", 24);
	// The library writes the head of some of its own refusals twice.
	if (detail && answer.rest.len + fixture_drain(fd) != 0)
		fail_msg("more than one answer to %s: %s", text, answer.rest.data);
	if (!detail)
		(void)fixture_drain(fd);
	(void)close(fd);
	fixture_answer_done(&answer);
	// The handler saw nothing but the two questions for the counter.
	assert_int_equal(fixture_counter(fixture, "requests"), before + 1);
}

#define POST "POST /echo HTTP/1.1\r\nHost: x\r\n"
#define SMUGGLED "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

static void requests_with_two_meanings_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *detail;
	} bad[] = {
		{POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
		 "both Content-Length"},
		{POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" SMUGGLED,
		 "both Content-Length"},
		{POST "Content-Length: 0\r\nContent-Length: 40\r\n\r\n" SMUGGLED, "repeated"},
		{POST "Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc" SMUGGLED, "repeated"},
		{POST "Host: y\r\nContent-Length: 0\r\n\r\n" SMUGGLED, "Host is repeated"},
		{POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED, "chunked"},
		{POST "Transfer-Encoding: identity\r\n\r\n" SMUGGLED, "chunked"},
		{POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 "chunked"},
		{POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED, "chunked"},
		{POST "Content-Length : 3\r\n\r\nabc" SMUGGLED, "malformed"},
		{POST "Content Length: 3\r\n\r\nabc" SMUGGLED, "malformed"},
		{POST "\x01: 3\r\n\r\n" SMUGGLED, "malformed"},
		{"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1"},
		{"GET /hello%00/x HTTP/1.1\r\nHost: x\r\n\r\n", "escape"},
		{"GET /hello%2 HTTP/1.1\r\nHost: x\r\n\r\n", "escape"},
		{"GET /hello%zz HTTP/1.1\r\nHost: x\r\n\r\n", "escape"},
		{"GET /show?q=%00 HTTP/1.1\r\nHost: x\r\n\r\n", "escape"},
		{"GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n", "target"},
		{"GET /hello HTTP/1.1\r\n\r\n", "Host is missing"},
		{"GET /hello /hello HTTP/1.1\r\nHost: x\r\n\r\n", "target"},
		{"GET /hello\t HTTP/1.1\r\nHost: x\r\n\r\n", "target"},
		{"GET /h\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", "target"},
		{"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "target"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(*state, bad[i].text, 400, bad[i].detail);
}

static void what_the_library_refuses_never_reaches_the_handler(void **state)
{
	static const struct {
		const char *text;
		int status;
	} bad[] = {
		{POST "Content-Length: abc\r\n\r\n", 400},
		{POST "Content-Length: -1\r\n\r\n", 400},
		{POST "Content-Length: 99999999999999999999999\r\n\r\n", 413},
		{POST "no colon\r\n\r\n", 400},
		{POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(*state, bad[i].text, bad[i].status, NULL);
}

static void an_endless_head_is_refused(void **state)
{
	struct answer answer = {0};
	struct buf text = {0};
	int fd = fixture_dial(*state);

	buf_adds(&text, "GET /hello HTTP/1.1\r\nHost: x\r\n");
	while (text.len < 65536)
		buf_adds(&text, "A: b\r\n");
	(void)fixture_push(fd, text.data, text.len);
	fixture_answer(fd, &answer);
	assert_true(answer.head.status == 431 || answer.head.status == 413);
	(void)close(fd);
	fixture_answer_done(&answer);
	buf_done(&text);
}

static void too_many_fields_are_refused(void **state)
{
	struct buf text = {0};

	buf_adds(&text, "GET /hello HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 100; i++)
		buf_adds(&text, "A: b\r\n");
	buf_adds(&text, "\r\n");
	refused(*state, text.data, 400, "too many");
	buf_done(&text);
}

static void a_body_over_the_limit_is_refused_unread(void **state)
{
	refused(*state, POST "Content-Length: 100000000\r\n\r\n", 413, "too-large");
	refused(*state, POST "Expect: 100-continue\r\nContent-Length: 4194305\r\n\r\n", 413,
		"too-large");
}

/** Send a chunked body of `mib` MiB, with or without its end; the answer is 413. */
static void send_chunks(const struct fixture *f, int mib, bool end, bool closes)
{
	static char chunk[(1U << 20) + 10];
	struct answer answer = {0};
	int fd = fixture_dial(f);

	(void)snprintf(chunk, 10, "100000\r\n");
	memset(chunk + 8, 'a', 1U << 20);
	memcpy(chunk + 8 + (1U << 20), "\r\n", 2);
	fixture_say(fd, POST "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < mib; i++)
		(void)fixture_push(fd, chunk, sizeof(chunk));
	if (end)
		fixture_say(fd, "0\r\n\r\n");
	fixture_answer(fd, &answer);
	assert_int_equal(answer.head.status, 413);
	assert_non_null(strstr(answer.body.data, "too-large"));
	if (closes)
		assert_int_equal(fixture_drain(fd), 0);
	(void)close(fd);
	fixture_answer_done(&answer);
}

static void a_body_a_little_over_the_limit_is_read_to_its_end(void **state)
{
	send_chunks(*state, 5, true, false);
}

static void a_body_far_over_the_limit_is_cut_off(void **state)
{
	send_chunks(*state, 40, false, true);
}

static void a_body_at_the_limit_arrives_whole(void **state)
{
	static char body[FIXTURE_BODY_MAX];
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 31 >> 3);
	fixture_say(fd, POST "Content-Length: 4194304\r\n\r\n");
	fixture_send(fd, body, sizeof(body));
	fixture_answer(fd, &answer);
	assert_int_equal(answer.head.status, 200);
	assert_int_equal(answer.body.len, sizeof(body));
	assert_memory_equal(answer.body.data, body, sizeof(body));
	assert_non_null(head_find(&answer.head, "x-length"));
	(void)close(fd);
	fixture_answer_done(&answer);
}

static void chunks_are_joined(void **state)
{
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	fixture_say(fd, POST "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n");
	fixture_say(fd, "0\r\nHost: trailer\r\nContent-Length: 7\r\n\r\n" SMUGGLED);
	fixture_answer(fd, &answer);
	assert_string_equal(answer.body.data, "abcde");
	fixture_answer(fd, &answer);
	assert_string_equal(answer.body.data, "hello");
	(void)close(fd);
	fixture_answer_done(&answer);
}

static void a_request_byte_by_byte_is_understood(void **state)
{
	static const char text[] = POST "Content-Length: 3\r\n\r\nabc";
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		fixture_send(fd, text + i, 1);
	fixture_answer(fd, &answer);
	assert_string_equal(answer.body.data, "abc");
	(void)close(fd);
	fixture_answer_done(&answer);
}

static void path_query_and_headers_are_read(void **state)
{
	struct answer answer = {0};
	char expected[128];
	int fd = fixture_dial(*state);

	fixture_say(fd, "DELETE /show/a%20b?x=1&q=c%2Fd HTTP/1.1\r\nHost: x\r\nX-Test: v\r\n\r\n");
	fixture_answer(fd, &answer);
	(void)snprintf(expected, sizeof(expected), "DELETE /show/a b q=c/d x=v pid=%d",
		       (int)getpid());
	assert_string_equal(answer.body.data, expected);
	(void)close(fd);
	fixture_answer_done(&answer);
}

static void an_upgrade_of_an_ordinary_path_is_no_upgrade(void **state)
{
	struct answer answer = {0};
	int fd = fixture_dial(*state);

	fixture_say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\n\r\n");
	fixture_answer(fd, &answer);
	assert_int_equal(answer.head.status, 200);
	(void)close(fd);
	fixture_answer_done(&answer);
}

#define WS "GET /ws HTTP/1.1\r\nHost: x\r\n"
#define WS_UP WS "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define WS_KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void a_wrong_handshake_is_answered(void **state)
{
	static const struct {
		const char *text;
		int status;
	} bad[] = {
		{WS "\r\n", 426},
		{WS_UP WS_KEY "\r\n", 426},
		{WS_UP WS_KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426},
		{WS_UP "Sec-WebSocket-Version: 13\r\n\r\n", 400},
		{WS_UP "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n\r\n", 400},
		{WS_UP WS_KEY WS_KEY "Sec-WebSocket-Version: 13\r\n\r\n", 400},
		{WS_UP WS_KEY "Sec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\n{}", 400},
		{"GET /ws HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: "
		 "Upgrade\r\n" WS_KEY "Sec-WebSocket-Version: 13\r\n\r\n",
		 400},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct answer answer = {0};
		int fd = fixture_dial(*state);

		fixture_say(fd, bad[i].text);
		fixture_answer(fd, &answer);
		if (answer.head.status != bad[i].status)
			fail_msg("%d for %s", answer.head.status, bad[i].text);
		if (bad[i].status == 426)
			assert_memory_equal(head_find(&answer.head, "sec-websocket-version")->value,
					    "13", 2);
		(void)close(fd);
		fixture_answer_done(&answer);
	}
	fixture_expect(*state, "ws_open", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_with_two_meanings_are_refused),
		cmocka_unit_test(what_the_library_refuses_never_reaches_the_handler),
		cmocka_unit_test(an_endless_head_is_refused),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(a_body_over_the_limit_is_refused_unread),
		cmocka_unit_test(a_body_a_little_over_the_limit_is_read_to_its_end),
		cmocka_unit_test(a_body_far_over_the_limit_is_cut_off),
		cmocka_unit_test(a_body_at_the_limit_arrives_whole),
		cmocka_unit_test(chunks_are_joined),
		cmocka_unit_test(a_request_byte_by_byte_is_understood),
		cmocka_unit_test(path_query_and_headers_are_read),
		cmocka_unit_test(an_upgrade_of_an_ordinary_path_is_no_upgrade),
		cmocka_unit_test(a_wrong_handshake_is_answered),
	};

	return cmocka_run_group_tests_name("http/exchange", tests, start, stop);
}

// SPDX-License-Identifier: Apache-2.0
#include "http/fixture.h"

#include "base/compiler.h"
#include "unit.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (64U << 10)
#define START_MAX (4U << 20)

static int start(void **state)
{
	static struct fixture fixture;

	fixture_start(&fixture, 100);
	*state = &fixture;
	return 0;
}

static int stop(void **state)
{
	fixture_expect(*state, "ws_open", 0);
	fixture_stop(*state);
	return 0;
}

static void expect_bytes(int fd, struct buf *in, enum frame_opcode opcode, const char *bytes,
			 size_t len)
{
	struct buf data = {0};
	struct frame frame = fixture_read_frame(fd, in, &data);

	assert_true(frame.fin);
	assert_int_equal(frame.opcode, opcode);
	assert_int_equal(frame.length, len);
	assert_memory_equal(data.data, bytes, len);
	buf_done(&data);
}

static void expect_message(int fd, struct buf *in, enum frame_opcode opcode, const char *text)
{
	expect_bytes(fd, in, opcode, text, strlen(text));
}

static void hang_up(int fd, struct buf *in)
{
	(void)close(fd);
	buf_done(in);
}

static void messages_are_exchanged(void **state)
{
	struct buf in = {0};
	int fd = fixture_websocket(*state, &in);

	fixture_message(fd, FRAME_TEXT, "hello", 5);
	expect_message(fd, &in, FRAME_TEXT, "hello");
	fixture_message(fd, FRAME_BINARY, "\0bin", 4);
	expect_bytes(fd, &in, FRAME_BINARY, "\0bin", 4);
	hang_up(fd, &in);
}

static void the_first_message_may_come_with_the_handshake(void **state)
{
	struct buf out = {0};
	struct answer answer = {0};
	struct buf in = {0};
	int fd = fixture_dial(*state);
	struct frame frame = {.fin = true,
			      .masked = true,
			      .opcode = FRAME_TEXT,
			      .mask = {1, 2, 3, 4},
			      .length = 5};

	buf_adds(&out, fixture_handshake);
	fixture_frame(&out, frame, "first");
	fixture_frame(&out, frame, "again");
	fixture_send(fd, out.data, out.len);
	fixture_answer(fd, &answer);
	assert_int_equal(answer.head.status, 101);
	buf_add(&in, answer.rest.data, answer.rest.len);
	expect_message(fd, &in, FRAME_TEXT, "first");
	expect_message(fd, &in, FRAME_TEXT, "again");
	hang_up(fd, &in);
	buf_done(&out);
	fixture_answer_done(&answer);
}

static void a_handshake_cut_anywhere_is_understood(void **state)
{
	struct buf out = {0};
	struct frame frame = {.fin = true,
			      .masked = true,
			      .opcode = FRAME_TEXT,
			      .mask = {1, 2, 3, 4},
			      .length = 5};

	buf_adds(&out, fixture_handshake);
	fixture_frame(&out, frame, "first");
	for (size_t cut = out.len - 30; cut < out.len; cut++) {
		struct answer answer = {0};
		struct buf in = {0};
		int fd = fixture_dial(*state);

		fixture_send(fd, out.data, cut);
		(void)poll(NULL, 0, 1);
		fixture_send(fd, out.data + cut, out.len - cut);
		fixture_answer(fd, &answer);
		buf_add(&in, answer.rest.data, answer.rest.len);
		expect_message(fd, &in, FRAME_TEXT, "first");
		hang_up(fd, &in);
		fixture_answer_done(&answer);
	}
	buf_done(&out);
}

static void a_large_first_message_comes_with_the_handshake(void **state)
{
	static char big[START_MAX];
	struct buf out = {0};
	struct buf data = {0};
	struct answer answer = {0};
	struct buf in = {0};
	int fd = fixture_dial(*state);
	struct frame frame = {.fin = true,
			      .masked = true,
			      .opcode = FRAME_TEXT,
			      .mask = {1, 2, 3, 4},
			      .length = sizeof(big)};

	memset(big, 'x', sizeof(big));
	buf_adds(&out, fixture_handshake);
	fixture_frame(&out, frame, big);
	fixture_send(fd, out.data, out.len);
	fixture_answer(fd, &answer);
	buf_add(&in, answer.rest.data, answer.rest.len);
	assert_int_equal(fixture_read_frame(fd, &in, &data).length, sizeof(big));
	assert_memory_equal(data.data, big, sizeof(big));
	hang_up(fd, &in);
	buf_done(&out);
	buf_done(&data);
	fixture_answer_done(&answer);
}

/** Send frames as they are; the server must close with this code and tell the owner. */
static void breaks_the_rules(const struct fixture *fixture, const struct buf *out, unsigned code)
{
	struct buf in = {0};
	long gone = fixture_counter(fixture, "ws_gone");
	long messages = fixture_counter(fixture, "ws_messages");
	int fd = fixture_websocket(fixture, &in);

	(void)fixture_push(fd, out->data, out->len);
	fixture_read_close(fd, &in, code);
	assert_int_equal(in.len, 0);
	fixture_expect(fixture, "ws_gone", gone + 1);
	assert_int_equal(fixture_counter(fixture, "ws_messages"), messages);
	assert_int_equal(fixture_drain(fd), 0);
	hang_up(fd, &in);
}

static void violations_close_with_their_code(void **state)
{
	static const struct frame masked = {
		.fin = true, .masked = true, .opcode = FRAME_TEXT, .mask = {1, 2, 3, 4}};
	struct buf out = {0};
	struct frame frame = masked;

	frame.masked = false;
	frame.length = 5;
	fixture_frame(&out, frame, "plain");
	breaks_the_rules(*state, &out, 1002); // not masked

	out.len = 0;
	frame = masked;
	frame.opcode = FRAME_CONTINUATION;
	fixture_frame(&out, frame, "");
	breaks_the_rules(*state, &out, 1002); // a continuation of nothing

	out.len = 0;
	frame = masked;
	frame.length = 2;
	fixture_frame(&out, frame, "\xc3\x28");
	breaks_the_rules(*state, &out, 1007); // not UTF-8

	out.len = 0;
	frame = masked;
	frame.length = START_MAX + 1;
	buf_add(&out, (const char[]){'\x81', '\xff', 0, 0, 0, 0, 0, 0x40, 0, 1, 1, 2, 3, 4, 'x'},
		15);
	breaks_the_rules(*state, &out, 1009); // 4 MiB + 1: the first byte is enough

	out.len = 0;
	frame = masked;
	frame.fin = false;
	frame.length = 3;
	fixture_frame(&out, frame, "abc");
	frame.fin = true;
	fixture_frame(&out, frame, "abc");
	breaks_the_rules(*state, &out, 1002); // a message within another
	buf_done(&out);
}

static void reserved_bits_and_opcodes_end_it(void **state)
{
	static const char *const bad[] = {"\xc1\x80\x01\x02\x03\x04", "\x83\x80\x01\x02\x03\x04",
					  "\x09\x80\x01\x02\x03\x04",
					  "\x89\xfe\x01\x00\x01\x02\x03\x04"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf in = {0};
		long gone = fixture_counter(*state, "ws_gone");
		int fd = fixture_websocket(*state, &in);

		fixture_send(fd, bad[i], i == 3 ? 8 : 6);
		(void)fixture_drain(fd);
		fixture_expect(*state, "ws_gone", gone + 1);
		hang_up(fd, &in);
	}
}

static void later_messages_are_small(void **state)
{
	static char big[CHUNK + 2];
	struct buf in = {0};
	struct buf data = {0};
	int fd = fixture_websocket(*state, &in);

	fixture_message(fd, FRAME_TEXT, "start", 5);
	expect_message(fd, &in, FRAME_TEXT, "start");
	fixture_message(fd, FRAME_BINARY, big, CHUNK + 1);
	assert_int_equal(fixture_read_frame(fd, &in, &data).length, CHUNK + 1);
	(void)fixture_push(fd, "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x02", 10);
	(void)fixture_push(fd, big, sizeof(big));
	fixture_read_close(fd, &in, 1009);
	hang_up(fd, &in);
	buf_done(&data);
}

static void fragments_are_bounded_together(void **state)
{
	static char half[CHUNK / 2 + 1];
	struct buf in = {0};
	struct buf out = {0};
	int fd = fixture_websocket(*state, &in);
	struct frame frame = {.masked = true, .opcode = FRAME_BINARY, .length = sizeof(half)};

	fixture_message(fd, FRAME_TEXT, "start", 5);
	expect_message(fd, &in, FRAME_TEXT, "start");
	fixture_frame(&out, frame, half);
	frame.opcode = FRAME_CONTINUATION;
	frame.fin = true;
	fixture_frame(&out, frame, half);
	(void)fixture_push(fd, out.data, out.len);
	fixture_read_close(fd, &in, 1009);
	hang_up(fd, &in);
	buf_done(&out);
}

static void fragments_and_pings_mix(void **state)
{
	struct buf in = {0};
	struct buf out = {0};
	struct buf data = {0};
	int pongs = 0;
	int fd = fixture_websocket(*state, &in);
	struct frame frame = {.masked = true, .opcode = FRAME_TEXT, .mask = {7}, .length = 2};
	struct frame ping = {
		.fin = true, .masked = true, .opcode = FRAME_PING, .mask = {7}, .length = 4};

	// A character may be cut by a fragment's end.
	fixture_frame(&out, frame, "a\xc3");
	fixture_frame(&out, ping, "ping");
	frame.opcode = FRAME_CONTINUATION;
	frame.length = 0;
	fixture_frame(&out, frame, "");
	frame.fin = true;
	frame.length = 2;
	fixture_frame(&out, frame, "\xa9z");
	for (size_t i = 0; i < out.len; i++)
		fixture_send(fd, out.data + i, 1);
	// A pong may overtake a message, and the other way round.
	for (int i = 0; i < 2; i++) {
		struct frame got = fixture_read_frame(fd, &in, &data);

		pongs += got.opcode == FRAME_PONG;
		assert_string_equal(data.data, got.opcode == FRAME_PONG ? "ping" : "a\xc3\xa9z");
	}
	assert_int_equal(pongs, 1);
	hang_up(fd, &in);
	buf_done(&out);
	buf_done(&data);
}

static void tiny_fragments_cost_little(void **state)
{
	struct buf in = {0};
	struct buf out = {0};
	struct buf data = {0};
	int fd = fixture_websocket(*state, &in);
	struct frame frame = {.masked = true, .opcode = FRAME_BINARY, .length = 1};

	for (size_t i = 0; i < 100000; i++) {
		frame.fin = i == 99999;
		fixture_frame(&out, frame, "x");
		frame.opcode = FRAME_CONTINUATION;
	}
	fixture_send(fd, out.data, out.len);
	assert_int_equal(fixture_read_frame(fd, &in, &data).length, 100000);
	hang_up(fd, &in);
	buf_done(&out);
	buf_done(&data);
}

static void a_close_is_answered_and_told(void **state)
{
	struct buf in = {0};
	long gone = fixture_counter(*state, "ws_gone");
	int fd = fixture_websocket(*state, &in);

	fixture_message(fd, FRAME_CLOSE, "\x03\xe8", 2);
	fixture_read_close(fd, &in, 1000);
	fixture_expect(*state, "ws_gone", gone + 1);
	assert_int_equal(fixture_drain(fd), 0);
	hang_up(fd, &in);
}

static void the_clients_death_is_told(void **state)
{
	struct buf in = {0};
	long gone = fixture_counter(*state, "ws_gone");
	int first = fixture_websocket(*state, &in);
	int paused = fixture_websocket(*state, &in);
	int flooded = fixture_websocket(*state, &in);

	fixture_message(paused, FRAME_TEXT, "pause", 5);
	expect_message(paused, &in, FRAME_TEXT, "paused");
	fixture_message(paused, FRAME_TEXT, "unread", 6);
	fixture_message(flooded, FRAME_TEXT, "flood 1000", 10);
	(void)close(first);
	fixture_expect(*state, "ws_gone", gone + 1);
	(void)close(paused);
	fixture_expect(*state, "ws_gone", gone + 2);
	(void)close(flooded);
	fixture_expect(*state, "ws_gone", gone + 3);
	buf_done(&in);
}

static void a_client_may_die_during_the_handshake(void **state)
{
	for (size_t cut = 1; cut < strlen(fixture_handshake); cut += 7) {
		int fd = fixture_dial(*state);

		fixture_send(fd, fixture_handshake, cut);
		(void)close(fd);
	}
	for (int i = 0; i < 50; i++) {
		int fd = fixture_dial(*state);

		fixture_say(fd, fixture_handshake);
		(void)close(fd); // before, while or after the server answers
	}
	fixture_expect(*state, "ws_open", 0);
	fixture_expect(*state, "connections", 1);
}

static void the_owner_may_close(void **state)
{
	struct buf in = {0};
	long gone = fixture_counter(*state, "ws_gone");
	int fd = fixture_websocket(*state, &in);

	fixture_message(fd, FRAME_TEXT, "close 1008", 10);
	fixture_read_close(fd, &in, 1008);
	fixture_message(fd, FRAME_CLOSE, "\x03\xf0", 2);
	assert_int_equal(fixture_drain(fd), 0);
	hang_up(fd, &in);
	fixture_expect(*state, "connections", 1);
	assert_int_equal(fixture_counter(*state, "ws_gone"), gone); // it knows
}

static void what_is_sent_in_one_turn_comes_in_one_piece(void **state)
{
	struct buf in = {0};
	char bytes[256];
	int fd = fixture_websocket(*state, &in);

	fixture_message(fd, FRAME_TEXT, "burst", 5);

	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&poll_fd, 1, 20000), 1);
	// "one", "\1two", "three" and the close frame
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), 5 + 6 + 7 + 4);
	hang_up(fd, &in);
}

static void a_slow_reader_bounds_the_queue(void **state)
{
	struct buf in = {0};
	struct buf data = {0};
	int fd = fixture_websocket(*state, &in);
	int messages = 512;

	fixture_message(fd, FRAME_TEXT, "flood 512", 9); // 32 MiB
	// The queue is full now; what the client says is heard nevertheless.
	fixture_message(fd, FRAME_TEXT, "hello", 5);
	(void)poll(NULL, 0, 20);
	while (messages > 0) {
		struct frame frame = fixture_read_frame(fd, &in, &data);

		if (frame.opcode == FRAME_TEXT) {
			assert_string_equal(data.data, "hello");
			continue;
		}
		assert_int_equal(frame.length, CHUNK + 1);
		messages--;
	}
	hang_up(fd, &in);
	buf_done(&data);

	long most = fixture_counter(*state, "queued_max");

	assert_true(most >= 256L << 10);           // the mark was reached
	assert_true(most <= (256L << 10) + 70000); // and passed by one message at most
}

static void pings_do_not_pile_up(void **state)
{
	struct buf in = {0};
	struct buf out = {0};
	char payload[125] = "x";
	long gone = fixture_counter(*state, "ws_gone");
	int fd = fixture_websocket(*state, &in);
	struct frame ping = {.fin = true, .masked = true, .opcode = FRAME_PING, .length = 125};

	for (int i = 0; i < 20000; i++) // 2.5 MB, never read
		fixture_frame(&out, ping, payload);
	assert_true(fixture_push(fd, out.data, out.len) < out.len);
	fixture_expect(*state, "ws_gone", gone + 1);
	hang_up(fd, &in);
	buf_done(&out);
}

static void a_paused_socket_stops_its_client(void **state)
{
	static char chunk[CHUNK];
	struct buf in = {0};
	struct buf out = {0};
	int fd = fixture_websocket(*state, &in);
	struct frame frame = {.fin = true, .masked = true, .opcode = FRAME_BINARY, .length = CHUNK};
	long messages;
	long gone;
	size_t sent = 0;
	ssize_t n;

	fixture_message(fd, FRAME_TEXT, "pause", 5);
	expect_message(fd, &in, FRAME_TEXT, "paused");
	messages = fixture_counter(*state, "ws_messages");
	gone = fixture_counter(*state, "ws_gone");
	fixture_frame(&out, frame, chunk);
	do {
		n = send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	} while (n == (ssize_t)out.len && sent < 64U << 20);
	assert_true(sent < 64U << 20);
	assert_int_equal(fixture_counter(*state, "ws_messages"), messages);
	assert_int_equal(fixture_counter(*state, "ws_gone"), gone);
	hang_up(fd, &in);
	buf_done(&out);
}

static void garbage_ends_it(void **state)
{
	unsigned seed = 12345;

	for (int round = 0; round < 200; round++) {
		char bytes[512];
		struct buf in = {0};
		int fd = fixture_websocket(*state, &in);

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1103515245U + 12345U;
			bytes[i] = (char)(seed >> 16);
		}
		(void)fixture_push(fd, bytes, sizeof(bytes));
		hang_up(fd, &in);
	}
	fixture_expect(*state, "ws_open", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_exchanged),
		cmocka_unit_test(the_first_message_may_come_with_the_handshake),
		cmocka_unit_test(a_handshake_cut_anywhere_is_understood),
		cmocka_unit_test(a_large_first_message_comes_with_the_handshake),
		cmocka_unit_test(violations_close_with_their_code),
		cmocka_unit_test(reserved_bits_and_opcodes_end_it),
		cmocka_unit_test(later_messages_are_small),
		cmocka_unit_test(fragments_are_bounded_together),
		cmocka_unit_test(fragments_and_pings_mix),
		cmocka_unit_test(tiny_fragments_cost_little),
		cmocka_unit_test(a_close_is_answered_and_told),
		cmocka_unit_test(the_clients_death_is_told),
		cmocka_unit_test(a_client_may_die_during_the_handshake),
		cmocka_unit_test(the_owner_may_close),
		cmocka_unit_test(what_is_sent_in_one_turn_comes_in_one_piece),
		cmocka_unit_test(a_slow_reader_bounds_the_queue),
		cmocka_unit_test(pings_do_not_pile_up),
		cmocka_unit_test(a_paused_socket_stops_its_client),
		cmocka_unit_test(garbage_ends_it),
	};

	return cmocka_run_group_tests_name("http/websocket", tests, start, stop);
}

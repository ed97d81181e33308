// SPDX-License-Identifier: Apache-2.0
#include "httphead/frame.h"

#include "base/error.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static void headers_are_printed_and_parsed_alike(void **state)
{
	static const uint64_t lengths[] = {0,     1,        125,      126,        127,      65535,
					   65536, 1U << 20, 1U << 31, 1ULL << 32, INT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		for (int masked = 0; masked <= 1; masked++) {
			struct frame in = {.fin = true,
					   .masked = masked,
					   .opcode = FRAME_BINARY,
					   .mask = {1, 2, 3, 4},
					   .length = lengths[i]};
			uint8_t text[FRAME_HEADER_MAX];
			size_t size = frame_print(&in, text);
			struct error err = {0};
			struct frame out;

			for (size_t len = 0; len < size; len++)
				assert_int_equal(frame_parse(text, len, &out, &err), FRAME_MORE);
			assert_int_equal(frame_parse(text, size, &out, &err), 0);
			assert_int_equal(out.header_size, size);
			assert_int_equal(out.length, lengths[i]);
			assert_int_equal(out.masked, masked);
			assert_int_equal(out.opcode, FRAME_BINARY);
			assert_true(out.fin);
			if (masked)
				assert_memory_equal(out.mask, in.mask, 4);
		}
	}
}

static void headers_against_the_rules_are_refused(void **state)
{
	static const struct {
		size_t len;
		const char *text;
	} bad[] = {
		{2, "\xc2\x00"},                                  // a reserved bit
		{2, "\x83\x00"},                                  // a reserved opcode
		{2, "\x8b\x00"},                                  // a reserved control opcode
		{2, "\x09\x00"},                                  // a fragment of a ping
		{4, "\x88\x7e\x00\x7e"},                          // a long close
		{4, "\x82\x7e\x00\x7d"},                          // 125 in two bytes
		{10, "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"}, // 65535 in eight
		{10, "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"}, // the top bit
	};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error err = {0};

		assert_int_equal(frame_parse(bad[i].text, bad[i].len, &frame, &err), -EPROTO);
		assert_int_equal(err.code, EPROTO);
	}
}

static void a_mask_is_the_same_in_pieces(void **state)
{
	static const uint8_t mask[4] = {0x11, 0x22, 0x44, 0x88};
	uint8_t whole[61];
	uint8_t pieces[61];
	uint8_t plain[61];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	for (size_t cut = 0; cut <= sizeof(plain); cut++) {
		memcpy(whole, plain, sizeof(plain));
		memcpy(pieces, plain, sizeof(plain));
		frame_mask(whole, sizeof(whole), mask, 0);
		frame_mask(pieces, cut, mask, 0);
		frame_mask(pieces + cut, sizeof(pieces) - cut, mask, cut);
		assert_memory_equal(whole, pieces, sizeof(whole));
		for (size_t i = 0; i < sizeof(plain); i++)
			assert_int_equal(whole[i], plain[i] ^ mask[i % 4]);
	}
}

/** Everything that a reader gives, as "opcode:data " in `ret`. */
static int read_all(const char *data, size_t len, size_t max, struct buf *ret)
{
	struct frame_reader reader = {.message_max = max};
	struct frame_message message;
	struct error err = {0};
	size_t at = 0;
	size_t used;
	int r;

	while ((r = frame_next(&reader, data + at, len - at, &message, &used, &err)) == 1) {
		at += used;
		buf_addf(ret, "%d:%.*s ", (int)message.opcode, (int)message.len, message.data);
	}
	frame_reader_done(&reader);
	return r;
}

static void fragments_are_joined_around_control_frames(void **state)
{
	static const char text[] = "\x01\x02"
				   "ab\x89\x01p\x00\x01"
				   "c\x80\x01"
				   "d\x82\x00\x81\x01x";
	AUTO(buf_done) struct buf got = {0};

	(void)state;
	assert_int_equal(read_all(text, sizeof(text) - 1, 100, &got), 0);
	assert_string_equal(got.data, "9:p 1:abcd 2: 1:x ");
}

static void bytes_one_by_one_give_the_same_messages(void **state)
{
	static const char text[] = "\x01\x02"
				   "ab\x89\x01p\x80\x01"
				   "d\x81\x01x";
	AUTO(buf_done) struct buf got = {0};
	AUTO(buf_done) struct buf in = {0};
	struct frame_reader reader = {.message_max = 100};

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		struct frame_message message;
		struct error err = {0};
		size_t used;

		buf_addc(&in, text[i]);

		int r = frame_next(&reader, in.data, in.len, &message, &used, &err);

		assert_true(r >= 0);
		if (r == 1)
			buf_addf(&got, "%d:%.*s ", (int)message.opcode, (int)message.len,
				 message.data);
		buf_consume(&in, used);
	}
	frame_reader_done(&reader);
	assert_string_equal(got.data, "9:p 1:abd 1:x ");
	assert_int_equal(in.len, 0);
}

static void what_a_server_must_not_send_is_refused(void **state)
{
	static const struct {
		int r;
		size_t len;
		const char *text;
	} bad[] = {
		{-EPROTO, 7, "\x81\x81\x01\x02\x03\x04x"}, // masked
		{-EPROTO, 3, "\x80\x01x"},                 // a continuation of nothing
		{-EPROTO, 6,
		 "\x01\x01"
		 "a\x81\x01x"},             // a message within another
		{-EMSGSIZE, 2, "\x81\x0b"}, // 11 bytes, refused before they come
		{-EMSGSIZE, 9,
		 "\x01\x05"
		 "abcde\x80\x06"}, // 5 + 6 bytes
	};
	AUTO(buf_done) struct buf got = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(read_all(bad[i].text, bad[i].len, 10, &got), bad[i].r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_printed_and_parsed_alike),
		cmocka_unit_test(headers_against_the_rules_are_refused),
		cmocka_unit_test(a_mask_is_the_same_in_pieces),
		cmocka_unit_test(fragments_are_joined_around_control_frames),
		cmocka_unit_test(bytes_one_by_one_give_the_same_messages),
		cmocka_unit_test(what_a_server_must_not_send_is_refused),
	};

	return cmocka_run_group_tests_name("httphead/frame", tests, NULL, NULL);
}

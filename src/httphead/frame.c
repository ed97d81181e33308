// SPDX-License-Identifier: Apache-2.0
/** WebSocket frames. */
#include "httphead/frame.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

#define BIT_FIN 0x80U
#define BIT_MASKED 0x80U
#define BITS_RESERVED 0x70U
#define LENGTH_16 126U // a 16-bit length follows
#define LENGTH_64 127U // a 64-bit length follows
#define CONTROL_MAX 125U

static bool is_control(enum frame_opcode opcode)
{
	return ((unsigned)opcode & 8U) != 0;
}

static bool opcode_is_known(unsigned opcode)
{
	return opcode <= FRAME_BINARY || (opcode >= FRAME_CLOSE && opcode <= FRAME_PONG);
}

/** Bytes of the extended length that a length code announces. */
static size_t length_size(unsigned code)
{
	if (code == LENGTH_16)
		return 2;
	return code == LENGTH_64 ? 8 : 0;
}

/** A length in network order. */
static uint64_t read_length(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static int check_frame(const struct frame *frame, unsigned code, struct error *err)
{
	if (is_control(frame->opcode) && (!frame->fin || code > CONTROL_MAX))
		return error_set(err, EPROTO, "WebSocket control frame is long or a fragment");
	if ((code == LENGTH_16 && frame->length < LENGTH_16) ||
	    (code == LENGTH_64 && (frame->length <= UINT16_MAX || frame->length > INT64_MAX)))
		return error_set(err, EPROTO, "WebSocket frame has a bad length");
	return 0;
}

int frame_parse(const void *data, size_t len, struct frame *ret, struct error *err)
{
	const uint8_t *at = data;

	if (len < 2)
		return FRAME_MORE;
	if ((at[0] & BITS_RESERVED) || !opcode_is_known(at[0] & 0xfU))
		return error_set(err, EPROTO, "WebSocket frame has reserved bits");

	unsigned code = at[1] & 0x7fU;
	size_t extended = length_size(code);
	struct frame frame = {
		.fin = at[0] & BIT_FIN,
		.masked = at[1] & BIT_MASKED,
		.opcode = (enum frame_opcode)(at[0] & 0xfU),
		.length = code,
	};

	frame.header_size = 2 + extended + (frame.masked ? 4 : 0);
	if (len < frame.header_size)
		return FRAME_MORE;
	if (extended)
		frame.length = read_length(at + 2, extended);
	if (frame.masked)
		memcpy(frame.mask, at + 2 + extended, 4);

	int r = check_frame(&frame, code, err);

	if (r < 0)
		return r;
	*ret = frame;
	return 0;
}

size_t frame_print(const struct frame *frame, uint8_t ret[static FRAME_HEADER_MAX])
{
	unsigned code = LENGTH_64;

	if (frame->length <= CONTROL_MAX)
		code = (unsigned)frame->length;
	else if (frame->length <= UINT16_MAX)
		code = LENGTH_16;

	size_t extended = length_size(code);
	size_t size = 2;

	ret[0] = (uint8_t)((frame->fin ? BIT_FIN : 0) | (unsigned)frame->opcode);
	ret[1] = (uint8_t)((frame->masked ? BIT_MASKED : 0) | code);
	for (size_t i = 0; i < extended; i++)
		ret[size++] = (uint8_t)(frame->length >> (8 * (extended - 1 - i)));
	if (frame->masked) {
		memcpy(ret + size, frame->mask, 4);
		size += 4;
	}
	return size;
}

void frame_mask(void *data, size_t len, const uint8_t mask[static 4], size_t offset)
{
	uint8_t *at = data;
	uint8_t turned[8];
	uint64_t word;
	uint64_t key;
	size_t i = 0;

	for (size_t k = 0; k < sizeof(turned); k++)
		turned[k] = mask[(offset + k) % 4];
	memcpy(&key, turned, sizeof(key));
	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		word ^= key;
		memcpy(at + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		at[i] ^= turned[i % 4];
}

/** Does this frame fit what came before? */
static int check_order(const struct frame_reader *reader, const struct frame *frame,
		       struct error *err)
{
	if (frame->masked)
		return error_set(err, EPROTO, "WebSocket frame of a server is masked");
	if (is_control(frame->opcode))
		return 0;
	if (reader->fragmented != (frame->opcode == FRAME_CONTINUATION))
		return error_set(err, EPROTO, "WebSocket fragments are out of order");
	if (frame->length > reader->message_max - reader->partial.len)
		return error_set(err, EMSGSIZE, "WebSocket message is over %zu bytes",
				 reader->message_max);
	return 0;
}

/** Take one whole frame.  1: *ret is a message; 0: a fragment was kept. */
static int take_frame(struct frame_reader *reader, const struct frame *frame, const char *payload,
		      struct frame_message *ret)
{
	size_t len = (size_t)frame->length;

	if (is_control(frame->opcode) || (frame->fin && !reader->fragmented)) {
		*ret = (struct frame_message){frame->opcode, payload, len};
		return 1;
	}
	if (!reader->fragmented)
		reader->opcode = frame->opcode;
	buf_add(&reader->partial, payload, len);
	if (reader->partial.failed)
		return -ENOMEM;
	reader->fragmented = !frame->fin;
	if (reader->fragmented)
		return 0;
	*ret = (struct frame_message){reader->opcode, reader->partial.data, reader->partial.len};
	return 1;
}

int frame_next(struct frame_reader *reader, const char *data, size_t len, struct frame_message *ret,
	       size_t *ret_used, struct error *err)
{
	size_t used = 0;
	int r = 0;

	if (!reader->fragmented)
		reader->partial.len = 0; // the message that the last call returned
	while (r == 0) {
		struct frame frame = {0};

		r = frame_parse(data + used, len - used, &frame, err);
		if (r == FRAME_MORE) {
			r = 0;
			break;
		}
		if (r == 0)
			r = check_order(reader, &frame, err);
		if (r < 0)
			return r;
		if (len - used - frame.header_size < frame.length)
			break;
		r = take_frame(reader, &frame, data + used + frame.header_size, ret);
		if (r < 0)
			return error_oom(err);
		used += frame.header_size + (size_t)frame.length;
	}
	*ret_used = used;
	return r;
}

void frame_reader_done(struct frame_reader *reader)
{
	buf_done(&reader->partial);
	*reader = (struct frame_reader){0};
}

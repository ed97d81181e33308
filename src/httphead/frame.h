// SPDX-License-Identifier: Apache-2.0
/**
 * WebSocket frames (RFC 6455, section 5): headers, masks, and whole messages out of frames.
 *
 * The client uses all of it, for it is linked statically and the WebSocket library comes as a
 * shared one only.  The server prints its headers with it.
 */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define FRAME_HEADER_MAX 14

/** Returned by frame_parse() when the header is not whole yet. */
#define FRAME_MORE 1

enum frame_opcode {
	FRAME_CONTINUATION = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
};

/** A frame's header. */
struct frame {
	bool fin;
	bool masked;
	enum frame_opcode opcode;
	uint8_t mask[4];    /**< When `masked`. */
	uint64_t length;    /**< Bytes of payload. */
	size_t header_size; /**< Bytes of the header; ignored by frame_print(). */
};

/**
 * Parse the header at the start of `len` bytes.  Returns 0, FRAME_MORE, or -EPROTO: reserved bits
 * or opcodes, a length in more bytes than it needs, a control frame that is long or a fragment.
 */
int frame_parse(const void *data, size_t len, struct frame *ret, struct error *err);

/** Print a header.  Returns its size. */
size_t frame_print(const struct frame *frame, uint8_t ret[static FRAME_HEADER_MAX]);

/** Apply a mask to payload bytes; the first of them is at `offset` of its frame. */
void frame_mask(void *data, size_t len, const uint8_t mask[static 4], size_t offset);

/** Collects the messages that a server sends.  Zero-initialise it and set message_max. */
struct frame_reader {
	size_t message_max;       /**< A longer message is -EMSGSIZE. */
	bool fragmented;          /**< A message has begun and not ended. */
	enum frame_opcode opcode; /**< Its kind. */
	struct buf partial;       /**< What there is of it. */
};

/** A whole message, or a control frame.  `data` is borrowed until the next call. */
struct frame_message {
	enum frame_opcode opcode; /**< Never FRAME_CONTINUATION. */
	const char *data;
	size_t len;
};

/**
 * Take frames off the front of `len` bytes up to the next whole message.
 *
 * Returns 1 with *ret, or 0 when more bytes are needed; *ret_used bytes are done with either way.
 * -EPROTO (bad or masked frames, fragments out of order), -EMSGSIZE, -ENOMEM.
 */
int frame_next(struct frame_reader *reader, const char *data, size_t len, struct frame_message *ret,
	       size_t *ret_used, struct error *err);

/** Free what a reader holds; works on a zeroed one. */
void frame_reader_done(struct frame_reader *reader);

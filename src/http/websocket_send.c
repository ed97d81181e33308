// SPDX-License-Identifier: Apache-2.0
/**
 * Sending on a WebSocket.
 *
 * How it works: short messages are queued and written together when the loop's turn ends.  Long
 * ones are written straight from the caller's memory while nothing is queued before them.
 */
#include "http/websocket_priv.h"

#include "httphead/frame.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define QUEUE_HIGH (256U << 10)
#define DIRECT_MIN 4096U

void websocket_send_flush(struct websocket *ws)
{
	if (ws->out.len == 0 || !ws->source.loop || ws->broken)
		return;

	ssize_t n = send(ws->source.fd, ws->out.data, ws->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0) {
		ws->broken = errno != EAGAIN && errno != EINTR;
		return;
	}
	buf_consume(&ws->out, (size_t)n);
	if (ws->out.len > 0)
		return;
	ws->control = 0;
	if (ws->out.cap > WEBSOCKET_KEEP_MAX)
		buf_done(&ws->out);
}

/** Write a frame straight from the caller's memory; what does not fit is queued. */
static void send_directly(struct websocket *ws, struct iovec part[static 2])
{
	struct msghdr msg = {.msg_iov = part, .msg_iovlen = 2};
	ssize_t n = sendmsg(ws->source.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		ws->broken = true;
		return;
	}

	size_t sent = n < 0 ? 0 : (size_t)n;

	for (int i = 0; i < 2; i++) {
		size_t skip = sent < part[i].iov_len ? sent : part[i].iov_len;

		buf_add(&ws->out, (char *)part[i].iov_base + skip, part[i].iov_len - skip);
		sent -= skip;
	}
}

/** Send one frame: the first part is its header and maybe a first byte of payload. */
static bool send_frame(struct websocket *ws, struct iovec part[static 2])
{
	if (ws->state != WEBSOCKET_OPEN || ws->broken)
		return false;
	if (part[1].iov_len >= DIRECT_MIN && ws->out.len == 0 && ws->source.loop) {
		send_directly(ws, part);
	} else {
		buf_add(&ws->out, part[0].iov_base, part[0].iov_len);
		buf_add(&ws->out, part[1].iov_base, part[1].iov_len);
	}
	ws->broken |= ws->out.failed;
	ws->full |= ws->out.len >= QUEUE_HIGH;
	if (ws->out.len > 0 || ws->broken)
		websocket_settle_soon(ws);
	return !ws->full;
}

bool websocket_send(struct websocket *ws, bool text, const void *data, size_t len)
{
	uint8_t header[FRAME_HEADER_MAX];
	struct frame frame = {
		.fin = true, .opcode = text ? FRAME_TEXT : FRAME_BINARY, .length = len};
	union {
		const void *in;
		void *out;
	} bytes = {.in = data}; // an iovec takes a pointer to what is only read

	return send_frame(
		ws, (struct iovec[]){{header, frame_print(&frame, header)}, {bytes.out, len}});
}

bool websocket_send_channel(struct websocket *ws, uint8_t channel, const void *data, size_t len)
{
	uint8_t header[FRAME_HEADER_MAX + 1];
	struct frame frame = {.fin = true, .opcode = FRAME_BINARY, .length = len + 1};
	size_t size = frame_print(&frame, header);
	union {
		const void *in;
		void *out;
	} bytes = {.in = data};

	header[size++] = channel;
	return send_frame(ws, (struct iovec[]){{header, size}, {bytes.out, len}});
}

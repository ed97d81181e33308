// SPDX-License-Identifier: Apache-2.0
/**
 * The client's end of a WebSocket.
 *
 * How it works: the handshake and the start message go out together, blocking.  Everything after
 * that is non-blocking.  Until the first byte of an answer came, `hello` keeps what was sent: a
 * daemon that was about to end has not read it, because it answers the handshake before it looks
 * at the message, so it can be sent to the next daemon.
 */
#include "client/stream.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/random.h"
#include "client/client_priv.h"
#include "httphead/frame.h"
#include "httphead/handshake.h"
#include "json/decode.h"
#include "json/encode.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define STREAM_PATH "/v1/stream"
#define MESSAGE_MAX (4U << 20)
#define REFUSAL_MAX (64u << 10) // of a body that says why
#define STDIN_MAX (64U << 10)

struct stream {
	char *home;
	bool start;
	int fd;
	bool confirmed; /**< The daemon has switched to WebSocket. */
	bool used;      /**< Something was sent after the start message. */
	bool retried;
	bool drained;   /**< The last read took all there was: poll before the next. */
	bool ended;     /**< Nothing more comes. */
	uint64_t masks; /**< State of the mask generator. */
	struct buf hello;
	struct buf in;
	size_t at; /**< Bytes of `in` that are done with. */
	struct buf out;
	struct frame_reader reader;
	json_t *object; /**< Of the last message. */
};

/* Sending ------------------------------------------------------------------------------ */

/**
 * The next mask.  Masks guard caches between client and server, and here is nothing in between,
 * so they only have to be different; the seed comes from the kernel.
 */
static void next_mask(struct stream *stream, uint8_t ret[static 4])
{
	stream->masks += 0x9e3779b97f4a7c15U;

	uint64_t z = stream->masks;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z ^= z >> 27;
	memcpy(ret, &z, 4);
}

/** An iovec takes a pointer to what is only read. */
static struct iovec bytes_of(const void *data, size_t len)
{
	union {
		const void *in;
		void *out;
	} bytes = {.in = data};

	return (struct iovec){bytes.out, len};
}

/** Append a whole masked frame; `first` (or -1) is a byte in front of the data. */
static void add_frame(struct stream *stream, struct buf *out, enum frame_opcode opcode, int first,
		      struct iovec data)
{
	size_t len = data.iov_len + (first >= 0);
	struct frame frame = {.fin = true, .masked = true, .opcode = opcode, .length = len};
	uint8_t header[FRAME_HEADER_MAX];

	next_mask(stream, frame.mask);
	buf_add(out, header, frame_print(&frame, header));

	size_t start = out->len;

	if (first >= 0)
		buf_addc(out, (char)first);
	buf_add(out, data.iov_base, data.iov_len);
	if (!out->failed)
		frame_mask(out->data + start, len, frame.mask, 0);
}

int stream_flush(struct stream *stream, struct error *err)
{
	if (stream->out.failed)
		return error_oom(err);
	if (stream->out.len == 0)
		return 0;

	ssize_t n =
		send(stream->fd, stream->out.data, stream->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		int r = error_errno(err, "write to the daemon");

		stream->out.len = 0; // nobody takes it any more
		return r;
	}
	if (n > 0)
		buf_consume(&stream->out, (size_t)n);
	return 0;
}

static int send_frame(struct stream *stream, enum frame_opcode opcode, int first, struct iovec data,
		      struct error *err)
{
	stream->used = true;
	add_frame(stream, &stream->out, opcode, first, data);
	return stream_flush(stream, err);
}

int stream_send_stdin(struct stream *stream, const void *data, size_t len, struct error *err)
{
	if (len > STDIN_MAX)
		return error_set(err, EMSGSIZE, "more than %u bytes of stdin at once", STDIN_MAX);
	return send_frame(stream, FRAME_BINARY, 0, bytes_of(data, len), err);
}

int stream_send_close_stdin(struct stream *stream, struct error *err)
{
	static const char text[] = "{\"type\":\"close_stdin\"}";

	return send_frame(stream, FRAME_TEXT, -1, bytes_of(text, sizeof(text) - 1), err);
}

int stream_send_signal(struct stream *stream, int signo, struct error *err)
{
	AUTO(buf_done) struct buf text = {0};

	buf_addf(&text, "{\"type\":\"signal\",\"signal\":%d}", signo);
	if (text.failed)
		return error_oom(err);
	return send_frame(stream, FRAME_TEXT, -1, bytes_of(text.data, text.len), err);
}

int stream_send_continue(struct stream *stream, struct error *err)
{
	static const char text[] = "{\"type\":\"continue\"}";

	return send_frame(stream, FRAME_TEXT, -1, bytes_of(text, sizeof(text) - 1), err);
}

int stream_send_resize(struct stream *stream, unsigned rows, unsigned cols, struct error *err)
{
	AUTO(buf_done) struct buf text = {0};

	buf_addf(&text, "{\"type\":\"resize\",\"rows\":%u,\"cols\":%u}", rows, cols);
	if (text.failed)
		return error_oom(err);
	return send_frame(stream, FRAME_TEXT, -1, bytes_of(text.data, text.len), err);
}

/* Opening ------------------------------------------------------------------------------ */

/** The handshake and the start message. */
static int print_hello(struct stream *stream, const json_t *start, struct error *err)
{
	AUTO(buf_done) struct buf text = {0};
	uint8_t random[HANDSHAKE_NONCE_SIZE + sizeof(stream->masks)];

	random_fill(random, sizeof(random));
	memcpy(&stream->masks, random + HANDSHAKE_NONCE_SIZE, sizeof(stream->masks));
	encode_print(start, &text);
	if (text.len > MESSAGE_MAX)
		return error_set(err, E2BIG, "the command is over %u bytes", MESSAGE_MAX);
	handshake_request(&stream->hello, STREAM_PATH, random);
	add_frame(stream, &stream->hello, FRAME_TEXT, -1, bytes_of(text.data, text.len));
	return text.failed || stream->hello.failed ? error_oom(err) : 0;
}

static int write_hello(const struct stream *stream, struct error *err)
{
	int r = client_write(stream->fd, &stream->hello, err);

	// A daemon that refuses may close before it has read all; its answer says why.
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

int stream_open(struct client *client, const json_t *start, struct stream **ret, struct error *err)
{
	AUTO(stream_close) struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return error_oom(err);
	stream->fd = TAKE_FD(client->fd);
	stream->home = TAKE_PTR(client->home);
	stream->start = client->start;
	stream->reader.message_max = MESSAGE_MAX;

	int r = print_hello(stream, start, err);

	if (r == 0)
		r = write_hello(stream, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(stream);
	return 0;
}

struct stream *stream_close(struct stream *stream)
{
	if (!stream)
		return NULL;
	(void)fd_close(stream->fd);
	json_decref(stream->object);
	frame_reader_done(&stream->reader);
	buf_done(&stream->hello);
	buf_done(&stream->in);
	buf_done(&stream->out);
	free(stream->home);
	free(stream);
	return NULL;
}

int stream_fd(const struct stream *stream)
{
	return stream->fd;
}

bool stream_pending(const struct stream *stream)
{
	return stream->out.len > 0;
}

/* Receiving ---------------------------------------------------------------------------- */

/** The answer is no WebSocket but a refusal: say its reason.  0: more bytes are needed. */
static int refused(const struct stream *stream, const struct head *head, struct error *err)
{
	struct client_answer answer = {.status = head->status};
	size_t have = stream->in.len - head->size;
	struct error ignored;

	if (head->has_length && head->length > have && head->length <= REFUSAL_MAX &&
	    !stream->ended)
		return 0;
	if (head->has_length && head->length > 0 && head->length <= have)
		(void)decode_text(stream->in.data + head->size, (size_t)head->length, MESSAGE_MAX,
				  &answer.body, &ignored);

	int r = client_problem(&answer, err);

	json_decref(answer.body);
	return r;
}

/** 1: confirmed; 0: more bytes are needed. */
static int take_head(struct stream *stream, struct error *err)
{
	struct head head;
	int r = head_parse(stream->in.data, stream->in.len, &head, err);

	if (r == HEAD_MORE)
		return 0;
	if (r < 0)
		return r;
	if (!handshake_confirmed(&head))
		return refused(stream, &head, err);
	stream->confirmed = true;
	stream->at = head.size;
	return 1;
}

static int take_text(struct stream *stream, const struct frame_message *message,
		     struct stream_message *ret, struct error *err)
{
	int r = decode_text(message->data, message->len, MESSAGE_MAX, &stream->object, err);

	if (r < 0)
		return error_wrap(err, r, "a message of the daemon");
	*ret = (struct stream_message){.kind = STREAM_TEXT,
				       .data = message->data,
				       .len = message->len,
				       .object = stream->object};
	return 1;
}

/** 1: *ret is filled; 0: it was nothing for the caller. */
static int take_message(struct stream *stream, const struct frame_message *message,
			struct stream_message *ret, struct error *err)
{
	const char *data = message->data;
	struct error ignored;

	switch (message->opcode) {
	case FRAME_TEXT:
		return take_text(stream, message, ret, err);
	case FRAME_BINARY:
		if (message->len < 1 || (data[0] != STREAM_STDOUT && data[0] != STREAM_STDERR))
			return error_set(err, EPROTO, "the daemon sent output of an unknown kind");
		*ret = (struct stream_message){.kind = (enum stream_kind)data[0],
					       .data = data + 1,
					       .len = message->len - 1};
		return 1;
	case FRAME_CLOSE:
		*ret = (struct stream_message){.kind = STREAM_END};
		return 1;
	case FRAME_PING:
		add_frame(stream, &stream->out, FRAME_PONG, -1, bytes_of(data, message->len));
		(void)stream_flush(stream, &ignored); // a dead connection shows when it is read
		return 0;
	case FRAME_PONG:
	case FRAME_CONTINUATION: // never given by frame_next()
		break;
	}
	return 0;
}

/** Take the next message from what was read.  1: *ret is filled; 0: more bytes are needed. */
static int take_next(struct stream *stream, struct stream_message *ret, struct error *err)
{
	int r = stream->confirmed || stream->in.len == 0 ? 1 : take_head(stream, err);

	if (r <= 0 || !stream->confirmed)
		return r < 0 ? r : 0;
	for (;;) {
		struct frame_message message;
		size_t used;

		r = frame_next(&stream->reader, stream->in.data + stream->at,
			       stream->in.len - stream->at, &message, &used, err);
		if (r < 0)
			return r;
		stream->at += used;
		if (r == 0)
			return 0;
		r = take_message(stream, &message, ret, err);
		if (r != 0)
			return r;
	}
}

/** The daemon closed the connection: try the next one, once.  1: what came is to be judged. */
static int retry(struct stream *stream, struct error *err)
{
	if (!stream->confirmed && stream->in.len > 0 && !stream->ended) {
		stream->ended = true;
		return 1; // a cut refusal: its status must do
	}
	if (stream->confirmed || stream->in.len > 0 || stream->used || stream->retried)
		return error_set(err, ECONNRESET, "the daemon closed the connection");
	stream->retried = true;
	stream->fd = fd_close(stream->fd);

	int r = client_dial(stream->home, stream->start, &stream->fd, err);

	return r < 0 ? r : write_hello(stream, err);
}

/** Read what is there.  1: some bytes; 0: nothing. */
static int receive(struct stream *stream, struct error *err)
{
	if (stream->drained) {
		stream->drained = false;
		return 0;
	}
	buf_consume(&stream->in, stream->at);
	stream->at = 0;

	ssize_t n = client_read(stream->fd, &stream->in, MSG_DONTWAIT, err);

	if (n == -EAGAIN)
		return 0;
	if (n == 0 || n == -ECONNRESET)
		return retry(stream, err);
	if (n < 0)
		return (int)n;
	stream->drained = n < CLIENT_READ_SIZE;
	if (stream->hello.len > 0)
		buf_done(&stream->hello);
	return 1;
}

int stream_read(struct stream *stream, struct stream_message *ret, struct error *err)
{
	json_decref(stream->object);
	stream->object = NULL;
	for (;;) {
		int r = take_next(stream, ret, err);

		if (r != 0)
			return r;
		r = receive(stream, err);
		if (r <= 0)
			return r;
	}
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One command over the WebSocket /v1/stream, from the client's side.
 *
 * stream_open() sends the handshake and the start message in one write, so a command costs one
 * round trip.  Then poll stream_fd() and call stream_read() / stream_send*().
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct client;
struct error;
struct stream;

enum stream_kind {
	STREAM_STDOUT = 1, /**< Binary channel 1. */
	STREAM_STDERR = 2, /**< Binary channel 2. */
	STREAM_TEXT,       /**< A control object. */
	STREAM_END,        /**< The daemon closed the stream. */
};

/** One received message; `data` is valid until the next stream_read(). */
struct stream_message {
	enum stream_kind kind;
	const char *data;
	size_t len;
	json_t *object; /**< For STREAM_TEXT: owned by the stream, until the next stream_read(). */
};

/** Take the connection of `client` over.  `start` is the execute object. */
int stream_open(struct client *client, const json_t *start, struct stream **ret, struct error *err);

/** Close.  NULL is fine.  Returns NULL. */
struct stream *stream_close(struct stream *stream);
DEFINE_AUTO(struct stream *, stream_close)

/** Poll it for POLLIN, and POLLOUT while stream_pending(). */
int stream_fd(const struct stream *stream);

/** True while bytes wait to be written; stop reading stdin then. */
bool stream_pending(const struct stream *stream);

/** 1: *ret is a message; 0: nothing whole yet; <0: broken. */
int stream_read(struct stream *stream, struct stream_message *ret, struct error *err);

/** Send bytes of stdin (at most 64 KiB a call). */
int stream_send_stdin(struct stream *stream, const void *data, size_t len, struct error *err);

/** Send {"type": "close_stdin"}. */
int stream_send_close_stdin(struct stream *stream, struct error *err);

/** Send {"type": "signal", "signal": signo}. */
int stream_send_signal(struct stream *stream, int signo, struct error *err);

/** Send {"type": "continue"}. */
int stream_send_continue(struct stream *stream, struct error *err);

/** Send {"type": "resize", "rows": rows, "cols": cols}. */
int stream_send_resize(struct stream *stream, unsigned rows, unsigned cols, struct error *err);

/** Write what is pending without blocking. */
int stream_flush(struct stream *stream, struct error *err);

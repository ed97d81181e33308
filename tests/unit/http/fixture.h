// SPDX-License-Identifier: Apache-2.0
/**
 * A server in a process of its own, on DIR/sock/agent.sock of a temporary directory, and the
 * client's side of HTTP and WebSocket as plain bytes.
 *
 * Its routes: /hello; /echo (the body); /show (method, path, query); /later (answered by
 * /release); /silent (the same, unwatched); /delayed (by a timer); /counters; /quit; /ws and
 * /v1/stream (see fixture_server.c).
 */
#pragma once

#include "base/buf.h"
#include "httphead/frame.h"
#include "httphead/head.h"

#include <stdbool.h>
#include <sys/types.h>

#define FIXTURE_BODY_MAX (4U << 20)

struct fixture {
	char dir[64];
	char path[96];
	pid_t pid;
};

/** An answer.  Zero-initialise it before the first use, fixture_answer_done() after the last. */
struct answer {
	struct head head; /**< Borrows from `bytes`. */
	struct buf bytes; /**< Head and body. */
	struct buf body;  /**< NUL-terminated copy. */
	struct buf rest;  /**< What came after it: the start of the next answer. */
};

/** Start the server. */
void fixture_start(struct fixture *fixture, unsigned connections_max);

/** Have it end, and fail unless it ended well (a leak is not well under ASan). */
void fixture_stop(struct fixture *fixture);

/** What runs in the server's process. */
int fixture_serve(int listen_fd, unsigned connections_max);

/** Connect.  The caller closes. */
int fixture_dial(const struct fixture *fixture);

/** Send all of it. */
void fixture_send(int fd, const void *data, size_t len);
void fixture_say(int fd, const char *text);

/** Send as long as somebody reads.  Returns the bytes that were taken. */
size_t fixture_push(int fd, const void *data, size_t len);

/** Read one answer; what follows it is kept for the next one.  Fails after 20 seconds. */
void fixture_answer(int fd, struct answer *answer);
void fixture_answer_done(struct answer *answer);

/** Wait for the end of the stream.  Returns the bytes that came before it. */
size_t fixture_drain(int fd);

/** One request on a connection of its own; the body's text must be freed with answer_done. */
void fixture_get(const struct fixture *fixture, const char *path, struct answer *answer);

/** Wait until a counter of the server has this value.  Fails after 20 seconds. */
void fixture_expect(const struct fixture *fixture, const char *counter, long value);

/** A counter's value. */
long fixture_counter(const struct fixture *fixture, const char *counter);

/** Text of a handshake for /ws. */
extern const char fixture_handshake[];

/** Append a frame of a client: masked, unless told otherwise. */
void fixture_frame(struct buf *out, struct frame frame, const void *data);

/** A WebSocket that is open. */
int fixture_websocket(const struct fixture *fixture, struct buf *in);

/** Send one text or binary message. */
void fixture_message(int fd, enum frame_opcode opcode, const void *data, size_t len);

/** Read the next frame of the server; its payload is NUL-terminated in `ret`. */
struct frame fixture_read_frame(int fd, struct buf *in, struct buf *ret);

/** The next frame must be a close with this code. */
void fixture_read_close(int fd, struct buf *in, unsigned code);

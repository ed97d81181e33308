// SPDX-License-Identifier: Apache-2.0
/**
 * The HTTP/1.1 server on a unix socket: libmicrohttpd on our loop, WebSockets by libwslay.
 *
 * It knows HTTP and nothing of the domain.  A handler gets a whole request (head and bounded
 * body) and answers at once or later, exactly once; until then the exchange is suspended.
 * Requests that could be understood in two ways (CL and TE, repeated Content-Length or Host,
 * unknown transfer codings) are answered 400 before any body and the connection is closed.
 */
#pragma once

#include "base/compiler.h"
#include "http/peer.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct loop;
struct http_server;
struct exchange;
struct websocket;

/** A request.  Borrowed: valid until the exchange is answered. */
struct http_request {
	const char *method; /**< "GET", ... */
	const char *path;   /**< Percent-decoded, no query; starts with "/", has no NUL. */
	const char *body;   /**< NUL-terminated; may hold NULs. */
	size_t body_len;
	const struct peer *peer; /**< Borrowed; lives as long as the connection. */
};

/** Called with each request.  The handler must answer `x`, here or later. */
typedef void http_handler_fn(struct exchange *x, const struct http_request *req, void *userdata);

struct http_options {
	int listen_fd;            /**< Listening unix socket; borrowed. */
	size_t body_max;          /**< Bytes; more is 413. */
	unsigned connections_max; /**< At once; more wait in the backlog. */
	http_handler_fn *handler;
	/** Told whenever the number of open connections changes (idle exit). */
	void (*connections_changed)(unsigned count, void *userdata);
	void *userdata;
};

/** Serve on the loop.  On success the caller owns *ret. */
int http_server_new(struct loop *loop, const struct http_options *options, struct http_server **ret,
		    struct error *err);

/**
 * Close everything; open exchanges and WebSockets get their gone() callback.  Not from within
 * a callback of this module.  NULL is fine.  Returns NULL.
 */
struct http_server *http_server_free(struct http_server *server);
DEFINE_AUTO(struct http_server *, http_server_free)

/** A query parameter, percent-decoded and borrowed, or NULL. */
const char *exchange_query(struct exchange *x, const char *name);

/** A request header, borrowed, or NULL. */
const char *exchange_header(struct exchange *x, const char *name);

/**
 * Be told when the client goes away before the answer.  The exchange is gone after that call.
 * A client that closes its sending side counts as gone.  Without it a late answer is dropped.
 */
void exchange_on_gone(struct exchange *x, void (*gone)(void *owner), void *owner);

/** Answer with a body (copied).  content_type NULL: application/json. */
void exchange_reply(struct exchange *x, unsigned status, const char *content_type, const void *body,
		    size_t len);

/** A header for the answer that follows ("Allow", "Retry-After"). */
void exchange_set_header(struct exchange *x, const char *name, const char *value);

/** What a WebSocket's owner is told.  All are called from the loop. */
struct websocket_ops {
	/** A whole message (at most 4 MiB while `start`, 64 KiB payload + 1 later). */
	void (*message)(struct websocket *ws, bool text, const void *data, size_t len, void *owner);
	/** The queue fell below the low mark after it was over the high mark. */
	void (*writable)(struct websocket *ws, void *owner);
	/** The client is gone or broke the protocol.  `ws` is freed after this call. */
	void (*gone)(struct websocket *ws, void *owner);
};

/**
 * Turn a GET with a correct WebSocket handshake into a WebSocket.  Answers 400/426 itself
 * when it is none.  The owner is told by ops; *ret is valid until gone() or websocket_close().
 * Returns 0, or -EPROTO after such an answer.
 */
int exchange_upgrade(struct exchange *x, const struct websocket_ops *ops, void *owner,
		     struct websocket **ret);

/**
 * Queue one message (copied).  Returns false when the queue is over its high mark (256 KiB).
 * What is sent within one turn of the loop goes out in one write where it fits.
 */
bool websocket_send(struct websocket *ws, bool text, const void *data, size_t len);

/** Queue a binary message made of a one-byte channel and data. */
bool websocket_send_channel(struct websocket *ws, uint8_t channel, const void *data, size_t len);

/** Bytes that are queued and not yet written. */
size_t websocket_queued(const struct websocket *ws);

/** Stop or resume reading.  Messages that were read already are still delivered. */
void websocket_pause(struct websocket *ws, bool paused);

/** Send what is queued, then a close frame with `code`; no callback follows.  `ws` is gone. */
void websocket_close(struct websocket *ws, uint16_t code);

// SPDX-License-Identifier: Apache-2.0
/** What the files of this module share. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "http/server.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <microhttpd.h>

#define HTTP_INPUT_SIZE 65536 /**< Bytes of one read from a WebSocket. */

struct http_server {
	struct loop *loop;
	struct http_options options;
	struct peer_self self;
	struct MHD_Daemon *mhd;
	struct loop_source listen_source;
	struct loop_source mhd_source;
	struct timer timer;          /**< The library's next timeout. */
	struct timer accept_timer;   /**< Runs after accept() failed. */
	struct connection *incoming; /**< Accepted, not yet taken by the library. */
	unsigned connections;        /**< Open ones, WebSockets included. */
	bool accepting;              /**< The listening socket is watched. */
	bool resumed; /**< The library must run: something outside its sockets changed. */
	bool running; /**< MHD_run() is on the stack: it must not be entered again. */
	struct exchange *waiting;     /**< Suspended exchanges. */
	struct websocket *websockets; /**< Every one that has an owner or bytes to send. */
	struct websocket *fresh; /**< Those that became sockets of their own in this MHD_run(). */
	char *input;             /**< HTTP_INPUT_SIZE bytes that every WebSocket reads into. */
};

/** One accepted socket; lives as long as the library's connection. */
struct connection {
	struct http_server *server;
	struct peer peer;
	int fd; /**< Borrowed from the library. */
};

enum exchange_state {
	EXCHANGE_HEAD,     /**< The head is known to nobody but the library. */
	EXCHANGE_BODY,     /**< The head was judged and is good. */
	EXCHANGE_HANDLING, /**< The handler is on the stack. */
	EXCHANGE_WAITING,  /**< Suspended: the handler answers later. */
	EXCHANGE_ANSWERED,
	EXCHANGE_GONE, /**< The client went away while it waited. */
};

struct exchange {
	enum exchange_state state;
	struct connection *connection;
	struct MHD_Connection *mhd;
	struct exchange *prev; /**< In server->waiting. */
	struct exchange *next;
	struct loop_source watch; /**< The socket, for the client's death, while waiting. */
	bool bad_target;          /**< The request target cannot be decoded. */
	bool answer_last;         /**< Close the connection after the answer. */
	const char *method;       /**< Borrowed from the library. */
	const char *version;
	struct buf body;
	size_t overflow;     /**< Bytes of a body that is too long: read and forgotten. */
	struct strv headers; /**< For the answer: name, value, name, value. */
	void (*gone)(void *owner);
	void *owner;
	unsigned status; /**< Of the answer. */
	struct MHD_Response *response;
	struct websocket *websocket; /**< The answer makes it one. */
};

/* http_server.c */
/** A connection was resumed or given back: have the library run before the loop waits again. */
void http_server_resumed(struct http_server *server);

/* exchange.c: callbacks of the library and what http_server.c needs. */

/** The library met a new request. */
void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *mhd);

/** The library has a head, a piece of the body, or the whole request. */
enum MHD_Result exchange_access(void *cls, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *data,
				size_t *size, void **slot);

/** The library is done with a request. */
void exchange_completed(void *cls, struct MHD_Connection *mhd, void **slot,
			enum MHD_RequestTerminationCode code);
/** The client of a waiting exchange is gone: tell its owner and let the library drop it. */
void exchange_abandon(struct exchange *x);

/* exchange_head.c */
/** Is it a path of printable ASCII, with whole escapes and no NUL (which would hide the rest)? */
bool exchange_head_target(const char *uri);
/** Why the head is refused, or NULL and its Content-Length (0: none).  Static text. */
const char *exchange_head_fault(const struct exchange *x, uint64_t *ret_length);

/* websocket.c */

/** Make a WebSocket whose socket is not there yet. */
struct websocket *websocket_new(struct http_server *server, const struct websocket_ops *ops,
				void *owner);
/** Callback of the library: the socket is ours. */
void websocket_upgraded(void *cls, struct MHD_Connection *mhd, void *context, const char *extra,
			size_t extra_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle);
/** Start on the sockets that websocket_upgraded() took over. */
void websocket_attach_fresh(struct http_server *server);
/** The connection died before it became a WebSocket: tell its owner and free it. */
void websocket_stillborn(struct websocket *ws);
/** Free one that nobody knows yet. */
void websocket_discard(struct websocket *ws);
/** End every one at once; their owners are told. */
void websocket_abort_all(struct http_server *server);

// SPDX-License-Identifier: Apache-2.0
/** A WebSocket's inside, shared by its two files. */
#pragma once

#include "http/http_priv.h"

#include <wslay/wslay.h>

#define WEBSOCKET_KEEP_MAX (128U << 10) /**< Memory that an empty buffer may keep. */

enum websocket_state { WEBSOCKET_OPEN, WEBSOCKET_DRAINING, WEBSOCKET_LINGERING };

struct websocket {
	enum websocket_state state;
	struct http_server *server;
	const struct websocket_ops *ops;
	void *owner;
	struct websocket *prev; /**< In server->websockets. */
	struct websocket *next;
	struct websocket *next_fresh;             /**< In server->fresh. */
	struct MHD_UpgradeResponseHandle *handle; /**< NULL before the upgrade. */
	int fd;                                   /**< The library's, which closes it; -1 before. */
	struct loop_source source;
	struct timer flush; /**< Settles at the end of the turn. */
	struct timer limit; /**< The start message, or lingering, takes too long. */
	wslay_event_context_ptr wslay;
	const char *in; /**< What wslay reads: rest of the bytes just read. */
	size_t in_len;
	struct buf early;   /**< Bytes that came with the handshake. */
	struct buf message; /**< The message being collected. */
	bool text;          /**< Its kind. */
	bool in_control;    /**< The frame being read is a control frame. */
	struct buf out;     /**< Frames to send. */
	size_t control;     /**< Control frames' share of `out`, at most. */
	size_t lingered;    /**< Bytes read for nothing. */
	uint32_t events;    /**< What the loop watches. */
	unsigned busy;      /**< Our callers that still need the object. */
	bool started;       /**< The first message came. */
	bool paused;
	bool full;   /**< Over the high mark, and not yet below the low one. */
	bool broken; /**< The socket is of no more use. */
};

/** Have websocket_settle() run before the loop waits again. */
void websocket_settle_soon(struct websocket *ws);

/** Write what is queued, as far as the socket takes it. */
void websocket_send_flush(struct websocket *ws);

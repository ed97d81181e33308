// SPDX-License-Identifier: Apache-2.0
/**
 * The control socket of a world, with a queue for what init has not read yet.
 *
 * Packets leave in the order in which they were sent, so init mounts what was sent before a
 * spawn before it spawns.
 */
#pragma once

#include "base/compiler.h"
#include "loop/loop.h"

struct control_message;
struct error;
struct world_link_packet;

/** Embed it; zero-initialise, fd is -1 while closed. */
struct world_link {
	struct loop_source source;               /**< Of the socket. */
	int fd;                                  /**< Borrowed. */
	struct world_link_packet *first, **tail; /**< Waiting for room. */
	unsigned queued;                         /**< Their number. */
};

/** Watch the socket; `fn` is called when it can be read, or when EPOLLOUT asks for a flush. */
int world_link_open(struct world_link *link, struct loop *loop, int fd, loop_fn *fn,
		    struct error *err);

/** Stop watching and drop what waits.  Fine when it is not open. */
void world_link_close(struct world_link *link);

/**
 * Send, or queue, one packet.  Everything in it is copied, descriptors are duplicated.
 * -EPIPE: init is gone or the link is closed; -ENOBUFS: init has not read for long.
 */
int world_link_send(struct world_link *link, const struct control_message *msg, struct error *err);

/** Send what waits, as far as there is room. */
int world_link_flush(struct world_link *link, struct error *err);

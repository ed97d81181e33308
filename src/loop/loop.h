// SPDX-License-Identifier: Apache-2.0
/**
 * The event loop: one thread, one epoll set, level-triggered.
 *
 * Embed a struct loop_source in the object that owns the fd; the callback finds its
 * owner with container_of().  Nothing here allocates per source, so removing a source
 * cannot fail and the owner's lifetime is the registration's lifetime.
 * Signals arrive by signalfd and children by pidfd: all are just fds.  Timers: loop/timer.h.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct error;
struct loop;
struct loop_source;

/**
 * Called with the EPOLL* bits that are ready.  May add and remove any source,
 * its own included.  Return 0 to go on, or <0 with *err set to end loop_run().
 */
typedef int loop_fn(struct loop_source *src, uint32_t events, struct error *err);

/** All fields belong to loop.c.  Zero-initialise before the first loop_add(). */
struct loop_source {
	struct loop *loop; /**< NULL while not added. */
	loop_fn *fn;
	int fd; /**< Borrowed: remove the source before closing it. */
};

/** Make a loop.  On success the caller owns *ret. */
int loop_new(struct loop **ret, struct error *err);

/** Free a loop that has no sources left.  NULL is fine.  Returns NULL. */
struct loop *loop_free(struct loop *loop);
DEFINE_AUTO(struct loop *, loop_free)

/** Watch fd for `events` (EPOLLIN | EPOLLOUT).  `src` must stay at its address until removed. */
int loop_add(struct loop *loop, struct loop_source *src, int fd, uint32_t events, loop_fn *fn,
	     struct error *err);

/** Change what a source waits for; 0 pauses it (errors and hang-ups are still told). */
void loop_modify(struct loop_source *src, uint32_t events);

/** Stop watching.  After this `fn` is not called again, not even for events already fetched. */
void loop_remove(struct loop_source *src);

/** Dispatch until loop_stop() (returns 0) or a callback fails (returns its error). */
int loop_run(struct loop *loop, struct error *err);

/** Make loop_run() return once the current callback is done. */
void loop_stop(struct loop *loop);

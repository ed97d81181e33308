// SPDX-License-Identifier: Apache-2.0
/**
 * Directories watched with one inotify instance, each by any number of subscribers.
 *
 * Events only mark things: a subscriber must not add or remove subscriptions while it is told;
 * `settled` is called after each batch for the work itself.
 */
#pragma once

#include "loop/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct guard_watch;
struct guard_watch_node;

/** Embed it; zero-initialise, all fields belong to guard_watch.c. */
struct guard_watch_sub {
	struct guard_watch_node *node; /**< NULL while not subscribed. */
	struct guard_watch_sub *next;
	uint32_t mask;
	/** An event in the directory; name "": about itself.  mask IN_IGNORED: it is gone. */
	void (*event)(struct guard_watch_sub *sub, uint32_t mask, const char *name);
};

struct guard_watch_ops {
	/** Events were lost: everything must be looked at. */
	void (*overflow)(void *owner);
	/** A batch of events has been told. */
	void (*settled)(void *owner);
};

/** Caller owns *ret.  -EMFILE when the user has too many inotify instances. */
int guard_watch_new(struct loop *loop, const struct guard_watch_ops *ops, void *owner,
		    struct guard_watch **ret, struct error *err);

/** All subscriptions must be removed.  NULL is fine.  Returns NULL. */
struct guard_watch *guard_watch_free(struct guard_watch *watch);

/** Watch the directory that `dirfd` (may be O_PATH) is open on; `mask` is of inotify's IN_*. */
int guard_watch_add(struct guard_watch *watch, struct guard_watch_sub *sub, int dirfd,
		    uint32_t mask,
		    void (*event)(struct guard_watch_sub *sub, uint32_t mask, const char *name),
		    struct error *err);

/** Fine when it is not subscribed. */
void guard_watch_remove(struct guard_watch *watch, struct guard_watch_sub *sub);

/** Tell what has happened up to here; settled() is called when anything has. */
void guard_watch_drain(struct guard_watch *watch);

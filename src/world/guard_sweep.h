// SPDX-License-Identifier: Apache-2.0
/**
 * Looking through a whole project for repositories, a little at a time.
 *
 * Whoever enters a folder and asks git for its status (shells do, for their prompt) trusts the
 * repository that is there.  A sweep walks the folders of a project in the background, when its
 * world is made and after commands, and finds those that no index mentions.
 */
#pragma once

#include "base/str.h"
#include "loop/timer.h"

#include <stdint.h>

struct guard;

/** Embedded in struct guard; zero-initialise. */
struct guard_sweep {
	struct timer timer;
	struct strv queue;     /**< Folders to look into, below the project; "" is the project. */
	unsigned folders_left; /**< Of this sweep. */
	bool again;            /**< Something ran meanwhile: once more. */
	uint64_t spent_ns;     /**< By this sweep. */
	uint64_t next_ns;      /**< CLOCK_MONOTONIC: no earlier, so that sweeps stay cheap. */
};

/** Start a sweep, or another one when one is on its way. */
void guard_sweep_start(struct guard *guard);

/** Nothing runs any more or ever again: do what is left of it, within bounds. */
void guard_sweep_finish(struct guard *guard);

/** Give it up. */
void guard_sweep_stop(struct guard *guard);

// SPDX-License-Identifier: Apache-2.0
/**
 * One-shot timers of a loop.
 *
 * A timer needs no memory and no descriptor of its own: the earliest one bounds how long the
 * loop waits.  Zero-initialise it before use and keep it at its address while it is armed.
 */
#pragma once

#include "loop/loop.h"

/** All fields belong to timer.c. */
struct timer {
	struct loop *loop;               /**< NULL while not armed. */
	struct timer *next;              /**< The one that is due after this one. */
	uint64_t due_ns;                 /**< CLOCK_MONOTONIC. */
	void (*fn)(struct timer *timer); /**< Called once, disarmed; may arm it again or free it. */
};

/** Arm, or arm again, for `delay_ms` from the time of the call.  Cannot fail. */
void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms,
		 void (*fn)(struct timer *timer));

/** Disarm: fn is not called.  Fine when it is not armed. */
void timer_stop(struct timer *timer);

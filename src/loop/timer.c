// SPDX-License-Identifier: Apache-2.0
/** Timers: a list sorted by due time; equal times keep the order in which they were armed. */
#include "loop/timer.h"

#include "base/clock.h"
#include "loop/loop_priv.h"

#include <limits.h>

#define NS_PER_MS 1000000U

/** clock + delay; a delay that does not fit is for ever. */
static uint64_t due_after(uint64_t delay_ms)
{
	uint64_t due;

	if (__builtin_mul_overflow(delay_ms, (uint64_t)NS_PER_MS, &due) ||
	    __builtin_add_overflow(due, clock_mono_ns(), &due))
		return UINT64_MAX;
	return due;
}

void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms,
		 void (*fn)(struct timer *timer))
{
	timer_stop(timer);
	timer->loop = loop;
	timer->due_ns = due_after(delay_ms);
	timer->fn = fn;

	struct timer **at = &loop->timers;

	while (*at && (*at)->due_ns <= timer->due_ns)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

void timer_stop(struct timer *timer)
{
	if (!timer->loop)
		return;

	struct timer **at = &timer->loop->timers;

	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->next = NULL;
	timer->loop = NULL;
}

int timer_wait_ms(const struct loop *loop)
{
	if (!loop->timers)
		return -1;

	uint64_t now = clock_mono_ns();
	uint64_t due = loop->timers->due_ns;

	if (due <= now)
		return 0;

	uint64_t ms = (due - now - 1) / NS_PER_MS + 1;

	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void timer_run_due(struct loop *loop)
{
	// One that a callback arms with no delay is due later than this, so the loop goes on.
	uint64_t now = loop->timers ? clock_mono_ns() : 0;

	while (loop->timers && loop->timers->due_ns <= now && !loop->stopped) {
		struct timer *timer = loop->timers;

		timer_stop(timer);
		timer->fn(timer);
	}
}

void timer_stop_all(struct loop *loop)
{
	while (loop->timers)
		timer_stop(loop->timers);
}

// SPDX-License-Identifier: Apache-2.0
/** The loop's own state, shared by loop.c and timer.c. */
#pragma once

#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#define LOOP_BATCH_MAX 64

struct timer;

struct loop {
	int epoll_fd;
	bool stopped;
	size_t nsources;
	struct timer *timers;                     /**< Armed ones, the earliest first. */
	struct epoll_event batch[LOOP_BATCH_MAX]; /**< What the last epoll_wait() returned. */
	int next;                                 /**< Index of the first event not dispatched. */
	int count;                                /**< Events in the batch. */
};

/** Milliseconds until the earliest timer, rounded up; -1 when there is none. */
int timer_wait_ms(const struct loop *loop);

/** Call every timer that is due at the time of the call, until the loop is stopped. */
void timer_run_due(struct loop *loop);

/** Disarm every timer of the loop. */
void timer_stop_all(struct loop *loop);

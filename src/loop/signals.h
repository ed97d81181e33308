// SPDX-License-Identifier: Apache-2.0
/** Signals as events: blocked for the process and read from a signalfd. */
#pragma once

#include "loop/loop.h"

#include <signal.h>

/** Embed it; zero-initialise. */
struct signals {
	struct loop_source source; /**< Belongs to signals.c. */
	int fd;                    /**< The signalfd. */
	/** Called with each signal that arrives. */
	void (*fn)(struct signals *signals, int signo);
};

/**
 * Block `set` and deliver it to fn, one signal a call; fn may call signals_close().  Threads that
 * exist already must block the set themselves.  `signals` must stay at its address until
 * signals_close().
 */
int signals_open(struct signals *signals, struct loop *loop, const sigset_t *set,
		 void (*fn)(struct signals *signals, int signo), struct error *err);

/** Stop delivery; the signals stay blocked.  Works on a zeroed struct. */
void signals_close(struct signals *signals);

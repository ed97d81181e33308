// SPDX-License-Identifier: Apache-2.0
/** When the daemon may end: no client, no command, no survivor, for long enough. */
#pragma once

#include "loop/timer.h"

#include <stdbool.h>

struct sessions;

/** All fields belong to idle.c.  Embed it. */
struct idle {
	struct loop *loop;
	struct sessions *sessions;
	struct timer timer;
	uint64_t limit_ms; /**< 0: never. */
	unsigned clients, commands;
	unsigned asked; /**< World lists that have not come yet. */
	bool survivors; /**< One of them had a process. */
	void (*fn)(struct idle *idle);
};

/** Start counting.  fn is called when the time has come. */
void idle_start(struct idle *idle, struct loop *loop, struct sessions *sessions, uint64_t limit_ms,
		void (*fn)(struct idle *idle));

/** Stop; fn is not called any more. */
void idle_stop(struct idle *idle);

/** The number of clients or of commands changed. */
void idle_set_clients(struct idle *idle, unsigned clients);

/** The number of commands changed. */
void idle_set_commands(struct idle *idle, unsigned commands);

// SPDX-License-Identifier: Apache-2.0
/** Our own terminal, while a command in a world has one of its own. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <termios.h>

/** Zero-initialise. */
struct window {
	struct termios saved; /**< As it was before we changed it first. */
	bool known;           /**< `saved` is. */
	bool raw;             /**< It passes on every byte as it is typed. */
};

/** True when stdin, stdout and stderr all are terminals. */
bool window_has_all(void);

/** The size of the terminal on stdin or stdout; 24 by 80 when there is none. */
void window_size(unsigned *ret_rows, unsigned *ret_cols);

/**
 * Make it raw, also when somebody changed it since.  Nothing happens without a terminal on stdin,
 * or while we are in the background.
 */
void window_enter(struct window *window);

/** Put it back as it was.  Works in every state. */
void window_leave(struct window *window);

/**
 * Put it back and stop our process group, as the command that stands behind us was stopped.
 * Returns when somebody continues us; at once where stopping makes no sense (nobody could).
 */
void window_stop(struct window *window);

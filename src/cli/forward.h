// SPDX-License-Identifier: Apache-2.0
/** Signals that we get for the command. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct error;

/**
 * From here on the signals that a person or a supervisor sends arrive as bytes; with `terminal`
 * also SIGWINCH, SIGCONT and SIGTSTP, which are about our terminal.  SIGPIPE and
 * SIGTTIN are blocked as well: write() and read() report them.  They stay blocked, as the process
 * ends with the command.  On success the caller owns *ret_fd.
 */
int forward_open(bool terminal, int *ret_fd, struct error *err);

/** The next signal, or 0: none.  One that was ignored when we were started (nohup) is skipped. */
int forward_next(int fd);

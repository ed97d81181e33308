// SPDX-License-Identifier: Apache-2.0
/**
 * The log of a program, on stderr, for operators.  Only programs and the daemon log; modules
 * return errors.  Under journald (JOURNAL_STREAM set) a line starts with its <N> priority.
 */
#pragma once

#include "base/compiler.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** Set the program's name and the lowest level that is printed. */
void log_start(const char *program, enum log_level level);

/** Log one line; control bytes in it are escaped and it is cut at 1 KiB. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

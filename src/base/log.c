// SPDX-License-Identifier: Apache-2.0
/** One log line is one write(), so lines of several processes do not mix. */
#include "base/log.h"

#include "base/fd.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define PREFIX_MAX_BYTES 64

/** journald's <N> for each level: error, warning, info, debug. */
static const int priorities[] = {3, 4, 6, 7};

static char log_program[32] = "substrate";
static enum log_level log_limit = LOG_LEVEL_INFO;
static bool log_journal;

void log_start(const char *program, enum log_level level)
{
	(void)snprintf(log_program, sizeof(log_program), "%s", program);
	log_limit = level;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES + 2]; // a byte more than is shown, so that a cut is seen
	char line[PREFIX_MAX_BYTES + LINE_MAX_BYTES + 2];
	va_list args;
	int skip;

	if (level > log_limit)
		return;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		return;

	if (log_journal)
		skip = snprintf(line, PREFIX_MAX_BYTES, "<%d>", priorities[level]);
	else
		skip = snprintf(line, PREFIX_MAX_BYTES, "%s: ", log_program);

	size_t len =
		(size_t)skip + str_escape_into(text, strlen(text), LINE_MAX_BYTES, line + skip);

	line[len++] = '\n';
	(void)fd_write_full(STDERR_FILENO, line, len); // there is nowhere to report it
}

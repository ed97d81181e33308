// SPDX-License-Identifier: Apache-2.0
/** The error struct's writers.  All text is cut to fit; none of them can fail. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// What the analysers are told about these functions is for their callers.
#undef error_set
#undef error_errno
#undef error_oom
#undef error_wrap

/** Mark a message that did not fit: its last three characters become "...". */
static void mark_cut(char *msg, int wanted)
{
	if (wanted >= ERROR_MSG_SIZE)
		memcpy(msg + ERROR_MSG_SIZE - 4, "...", 4);
}

PRINTF(3, 0)
static void set_text(struct error *err, int code, const char *fmt, va_list args)
{
	err->code = code;
	mark_cut(err->msg, vsnprintf(err->msg, sizeof(err->msg), fmt, args));
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_text(err, code, fmt, args);
	va_end(args);
	return -code;
}

int error_errno(struct error *err, const char *fmt, ...)
{
	int code = errno ? errno : EIO; // a failure that set no errno must not look like success
	char prefix[ERROR_MSG_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	return error_set(err, code, "%s: %s", prefix, strerror(code));
}

int error_wrap(struct error *err, int r, const char *fmt, ...)
{
	struct error inner = *err;
	char prefix[ERROR_MSG_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	(void)error_set(err, inner.code, "%s: %s", prefix, inner.msg);
	return r;
}

int error_oom(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory");
}

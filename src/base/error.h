// SPDX-License-Identifier: Apache-2.0
/**
 * Errors: an errno for the machine, a sentence for the person.
 *
 * A function that can fail takes `struct error *err` last and returns int:
 *   0   success;
 *   <0  -errno; *err says what failed.  Pass it on unchanged or error_wrap() it;
 *   >0  an outcome the function's own doc names (say WORLD_NOT_FOUND).  The direct
 *       caller handles it; it never travels further.
 *
 * The struct is fixed-size on purpose: making one cannot fail, it needs no free(),
 * and it fits one atomic pipe write, so a forked child reports with the same type.
 */
#pragma once

#include "base/compiler.h"

#include <limits.h>

#define ERROR_MSG_SIZE 248

struct error {
	int code;                 /**< Positive errno value; 0 while unset. */
	char msg[ERROR_MSG_SIZE]; /**< Outermost context first, cut with "..." when full. */
};

_Static_assert(sizeof(struct error) <= PIPE_BUF, "an error must be one atomic pipe write");

/** Set `err` from a formatted message.  Returns -code. */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF(3, 4);

/** Set `err` from errno: "<message>: <strerror>".  Returns -errno. */
int error_errno(struct error *err, const char *fmt, ...) PRINTF(2, 3);

/** Put "<message>: " before what `err` already says.  Returns r. */
int error_wrap(struct error *err, int r, const char *fmt, ...) PRINTF(3, 4);

/** Set `err` to ENOMEM, "out of memory".  Returns -ENOMEM. */
int error_oom(struct error *err);

#ifdef ERROR_ANALYSIS
/**
 * Analysers see one file at a time; this tells them what the functions above return, so that they
 * do not follow a failure into the code for success.
 */
static inline int error_known(int r)
{
	return r < 0 ? r : -1;
}

#define error_set(...) error_known((error_set)(__VA_ARGS__))
#define error_errno(...) error_known((error_errno)(__VA_ARGS__))
#define error_oom(err) error_known((error_oom)(err))
#define error_wrap(err, r, ...) ((void)(error_wrap)(err, r, __VA_ARGS__), (r))
#endif

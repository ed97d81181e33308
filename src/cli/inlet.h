// SPDX-License-Identifier: Apache-2.0
/** Reading our stdin for a command that runs elsewhere. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <sys/types.h>

/** Bytes at a time: with its channel byte it fits a frame. */
#define INLET_CHUNK (32u << 10)

/** Zero-initialise. */
struct inlet {
	char *data;  /**< Owned; what the last read gave. */
	bool open;   /**< There may be more. */
	bool parked; /**< The terminal belongs to another job; ask again in a moment. */
};

/** Free it; works on a zeroed one. */
void inlet_done(struct inlet *inlet);

/** For AUTO(inlet_done). */
static inline void inlet_donep(struct inlet *inlet)
{
	inlet_done(inlet);
}

/**
 * Read when stdin is readable.  Returns the bytes in `data`, 0 at the end, -EAGAIN for nothing
 * just now, or another -errno.  SIGTTIN must be blocked: a job in the background then is not
 * stopped because somebody types for another one; it is parked.
 */
ssize_t inlet_read(struct inlet *inlet);

// SPDX-License-Identifier: Apache-2.0
/**
 * Writing to a descriptor that is not ours without ever blocking in it.
 *
 * O_NONBLOCK belongs to the open file, which the caller's other processes share, so it is left
 * alone; what never blocks depends on what the descriptor is.
 */
#pragma once

#include "base/compiler.h"

#include <sys/types.h>

enum outlet_kind {
	OUTLET_UNKNOWN, /**< Nothing was written yet. */
	OUTLET_FILE,    /**< Files and /dev/null: they take everything at once. */
	OUTLET_PIPE,    /**< RWF_NOWAIT. */
	OUTLET_SOCKET,  /**< MSG_DONTWAIT. */
	OUTLET_OWN,     /**< Terminals and old kernels: opened once more, non-blocking. */
	OUTLET_SMALL,   /**< That was refused: little at a time, when poll() says that it fits. */
};

/** One descriptor.  Set `fd`, the rest is zero. */
struct outlet {
	int fd; /**< Borrowed. */
	enum outlet_kind kind;
	int own; /**< OUTLET_OWN: our open file, and its descriptor. */
};

/** Close what was opened; works on a zeroed one. */
void outlet_done(struct outlet *outlet);

/** Write some of it.  Returns the bytes taken, 0 when it is full (poll for POLLOUT), or -errno. */
ssize_t outlet_write(struct outlet *outlet, const void *data, size_t len);

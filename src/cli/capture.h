// SPDX-License-Identifier: Apache-2.0
/** The output of a command, kept for `run --json`. */
#pragma once

#include "base/buf.h"
#include "json/value.h"

#define CAPTURE_MAX (16u << 20) /**< Of each stream, as /v1/execute keeps. */

/** Zero-initialise. */
struct capture {
	struct buf output[2]; /**< stdout, stderr. */
	bool truncated[2];
};

/** Free it; works on a zeroed one. */
void capture_done(struct capture *capture);

/** For AUTO(capture_done). */
static inline void capture_donep(struct capture *capture)
{
	capture_done(capture);
}

/** Add bytes of channel 1 (stdout) or 2 (stderr). */
void capture_add(struct capture *capture, int channel, const void *data, size_t len);

/**
 * The object of /v1/execute from an exit message, or from a problem that says that the program
 * was not there or could not be executed.  NULL when out of memory; the caller owns it.
 */
json_t *capture_result(const struct capture *capture, json_t *message);

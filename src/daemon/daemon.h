// SPDX-License-Identifier: Apache-2.0
/**
 * The daemon: lock, socket, worlds, trace, API, and when to end.  One per user.
 *
 * It ends by itself after `idle_exit_s` seconds without a client, a command or a survivor.
 * When it ends, or is killed, every world ends with it.
 */
#pragma once

#include "world/spec.h"

struct error;

struct daemon_options {
	int ready_fd;                /**< Told "ok", "running" or an error text; -1: none. */
	struct spec_without without; /**< All zero outside tests. */
};

/**
 * Run until told to stop (SIGTERM, SIGINT, /v1/shutdown) or idle.
 * 0: ended well, or with ready_fd another daemon runs already; without it that is -EALREADY.
 */
int daemon_run(const struct daemon_options *options, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** Starting the daemon from a client. */
#pragma once

struct error;

/** Returned by autostart_daemon(): another daemon has the lock. */
#define AUTOSTART_RUNNING 1

/**
 * Start substrated for `home` and wait until it listens, at most `timeout_ms`.
 *
 * It gets a session of its own, /dev/null, our stderr until it has opened its log, and the few
 * variables it needs.  Returns 0, AUTOSTART_RUNNING with the pid of the lock's holder (0: not
 * known), or an error that says what the daemon said.
 */
int autostart_daemon(const char *home, int timeout_ms, long *ret_holder, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** Connecting to the daemon's socket. */
#pragma once

struct error;

/**
 * Connect to `home`/sock/agent.sock.  The path may be longer than a socket address takes.
 *
 * On success the caller owns *ret, a blocking socket whose other end is of our uid.
 * -ENOENT or -ECONNREFUSED: nobody listens.  -EACCES: somebody else does.
 */
int dial_daemon(const char *home, int *ret, struct error *err);

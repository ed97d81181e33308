// SPDX-License-Identifier: Apache-2.0
/**
 * Who is at the other end of a unix socket, and may it talk to the daemon?
 *
 * Accepted: the same uid (uid 0 too when the daemon is root), in the daemon's own user and
 * PID namespaces, read through a pidfd so that a reused pid cannot pass.  In doubt refused.
 */
#pragma once

#include "base/compiler.h"

#include <sys/types.h>

struct error;

struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	int pidfd;  /**< Owned; -1 when there is none. */
};

/** Identify and judge the peer of a connected socket.  -EACCES with the reason when refused. */
int peer_check(int fd, struct peer *ret, struct error *err);

/** Release it; works on a zeroed or failed one only when pidfd is -1. */
void peer_done(struct peer *peer);

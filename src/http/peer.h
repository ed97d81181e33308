// SPDX-License-Identifier: Apache-2.0
/**
 * Who is at the other end of a unix socket, and may it talk to the daemon?
 *
 * Accepted: the same uid (uid 0 when the daemon is root), in the daemon's own user and PID
 * namespaces, read through a pidfd so that a reused pid cannot pass.  In doubt refused.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>
#include <sys/types.h>

struct error;

struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	int pidfd; /**< Owned; -1 when there is none. */
};

/** A namespace's identity. */
struct peer_ns {
	dev_t dev;
	ino_t ino;
};

/** What a peer is compared with: this process.  Read once, for it cannot change. */
struct peer_self {
	uid_t uid;
	struct peer_ns user;
	struct peer_ns pid;
};

/** Read our own identity. */
int peer_self_read(struct peer_self *ret, struct error *err);

/**
 * Identify and judge the peer of a connected socket.  -EACCES with the reason when refused; another
 * error (-EMFILE) when it could not be judged, which refuses it too.
 */
int peer_check(const struct peer_self *self, int fd, struct peer *ret, struct error *err);

/**
 * The same without SO_PEERPIDFD, as before kernel 6.5: a pidfd of the pid that the socket names,
 * with the process' start time read before and after.  peer_check() falls back to it.
 */
int peer_check_by_pid(const struct peer_self *self, int fd, struct peer *ret, struct error *err);

/** Release it; works on a zeroed one only when pidfd is -1. */
void peer_done(struct peer *peer);

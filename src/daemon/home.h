// SPDX-License-Identifier: Apache-2.0
/**
 * SUBSTRATE_HOME: found, judged, made.
 *
 * It belongs to the daemon's uid, mode 0700; each parent belongs to that uid or to root and
 * cannot be written by others unless it is sticky.  Otherwise it is refused: whoever can
 * replace it could feed the daemon another user's files.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <sys/types.h>

struct error;

struct home {
	char *path;  /**< Real path, owned. */
	int fd;      /**< O_PATH is not enough: files are made in it. */
	int lock_fd; /**< daemon.lock, held; -1 before home_lock(). */
};

/** Find ($SUBSTRATE_HOME, else ~/.substrate), judge, and make when missing and its place is good.
 */
int home_open(struct home *ret, struct error *err);

/** Release everything; works on {NULL, -1, -1}. */
void home_close(struct home *home);

/** Lock the directory and daemon.lock, and write our pid there.  1: another daemon holds it. */
int home_lock(struct home *home, struct error *err);

/** The pid that the lock's holder wrote, for a message; 0: not known. */
pid_t home_holder(const struct home *home);

/** Open daemon.log for appending; one of over 1 MiB starts anew.  The lock is held. */
int home_open_log(const struct home *home, int *ret_fd, struct error *err);

/**
 * Bind and listen on sock/agent.sock (0600 in a 0700 directory).  The lock is held, so a
 * socket that is there is stale and is replaced.
 */
int home_listen(struct home *home, int *ret_fd, struct error *err);

/**
 * Remove the socket, unless somebody is connecting: then it stays, and the answer is false.  Who
 * comes later finds no socket, and waits for the lock.
 */
bool home_withdraw(struct home *home, int listen_fd);

/** Remove the socket in any case (at the end, while the lock is held). */
void home_unlisten(struct home *home);

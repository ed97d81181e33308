// SPDX-License-Identifier: Apache-2.0
/**
 * Start a program of our own from the daemon or the CLI.
 *
 * The child is made with CLONE_VM|CLONE_VFORK, so the size of the parent costs nothing; it
 * shares the parent's memory until execve() and only makes raw system calls.  When a step
 * fails it stores {step, errno} and exits; the parent formats the error.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/**
 * What to start.  All pointers are borrowed for the call.
 *
 * The kernel forgets die_with_parent when execve() changes ids or adds capabilities, which
 * keep_caps and a new user namespace can do: such a program sets PR_SET_PDEATHSIG itself when it
 * starts.
 */
struct spawn_request {
	const char *path;     /**< Absolute path of the program. */
	char *const *argv;    /**< NULL-terminated. */
	char *const *envp;    /**< NULL-terminated. */
	const int *fds;       /**< fds[i] becomes descriptor i; every other one is closed. */
	size_t nfds;          /**< At least 3.  -1 in fds means /dev/null. */
	uint64_t clone_flags; /**< Namespace flags (CLONE_NEW* but NEWTIME), usually 0. */
	bool new_session;     /**< setsid(). */
	bool keep_caps;       /**< Raise every capability the child has into the ambient set. */
	int die_with_parent;  /**< Not 0: this signal when the starting thread ends. */
};

/**
 * Start it: empty signal mask, default handlers.  Returns when the program runs or has failed.
 *
 * On success the caller owns *ret_pidfd and must reap with waitid(P_PIDFD).  The error names the
 * program and the step that failed; what does not fit together in `req` is -EINVAL.  A child that a
 * signal kills before execve() counts as started; its wait status tells.
 */
int spawn_start(const struct spawn_request *req, pid_t *ret_pid, int *ret_pidfd, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** What passes between spawn.c, in the parent, and spawn_child.c, in the child. */
#pragma once

#include "proc/spawn.h"

/** The child's steps, in order; also the index of the text that names the step in an error. */
enum spawn_step {
	SPAWN_STEP_SIGNALS,
	SPAWN_STEP_SESSION,
	SPAWN_STEP_CAPS,
	SPAWN_STEP_FDS,
	SPAWN_STEP_DEATH_SIGNAL,
	SPAWN_STEP_EXEC,
};

/** Lives in the parent; the child, which shares the memory, writes `step` and `code`. */
struct spawn_child {
	const struct spawn_request *req;
	int *fds;             /**< nfds descriptors, all >= 0; the child's to overwrite. */
	pid_t parent;         /**< getpid() of the parent. */
	enum spawn_step step; /**< The step the child is at. */
	int code;             /**< errno of the step that failed, else 0. */
};

/**
 * The child's whole life, for clone(): returns only on failure, with the exit status.
 *
 * Must: raw system calls; leave signals blocked until the handlers are gone.
 * Must not: allocate, lock, log, or touch memory of the parent other than `arg`.
 */
int spawn_child_main(void *arg);

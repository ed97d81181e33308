// SPDX-License-Identifier: Apache-2.0
/**
 * The confined thread of init that starts commands.
 *
 * It gives its privileges away once; each child then has none to lose, so a command costs a
 * clone, a handful of calls and its own exec.  One command at a time: clone() with CLONE_VFORK
 * holds the thread until the child has executed its program.
 */
#pragma once

#include "sandbox/harden_priv.h"

#include <pthread.h>
#include <stdint.h>

struct error;
struct job;

struct spawner {
	int done_fd;     /**< eventfd: readable when the job is done. */
	int report_fd;   /**< Where holders of terminals report; borrowed. */
	uint32_t state;  /**< enum in spawner.c; a futex. */
	struct job *job; /**< Borrowed while the spawner works on it. */
	struct harden harden;
	struct error *failure; /**< Where the thread reports to while it starts. */
	char *stack;           /**< For the children. */
	pthread_t thread;
};

/** Start the thread and wait until it is confined. */
int spawner_start(struct spawner *spawner, const struct harden *harden, struct error *err);

/** Give it a job; it must be idle.  done_fd tells when job->pid, step and code are final. */
void spawner_give(struct spawner *spawner, struct job *job);

/** Take the finished job back, after done_fd was readable; NULL: not finished. */
struct job *spawner_take(struct spawner *spawner);

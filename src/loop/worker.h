// SPDX-License-Identifier: Apache-2.0
/**
 * One worker thread for work that blocks (hashing, walking trees, verifying the trace).
 *
 * A job owns its data while it runs; the loop's thread gets it back in done().  Jobs run in
 * the order they were submitted.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct error;
struct loop;
struct worker;

/** Embed it in the object that carries the job's data. */
struct worker_job {
	struct worker_job *next; /**< Belongs to worker.c. */
	bool ran;                /**< For done(): false when worker_free() came first. */
	void (*run)(struct worker_job *job);  /**< In the worker's thread: touch only the job. */
	void (*done)(struct worker_job *job); /**< In the loop's thread; may free the job. */
};

/** Start the thread (all signals blocked).  On success the caller owns *ret. */
int worker_new(struct loop *loop, struct worker **ret, struct error *err);

/**
 * Finish the running job, join the thread, and call done() of every job; those that were still
 * waiting do not run.  A done() that sees `ran` false must not submit again.  May be called from a
 * done().  NULL is fine.  Returns NULL.
 */
struct worker *worker_free(struct worker *worker);
DEFINE_AUTO(struct worker *, worker_free)

/** Queue a job whose run and done are set; it is borrowed until its done().  Cannot fail. */
void worker_submit(struct worker *worker, struct worker_job *job);

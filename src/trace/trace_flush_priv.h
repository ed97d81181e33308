// SPDX-License-Identifier: Apache-2.0
/**
 * Group sync: what was written reaches the disk within a second, and the loop never waits for it.
 */
#pragma once

#include "loop/timer.h"
#include "loop/worker.h"

#include <stdbool.h>
#include <stdint.h>

struct error;

/** Zero-initialise it. */
struct trace_flush {
	struct loop *loop;     /**< Borrowed. */
	struct worker *worker; /**< A thread of its own: a long job elsewhere must not delay it. */
	struct timer timer;    /**< Armed while something waits to be synced. */
	struct worker_job job; /**< fdatasync() of job_fd. */
	uint64_t delay_ms;     /**< From the first note to the sync. */
	bool running;          /**< The job is with the worker. */
	bool again;            /**< More was written while it ran. */
	int fd;                /**< What is written to.  Borrowed. */
	int job_fd;            /**< The job's own descriptor. */
	int job_code;          /**< errno of the job, or 0. */
	int code;              /**< errno of the first sync that failed, or 0. */
};

/** Start the thread. */
int trace_flush_open(struct trace_flush *flush, struct loop *loop, struct error *err);

/** Wait for a running sync and stop; what was only noted is not synced. */
void trace_flush_close(struct trace_flush *flush);

/** Something was written to fd, which stays open until it was synced or trace_flush_forget(). */
void trace_flush_note(struct trace_flush *flush, int fd);

/** The caller has synced fd itself and may close it. */
void trace_flush_forget(struct trace_flush *flush);

// SPDX-License-Identifier: Apache-2.0
/**
 * Group sync.
 *
 * The first note arms a timer; when it fires, a duplicate of the descriptor goes to the worker.
 * The duplicate lets the writer rotate, and close, while the sync runs.
 */
#include "trace/trace_flush_priv.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/** Leaves the disk the rest of the second. */
#define DELAY_MS 500

static void arm(struct trace_flush *flush);

static void job_run(struct worker_job *job)
{
	struct trace_flush *flush = container_of(job, struct trace_flush, job);

	flush->job_code = fdatasync(flush->job_fd) < 0 ? errno : 0;
}

static void job_done(struct worker_job *job)
{
	struct trace_flush *flush = container_of(job, struct trace_flush, job);

	flush->job_fd = fd_close(flush->job_fd);
	flush->running = false;
	if (flush->job_code && !flush->code)
		flush->code = flush->job_code;
	if (flush->again && job->ran)
		arm(flush);
	flush->again = false;
}

static void timer_fired(struct timer *timer)
{
	struct trace_flush *flush = container_of(timer, struct trace_flush, timer);

	if (flush->running) {
		flush->again = true;
		return;
	}
	flush->job_fd = fcntl(flush->fd, F_DUPFD_CLOEXEC, 0);
	if (flush->job_fd < 0) {
		// Out of descriptors: wait for the disk here rather than not at all.
		if (fdatasync(flush->fd) < 0 && !flush->code)
			flush->code = errno;
		return;
	}
	flush->job_code = 0;
	flush->running = true;
	worker_submit(flush->worker, &flush->job);
}

static void arm(struct trace_flush *flush)
{
	if (!flush->timer.loop)
		timer_start(flush->loop, &flush->timer, flush->delay_ms, timer_fired);
}

int trace_flush_open(struct trace_flush *flush, struct loop *loop, struct error *err)
{
	struct worker *worker;
	int r = worker_new(loop, &worker, err);

	if (r < 0)
		return r;
	*flush = (struct trace_flush){
		.loop = loop,
		.worker = worker,
		.job = {.run = job_run, .done = job_done},
		.delay_ms = DELAY_MS,
		.fd = -1,
		.job_fd = -1,
	};
	return 0;
}

void trace_flush_close(struct trace_flush *flush)
{
	timer_stop(&flush->timer);
	flush->again = false;
	flush->worker = worker_free(flush->worker);
}

void trace_flush_note(struct trace_flush *flush, int fd)
{
	flush->fd = fd;
	arm(flush);
}

void trace_flush_forget(struct trace_flush *flush)
{
	timer_stop(&flush->timer);
	flush->again = false;
	flush->fd = -1;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The worker thread.
 *
 * How it works: two queues under one mutex, `waiting` for the thread and `finished` for the
 * loop.  The eventfd is a semaphore that counts finished jobs; each callback takes exactly
 * one, so other sources get their turn and done() may free the worker.
 */
#include "loop/worker.h"

#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct queue {
	struct worker_job *first, *last;
};

struct worker {
	struct loop_source source;
	int event_fd;
	pthread_t thread;
	pthread_mutex_t lock; /**< Guards everything below. */
	pthread_cond_t wake;  /**< Told when a job is waiting or `stopping` is set. */
	struct queue waiting, finished;
	bool stopping;
};

static void push(struct queue *queue, struct worker_job *job)
{
	job->next = NULL;
	if (queue->last)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
}

static struct worker_job *pop(struct queue *queue)
{
	struct worker_job *job = queue->first;

	if (job) {
		queue->first = job->next;
		if (!job->next)
			queue->last = NULL;
		job->next = NULL;
	}
	return job;
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	pthread_mutex_lock(&worker->lock);
	while (!worker->stopping) {
		struct worker_job *job = pop(&worker->waiting);

		if (!job) {
			pthread_cond_wait(&worker->wake, &worker->lock);
			continue;
		}
		pthread_mutex_unlock(&worker->lock);
		job->run(job);
		pthread_mutex_lock(&worker->lock);
		job->ran = true;
		push(&worker->finished, job);

		const uint64_t one = 1;

		// Blocks or fails only after 2^64 - 2 jobs that nobody took.
		(void)fd_write_full(worker->event_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

static int on_finished(struct loop_source *src, uint32_t events, struct error *err)
{
	struct worker *worker = container_of(src, struct worker, source);
	uint64_t one;

	(void)events;
	if (fd_read_full(worker->event_fd, &one, sizeof(one)) < 0)
		return errno == EAGAIN ? 0 : error_errno(err, "read eventfd");
	pthread_mutex_lock(&worker->lock);
	struct worker_job *job = pop(&worker->finished);
	pthread_mutex_unlock(&worker->lock);

	if (job)
		job->done(job);
	return 0;
}

/** Start the thread with every signal blocked: signals belong to the loop's thread. */
static int start_thread(struct worker *worker, struct error *err)
{
	sigset_t all, saved;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	int code = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return code ? error_set(err, code, "pthread_create: %s", strerror(code)) : 0;
}

/** Free a worker whose thread does not run and whose source is removed. */
static void destroy(struct worker *worker)
{
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	(void)fd_close(worker->event_fd);
	free(worker);
}

int worker_new(struct loop *loop, struct worker **ret, struct error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return error_oom(err);
	pthread_mutex_init(&worker->lock, NULL); // cannot fail with default attributes
	pthread_cond_init(&worker->wake, NULL);
	worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);

	int r = worker->event_fd < 0 ? error_errno(err, "eventfd") : 0;

	if (r == 0)
		r = loop_add(loop, &worker->source, worker->event_fd, EPOLLIN, on_finished, err);
	if (r == 0)
		r = start_thread(worker, err);
	if (r < 0) {
		loop_remove(&worker->source);
		destroy(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	struct worker_job *job;

	if (!worker)
		return NULL;
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);

	while ((job = pop(&worker->finished)) || (job = pop(&worker->waiting)))
		job->done(job);
	loop_remove(&worker->source);
	destroy(worker);
	return NULL;
}

void worker_submit(struct worker *worker, struct worker_job *job)
{
	job->ran = false;
	pthread_mutex_lock(&worker->lock);
	push(&worker->waiting, job);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

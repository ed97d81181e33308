// SPDX-License-Identifier: Apache-2.0
/**
 * The event loop.
 *
 * How it works: each turn runs the timers that are due, waits, and dispatches one batch of
 * events.  A callback may remove any source, also one whose event waits later in the same
 * batch: loop_remove() blanks such events, so a freed owner is never called.
 */
#include "loop/loop.h"

#include "base/error.h"
#include "base/fd.h"
#include "loop/loop_priv.h"

#include <assert.h>
#include <errno.h>

int loop_new(struct loop **ret, struct error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return error_oom(err);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return error_errno(err, "epoll_create1");
	}
	*ret = loop;
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	assert(loop->nsources == 0);
	timer_stop_all(loop);
	(void)fd_close(loop->epoll_fd);
	free(loop);
	return NULL;
}

int loop_add(struct loop *loop, struct loop_source *src, int fd, uint32_t events, loop_fn *fn,
	     struct error *err)
{
	struct epoll_event ev = {.events = events, .data.ptr = src};

	assert(!src->loop);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return error_errno(err, "watch descriptor %d", fd);
	*src = (struct loop_source){.loop = loop, .fn = fn, .fd = fd};
	loop->nsources++;
	return 0;
}

/** Of the fetched events of src, keep only those in `mask`; none left means that it is not called.
 */
static void mask_fetched(struct loop *loop, const struct loop_source *src, uint32_t mask)
{
	for (int i = loop->next; i < loop->count; i++) {
		struct epoll_event *ev = &loop->batch[i];

		if (ev->data.ptr != src)
			continue;
		ev->events &= mask;
		if (ev->events == 0)
			ev->data.ptr = NULL;
	}
}

void loop_modify(struct loop_source *src, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = src};

	// The fd is still open (it is borrowed), so failure here is a bug in the caller.
	int r = epoll_ctl(src->loop->epoll_fd, EPOLL_CTL_MOD, src->fd, &ev);

	assert(r == 0);
	(void)r;
	mask_fetched(src->loop, src, events | EPOLLERR | EPOLLHUP);
}

void loop_remove(struct loop_source *src)
{
	struct loop *loop = src->loop;

	if (!loop)
		return;

	// As above: the fd is still open.
	int r = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, src->fd, NULL);

	assert(r == 0);
	(void)r;
	mask_fetched(loop, src, 0);
	loop->nsources--;
	src->loop = NULL;
}

/** Wait for events and call their sources.  Returns 0 or the first callback's error. */
static int dispatch(struct loop *loop, struct error *err)
{
	loop->next = 0;
	loop->count = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH_MAX, timer_wait_ms(loop));
	if (loop->count < 0) {
		loop->count = 0;
		return errno == EINTR ? 0 : error_errno(err, "epoll_wait");
	}
	while (loop->next < loop->count && !loop->stopped) {
		struct epoll_event *ev = &loop->batch[loop->next++];
		struct loop_source *src = ev->data.ptr;
		int r = src ? src->fn(src, ev->events, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int loop_run(struct loop *loop, struct error *err)
{
	loop->stopped = false;
	for (;;) {
		timer_run_due(loop);
		if (loop->stopped)
			return 0;

		int r = dispatch(loop, err);

		if (r < 0 || loop->stopped)
			return r;
	}
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

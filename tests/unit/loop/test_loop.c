// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/** A source on an eventfd, with what its callback should do. */
struct probe {
	struct loop_source source;
	int fd;
	int calls;
	uint32_t events; /**< Of the last call. */
	struct loop *stop;
	struct probe *victim; /**< Removed, closed and poisoned by the callback. */
	struct probe *pause;
	int fail;
};

static int probe_called(struct loop_source *src, uint32_t events, struct error *err)
{
	struct probe *probe = container_of(src, struct probe, source);
	uint64_t value;

	probe->calls++;
	probe->events = events;
	(void)!read(probe->fd, &value, sizeof(value));
	if (probe->victim) {
		loop_remove(&probe->victim->source);
		probe->victim->fd = fd_close(probe->victim->fd);
	}
	if (probe->pause)
		loop_modify(&probe->pause->source, 0);
	if (probe->stop)
		loop_stop(probe->stop);
	return probe->fail ? error_set(err, probe->fail, "callback") : 0;
}

static void probe_open(struct probe *probe, struct loop *loop, unsigned ready)
{
	struct error err = {0};

	*probe = (struct probe){.fd = eventfd(ready, EFD_CLOEXEC | EFD_NONBLOCK)};
	assert_int_equal(loop_add(loop, &probe->source, probe->fd, EPOLLIN, probe_called, &err), 0);
}

static void probe_close(struct probe *probe)
{
	loop_remove(&probe->source);
	probe->fd = fd_close(probe->fd);
}

static int make_loop(void **state)
{
	struct loop *loop = NULL;
	struct error err = {0};
	int r = loop_new(&loop, &err);

	*state = loop;
	return r;
}

static int free_loop(void **state)
{
	*state = loop_free(*state);
	return 0;
}

static void a_ready_source_is_called_until_stopped(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe quiet, ready;

	probe_open(&quiet, loop, 0);
	probe_open(&ready, loop, 1);
	ready.stop = loop;
	assert_int_equal(loop_run(loop, &err), 0);
	assert_int_equal(ready.calls, 1);
	assert_int_equal(ready.events, EPOLLIN);
	assert_int_equal(quiet.calls, 0);
	probe_close(&quiet);
	probe_close(&ready);
}

static void a_failing_callback_ends_the_run(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe probe;

	probe_open(&probe, loop, 1);
	probe.fail = EXDEV;
	assert_int_equal(loop_run(loop, &err), -EXDEV);
	assert_string_equal(err.msg, "callback");
	probe_close(&probe);
}

static void a_source_removed_by_another_is_not_called(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe a, b, last;

	// All are ready in one batch; whichever of a and b is first removes the other.  The loop
	// goes on through the batch until `last`, which was added last, stops it.
	probe_open(&a, loop, 1);
	probe_open(&b, loop, 1);
	probe_open(&last, loop, 1);
	a.victim = &b;
	b.victim = &a;
	last.stop = loop;
	assert_int_equal(loop_run(loop, &err), 0);
	probe_close(&last);
	assert_int_equal(a.calls + b.calls, 1);
	assert_int_equal(a.fd == -1, b.calls == 1);
	probe_close(&a);
	probe_close(&b);
}

static void a_source_may_remove_itself(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe a;

	probe_open(&a, loop, 1);
	a.victim = &a;
	a.stop = loop;
	assert_int_equal(loop_run(loop, &err), 0);
	assert_null(a.source.loop);
	loop_remove(&a.source); // a second time is fine
}

static void a_source_paused_by_another_is_not_called(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe a, b;
	uint64_t one = 1;

	probe_open(&a, loop, 1);
	probe_open(&b, loop, 1);
	a.pause = &b;
	b.pause = &a;
	a.stop = b.stop = loop;
	assert_int_equal(loop_run(loop, &err), 0);
	assert_int_equal(a.calls + b.calls, 1);

	// The loop leaves the batch when it is stopped; the next run shows that the pause holds.
	struct probe *paused = a.calls ? &b : &a;
	struct probe *active = a.calls ? &a : &b;

	assert_int_equal(write(active->fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(loop_run(loop, &err), 0);
	assert_int_equal(active->calls, 2);
	assert_int_equal(paused->calls, 0);

	active->pause = NULL;
	loop_modify(&paused->source, EPOLLIN);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_int_equal(paused->calls, 1);
	probe_close(&a);
	probe_close(&b);
}

static void pausing_blanks_an_event_of_the_same_batch(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe a, b, last;

	probe_open(&a, loop, 1);
	probe_open(&b, loop, 1);
	probe_open(&last, loop, 1);
	a.pause = &b;
	b.pause = &a;
	last.stop = loop;
	assert_int_equal(loop_run(loop, &err), 0);
	assert_int_equal(last.calls, 1);
	assert_true(a.calls + b.calls <= 1);
	probe_close(&a);
	probe_close(&b);
	probe_close(&last);
}

static void a_hang_up_is_told_even_while_paused(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct probe probe = {.stop = loop};
	int pipefd[2];

	assert_int_equal(pipe2(pipefd, O_CLOEXEC | O_NONBLOCK), 0);
	probe.fd = pipefd[0];
	assert_int_equal(loop_add(loop, &probe.source, probe.fd, EPOLLIN, probe_called, &err), 0);
	loop_modify(&probe.source, 0);
	(void)close(pipefd[1]);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_int_equal(probe.events, EPOLLHUP);
	probe_close(&probe);
}

static void what_cannot_be_watched_is_an_error(void **state)
{
	struct loop *loop = *state;
	struct error err = {0};
	struct loop_source source = {0};
	AUTO(fd_close) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(loop_add(loop, &source, fd, EPOLLIN, probe_called, &err), -EPERM);
	assert_null(source.loop);
	assert_int_equal(loop_add(loop, &source, -1, EPOLLIN, probe_called, &err), -EBADF);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	assert_null(loop_free(NULL));
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, make_loop, free_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(a_ready_source_is_called_until_stopped),
		WITH_LOOP(a_failing_callback_ends_the_run),
		WITH_LOOP(a_source_removed_by_another_is_not_called),
		WITH_LOOP(a_source_may_remove_itself),
		WITH_LOOP(a_source_paused_by_another_is_not_called),
		WITH_LOOP(pausing_blanks_an_event_of_the_same_batch),
		WITH_LOOP(a_hang_up_is_told_even_while_paused),
		WITH_LOOP(what_cannot_be_watched_is_an_error),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests_name("loop/loop", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "command/pump.h"

#include "base/error.h"
#include "base/fd.h"
#include "loop/timer.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/** A pump, the command's ends of its pipes, and what came out. */
struct fixture {
	struct pump pump;
	struct loop *loop;
	struct timer limit;
	int child[3];
	struct buf got[2];
	bool refuse; /**< output() says no. */
	bool ended, writable;
};

static bool on_output(struct pump *pump, int channel, const void *data, size_t len)
{
	struct fixture *f = container_of(pump, struct fixture, pump);

	buf_add(&f->got[channel - 1], data, len);
	return !f->refuse;
}

static void on_writable(struct pump *pump)
{
	struct fixture *f = container_of(pump, struct fixture, pump);

	f->writable = true;
	loop_stop(f->loop);
}

static void on_taken(struct pump *pump)
{
	(void)pump;
}

static void on_ended(struct pump *pump)
{
	struct fixture *f = container_of(pump, struct fixture, pump);

	f->ended = true;
	loop_stop(f->loop);
}

static const struct pump_ops ops = {
	.output = on_output, .writable = on_writable, .taken = on_taken, .ended = on_ended};

static void on_limit(struct timer *timer)
{
	loop_stop(container_of(timer, struct fixture, limit)->loop);
}

/** Let the loop work until something stops it, or a little while. */
static void spin(struct fixture *f)
{
	struct error err = {0};

	timer_start(f->loop, &f->limit, 100, on_limit);
	assert_int_equal(loop_run(f->loop, &err), 0);
	timer_stop(&f->limit);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	if (!f || loop_new(&f->loop, &err) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		f->child[i] = -1;
	pump_init(&f->pump, f->loop, &ops);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pump_close(&f->pump);
	for (int i = 0; i < 3; i++)
		(void)fd_close(f->child[i]);
	buf_done(&f->got[0]);
	buf_done(&f->got[1]);
	(void)loop_free(f->loop);
	free(f);
	return 0;
}

static void open_pipes(struct fixture *f, bool want_stdin)
{
	struct error err = {0};

	assert_int_equal(pump_open(&f->pump, want_stdin, f->child, &err), 0);
}

static void both_outputs_come_apart_and_end(void **state)
{
	struct fixture *f = *state;

	open_pipes(f, false);
	assert_int_equal(fd_write_full(f->child[1], "out", 3), 0);
	assert_int_equal(fd_write_full(f->child[2], "err", 3), 0);
	f->child[1] = fd_close(f->child[1]);
	f->child[2] = fd_close(f->child[2]);
	spin(f);
	assert_true(f->ended);
	assert_string_equal(f->got[0].data, "out");
	assert_string_equal(f->got[1].data, "err");
}

static void a_taker_that_stops_stops_the_reading(void **state)
{
	struct fixture *f = *state;

	open_pipes(f, false);
	f->refuse = true;
	assert_int_equal(fd_write_full(f->child[1], "a", 1), 0);
	spin(f);
	assert_int_equal(fd_write_full(f->child[1], "b", 1), 0);
	f->child[1] = fd_close(f->child[1]);
	f->child[2] = fd_close(f->child[2]);
	spin(f);
	assert_string_equal(f->got[0].data, "a");
	assert_false(f->ended);

	f->refuse = false;
	pump_resume(&f->pump);
	spin(f);
	assert_string_equal(f->got[0].data, "ab");
	assert_true(f->ended);
}

static void a_drain_takes_what_is_there_even_when_paused(void **state)
{
	struct fixture *f = *state;

	open_pipes(f, false);
	f->refuse = true;
	assert_int_equal(fd_write_full(f->child[1], "a", 1), 0);
	spin(f);
	assert_int_equal(fd_write_full(f->child[1], "bc", 2), 0);
	pump_drain(&f->pump);
	assert_string_equal(f->got[0].data, "abc");
	assert_false(pump_ended(&f->pump));
}

static void input_that_came_before_the_pipes_is_not_lost(void **state)
{
	struct fixture *f = *state;
	char got[8] = "";

	assert_true(pump_write(&f->pump, "early", 5));
	pump_close_stdin(&f->pump);
	open_pipes(f, true);
	assert_int_equal(fd_read_full(f->child[0], got, sizeof(got)), 5);
	assert_string_equal(got, "early");
}

static void input_is_bounded_and_resumes(void **state)
{
	struct fixture *f = *state;
	static char block[65536];
	int accepted = 0;

	open_pipes(f, true);
	while (accepted < 64 && pump_write(&f->pump, block, sizeof(block)))
		accepted++;
	assert_in_range(accepted, 1, 16); // a pipe and the queue, no more
	f->writable = false;
	for (int i = 0; i < 64 && !f->writable; i++) {
		assert_true(read(f->child[0], block, sizeof(block)) > 0);
		spin(f);
	}
	assert_true(f->writable);
}

static void a_write_that_empties_the_queue_resumes_the_writer(void **state)
{
	struct fixture *f = *state;
	static char block[65536];

	open_pipes(f, true);
	while (pump_write(&f->pump, block, sizeof(block)))
		;
	// The reader takes much at once, and the next write comes before the loop sees it.
	assert_true(fcntl(f->child[0], F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
	f->writable = false;
	assert_true(pump_write(&f->pump, "x", 1));
	assert_true(f->writable);
}

static void input_for_nobody_is_dropped(void **state)
{
	struct fixture *f = *state;

	open_pipes(f, true);
	f->child[0] = fd_close(f->child[0]);
	assert_true(pump_write(&f->pump, "x", 1));
	spin(f);
	assert_true(pump_write(&f->pump, "y", 1));
}

/** A flood that nobody wants: the writer is not stopped, and does not keep the loop busy. */
static void what_nobody_wants_is_read_slowly(void **state)
{
	static const char flood[65536];
	struct fixture *f = *state;

	open_pipes(f, false);
	pump_discard(&f->pump);

	pid_t writer = fork();

	if (writer == 0) {
		while (write(f->child[1], flood, sizeof(flood)) > 0)
			;
		_exit(0);
	}
	assert_true(writer > 0);
	spin(f);
	spin(f);

	size_t before = f->got[0].len;

	spin(f);
	assert_true(f->got[0].len > before);                      // it goes on
	assert_true(f->got[0].len - before < 32 * sizeof(flood)); // and is held back
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
}

int main(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_outputs_come_apart_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_taker_that_stops_stops_the_reading, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_drain_takes_what_is_there_even_when_paused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(input_that_came_before_the_pipes_is_not_lost, setup,
						teardown),
		cmocka_unit_test_setup_teardown(input_is_bounded_and_resumes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_write_that_empties_the_queue_resumes_the_writer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_wants_is_read_slowly, setup, teardown),
		cmocka_unit_test_setup_teardown(input_for_nobody_is_dropped, setup, teardown),
	};

	(void)sigaction(SIGPIPE, &ignore, NULL);
	return cmocka_run_group_tests_name("command/pump", tests, NULL, NULL);
}

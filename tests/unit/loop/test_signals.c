// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "loop/signals.h"
#include "unit.h"

#include <stdbool.h>
#include <unistd.h>

/** What arrived, in order. */
struct heard {
	struct signals signals;
	struct loop *loop;
	int signos[4];
	size_t count;
	size_t stop_after;
	bool close;
};

static void on_signo(struct signals *signals, int signo)
{
	struct heard *heard = container_of(signals, struct heard, signals);

	assert_true(heard->count < ARRAY_LEN(heard->signos));
	heard->signos[heard->count++] = signo;
	if (heard->close)
		signals_close(signals);
	if (heard->count == heard->stop_after)
		loop_stop(heard->loop);
}

static void open_two(struct heard *heard, struct loop *loop)
{
	struct error err = {0};
	sigset_t set;

	*heard = (struct heard){.loop = loop, .stop_after = 2};
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(signals_open(&heard->signals, loop, &set, on_signo, &err), 0);
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

static void signals_of_the_set_arrive_as_events(void **state)
{
	struct heard heard;
	struct error err = {0};

	open_two(&heard, *state);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(kill(getpid(), SIGUSR2), 0);
	assert_int_equal(loop_run(*state, &err), 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.signos[0], SIGUSR1);
	assert_int_equal(heard.signos[1], SIGUSR2);
	signals_close(&heard.signals);
	assert_int_equal(heard.signals.fd, -1);
}

static void a_callback_may_close(void **state)
{
	struct heard heard;
	struct error err = {0};

	open_two(&heard, *state);
	heard.close = true;
	heard.stop_after = 1;
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(kill(getpid(), SIGUSR2), 0);
	assert_int_equal(loop_run(*state, &err), 0);
	assert_int_equal(heard.count, 1);

	// The other one still waits, and is blocked: this would end the process if it were not.
	sigset_t pending;

	assert_int_equal(sigpending(&pending), 0);
	assert_true(sigismember(&pending, SIGUSR2));

	open_two(&heard, *state);
	heard.stop_after = 1;
	assert_int_equal(loop_run(*state, &err), 0);
	assert_int_equal(heard.signos[0], SIGUSR2);
	signals_close(&heard.signals);
}

static void closing_what_was_never_opened_is_fine(void **state)
{
	struct signals signals = {0};

	(void)state;
	signals_close(&signals);
	assert_int_equal(signals.fd, 0); // and descriptor 0 was left alone
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signals_of_the_set_arrive_as_events, make_loop,
						free_loop),
		cmocka_unit_test_setup_teardown(a_callback_may_close, make_loop, free_loop),
		cmocka_unit_test(closing_what_was_never_opened_is_fine),
	};

	return cmocka_run_group_tests_name("loop/signals", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "loop/timer.h"
#include "unit.h"

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/** A timer that writes its letter down. */
struct alarm {
	struct timer timer;
	char letter;
	char *record;      /**< Shared: letters in the order of firing. */
	bool stop;         /**< Stop the loop. */
	int again;         /**< How often to arm again, without delay. */
	struct alarm *off; /**< Disarmed by the callback. */
	struct loop *loop;
};

static void alarm_fired(struct timer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);
	size_t len = strlen(alarm->record);

	assert_null(timer->loop); // disarmed before the call
	alarm->record[len] = alarm->letter;
	alarm->record[len + 1] = '\0';
	if (alarm->off)
		timer_stop(&alarm->off->timer);
	if (alarm->again-- > 0)
		timer_start(alarm->loop, timer, 0, alarm_fired);
	else if (alarm->stop)
		loop_stop(alarm->loop);
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

static void timers_fire_in_the_order_they_are_due(void **state)
{
	struct loop *loop = *state;
	char record[16] = "";
	struct error err = {0};
	struct alarm a = {.letter = 'a', .record = record, .loop = loop};
	struct alarm b = {.letter = 'b', .record = record, .loop = loop, .stop = true};
	struct alarm c = {.letter = 'c', .record = record, .loop = loop};
	struct alarm d = {.letter = 'd', .record = record, .loop = loop};

	timer_start(loop, &b.timer, 30, alarm_fired);
	timer_start(loop, &c.timer, 20, alarm_fired);
	timer_start(loop, &a.timer, 0, alarm_fired);
	timer_start(loop, &d.timer, 1000000, alarm_fired);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(record, "acb");
	assert_ptr_equal(d.timer.loop, loop);
	timer_stop(&d.timer);
	assert_null(d.timer.loop);
}

static void a_stopped_timer_does_not_fire(void **state)
{
	struct loop *loop = *state;
	char record[16] = "";
	struct error err = {0};
	struct alarm a = {.letter = 'a', .record = record, .loop = loop};
	struct alarm b = {.letter = 'b', .record = record, .loop = loop};
	struct alarm c = {.letter = 'c', .record = record, .loop = loop, .stop = true, .off = &b};

	timer_stop(&a.timer); // not armed
	timer_start(loop, &a.timer, 1, alarm_fired);
	timer_start(loop, &c.timer, 2, alarm_fired);
	timer_start(loop, &b.timer, 2, alarm_fired); // due with c, and after it
	timer_stop(&a.timer);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(record, "c");
}

static void arming_again_moves_a_timer(void **state)
{
	struct loop *loop = *state;
	char record[16] = "";
	struct error err = {0};
	struct alarm a = {.letter = 'a', .record = record, .loop = loop, .stop = true};
	struct alarm b = {.letter = 'b', .record = record, .loop = loop};

	timer_start(loop, &a.timer, 0, alarm_fired);
	timer_start(loop, &b.timer, 1, alarm_fired);
	timer_start(loop, &a.timer, 20, alarm_fired);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(record, "ba");
}

static void a_callback_may_arm_its_timer(void **state)
{
	struct loop *loop = *state;
	char record[16] = "";
	struct error err = {0};
	struct alarm a = {.letter = 'a', .record = record, .loop = loop, .stop = true, .again = 3};

	timer_start(loop, &a.timer, 0, alarm_fired);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(record, "aaaa");
}

static int stop_loop(struct loop_source *src, uint32_t events, struct error *err)
{
	(void)events;
	(void)err;
	loop_stop(src->loop);
	return 0;
}

/** A timer that is due again as soon as it fired. */
struct busy {
	struct timer timer;
	struct loop *loop;
};

static void busy_fired(struct timer *timer)
{
	timer_start(container_of(timer, struct busy, timer)->loop, timer, 0, busy_fired);
}

static void a_timer_that_is_always_due_lets_sources_in(void **state)
{
	struct busy busy = {.loop = *state};
	struct loop_source source = {0};
	struct error err = {0};
	AUTO(fd_close) int fd = eventfd(1, EFD_CLOEXEC);

	assert_int_equal(loop_add(busy.loop, &source, fd, EPOLLIN, stop_loop, &err), 0);
	timer_start(busy.loop, &busy.timer, 0, busy_fired);
	assert_int_equal(loop_run(busy.loop, &err), 0);
	loop_remove(&source);
	timer_stop(&busy.timer);
}

static void an_endless_delay_does_not_wrap(void **state)
{
	struct loop *loop = *state;
	char record[16] = "";
	struct error err = {0};
	struct alarm never = {.letter = 'n', .record = record, .loop = loop};
	struct alarm soon = {.letter = 's', .record = record, .loop = loop, .stop = true};

	timer_start(loop, &never.timer, UINT64_MAX, alarm_fired);
	timer_start(loop, &soon.timer, 5, alarm_fired);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(record, "s");
	timer_start(loop, &never.timer, UINT64_MAX / 1000000, alarm_fired);
	timer_start(loop, &soon.timer, 5, alarm_fired);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(record, "ss");
	timer_stop(&never.timer);
}

static void freeing_the_loop_disarms(void **state)
{
	struct alarm a = {.record = (char[2]){""}};
	struct loop *loop = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(loop_new(&loop, &err), 0);
	timer_start(loop, &a.timer, 5, alarm_fired);
	assert_null(loop_free(loop));
	assert_null(a.timer.loop);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, make_loop, free_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(timers_fire_in_the_order_they_are_due),
		WITH_LOOP(a_stopped_timer_does_not_fire),
		WITH_LOOP(arming_again_moves_a_timer),
		WITH_LOOP(a_callback_may_arm_its_timer),
		WITH_LOOP(a_timer_that_is_always_due_lets_sources_in),
		WITH_LOOP(an_endless_delay_does_not_wrap),
		cmocka_unit_test(freeing_the_loop_disarms),
	};

	return cmocka_run_group_tests_name("loop/timer", tests, NULL, NULL);
}

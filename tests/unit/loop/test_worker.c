// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "loop/loop.h"
#include "loop/worker.h"
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>

/** A job that notes when and where it was run and done. */
struct task {
	struct worker_job job;
	char letter;
	char *record; /**< Shared: letters in the order of done(). */
	pthread_t run_thread, done_thread;
	sigset_t run_mask;
	bool was_run;
	sem_t *started, *proceed; /**< When set: run() posts the one and waits for the other. */
	struct loop *stop;
	struct worker *again;        /**< done() submits once more. */
	struct worker **free_worker; /**< done() frees it. */
};

static void task_run(struct worker_job *job)
{
	struct task *task = container_of(job, struct task, job);

	task->run_thread = pthread_self();
	(void)pthread_sigmask(SIG_SETMASK, NULL, &task->run_mask);
	task->was_run = true;
	if (task->started) {
		(void)sem_post(task->started);
		(void)sem_wait(task->proceed);
	}
}

static void task_done(struct worker_job *job)
{
	struct task *task = container_of(job, struct task, job);
	size_t len = strlen(task->record);

	task->record[len] = job->ran ? task->letter : '-';
	task->record[len + 1] = '\0';
	task->done_thread = pthread_self();
	if (task->again) {
		worker_submit(task->again, job);
		task->again = NULL;
	} else if (task->stop) {
		loop_stop(task->stop);
	}
	if (task->free_worker)
		*task->free_worker = worker_free(*task->free_worker);
}

/** A loop, its worker and the record of its jobs. */
struct place {
	struct loop *loop;
	struct worker *worker;
	char record[16];
};

static void submit(struct place *place, struct task *task, char letter)
{
	task->letter = letter;
	task->record = place->record;
	task->job = (struct worker_job){.run = task_run, .done = task_done};
	worker_submit(place->worker, &task->job);
}

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct error err = {0};

	if (!place || loop_new(&place->loop, &err) < 0)
		return -1;
	*state = place;
	return worker_new(place->loop, &place->worker, &err);
}

static int free_place(void **state)
{
	struct place *place = *state;

	place->worker = worker_free(place->worker);
	place->loop = loop_free(place->loop);
	free(place);
	return 0;
}

static void jobs_run_elsewhere_and_end_here_in_order(void **state)
{
	struct place *place = *state;
	struct task a = {0}, b = {0}, c = {.stop = place->loop};
	struct error err = {0};

	submit(place, &a, 'a');
	submit(place, &b, 'b');
	submit(place, &c, 'c');
	assert_int_equal(loop_run(place->loop, &err), 0);
	assert_string_equal(place->record, "abc");
	assert_false(pthread_equal(a.run_thread, pthread_self()));
	assert_true(pthread_equal(a.done_thread, pthread_self()));
}

static void signals_are_blocked_in_the_worker(void **state)
{
	struct place *place = *state;
	struct task a = {.stop = place->loop};
	struct error err = {0};

	submit(place, &a, 'a');
	assert_int_equal(loop_run(place->loop, &err), 0);
	assert_true(sigismember(&a.run_mask, SIGTERM));
	assert_true(sigismember(&a.run_mask, SIGCHLD));
	assert_true(sigismember(&a.run_mask, SIGRTMAX));
}

static void a_job_may_be_submitted_by_its_end(void **state)
{
	struct place *place = *state;
	struct task a = {.again = place->worker, .stop = place->loop};
	struct error err = {0};

	submit(place, &a, 'a');
	assert_int_equal(loop_run(place->loop, &err), 0);
	assert_string_equal(place->record, "aa");
}

static void freeing_ends_every_job_and_says_which_ran(void **state)
{
	struct place *place = *state;
	sem_t started, proceed;
	struct task a = {.started = &started, .proceed = &proceed}, b = {0}, c = {0};

	assert_int_equal(sem_init(&started, 0, 0), 0);
	assert_int_equal(sem_init(&proceed, 0, 0), 0);
	submit(place, &a, 'a');
	assert_int_equal(sem_wait(&started), 0);
	submit(place, &b, 'b');
	submit(place, &c, 'c');
	assert_int_equal(sem_post(&proceed), 0);
	place->worker = worker_free(place->worker);
	assert_true(a.was_run);
	// The thread may get to b and c before it is told to stop; done() says which it was.
	assert_int_equal(strlen(place->record), 3);
	assert_int_equal(place->record[0], 'a');
	assert_int_equal(place->record[1], b.was_run ? 'b' : '-');
	assert_int_equal(place->record[2], c.was_run ? 'c' : '-');
	(void)sem_destroy(&started);
	(void)sem_destroy(&proceed);
}

static void a_done_may_free_the_worker(void **state)
{
	struct place *place = *state;
	struct task a = {.stop = place->loop, .free_worker = &place->worker}, b = {0};
	struct error err = {0};

	submit(place, &a, 'a');
	submit(place, &b, 'b');
	assert_int_equal(loop_run(place->loop, &err), 0);
	assert_null(place->worker);
	assert_int_equal(place->record[0], 'a');
	assert_int_equal(strlen(place->record), 2); // b ended too, run or not
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	assert_null(worker_free(NULL));
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, free_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACE(jobs_run_elsewhere_and_end_here_in_order),
		WITH_PLACE(signals_are_blocked_in_the_worker),
		WITH_PLACE(a_job_may_be_submitted_by_its_end),
		WITH_PLACE(freeing_ends_every_job_and_says_which_ran),
		WITH_PLACE(a_done_may_free_the_worker),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests_name("loop/worker", tests, NULL, NULL);
}

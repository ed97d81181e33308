// SPDX-License-Identifier: Apache-2.0
/** The registry of session worlds, with an init that only talks. */
#include "unit.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "world/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** A guard against a hang, not an expectation about speed. */
#define HANG_MS 60000
#define LONG_MS 600000

static const char *fake_init;

struct fixture {
	char top[64];
	char *home, *project, *init;
	struct loop *loop;
	struct timer hang;
	struct sessions *sessions;
	unsigned started, failed, stopped;
	char reason[128];
};

/** A wait and its answer. */
struct asked {
	struct session_wait wait;
	struct fixture *f;
	bool answered, reused, hold;
	struct error err;
};

static void must(int r)
{
	if (r < 0)
		fail_msg("%s", strerror(errno));
}

static void on_hang(struct timer *timer)
{
	(void)timer;
	fail_msg("nothing happened for long");
}

static void run_until_stop(struct fixture *f)
{
	struct error err = {0};

	timer_start(f->loop, &f->hang, HANG_MS, on_hang);
	if (loop_run(f->loop, &err) < 0)
		fail_msg("%s", err.msg);
	timer_stop(&f->hang);
}

static void on_started(struct session *session, const struct error *err, void *owner)
{
	struct fixture *f = owner;

	(void)session;
	f->started += !err;
	f->failed += err != NULL;
}

static void on_stopped(struct session *session, const char *reason, void *owner)
{
	struct fixture *f = owner;

	assert_non_null(session_world(session)); // for the record
	f->stopped++;
	(void)strncpy(f->reason, reason, sizeof(f->reason) - 1);
	loop_stop(f->loop);
}

static void on_guarded(struct session *session, const struct world_guarded *what, void *owner)
{
	(void)session;
	(void)what;
	(void)owner;
}

static void on_ready(struct session_wait *wait, const struct error *err)
{
	struct asked *asked = container_of(wait, struct asked, wait);

	asked->answered = true;
	asked->err = err ? *err : (struct error){0};
	if (asked->hold && !err)
		session_hold(wait->session);
	loop_stop(asked->f->loop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	*f = (struct fixture){.top = "/tmp/session-XXXXXX"};
	assert_non_null(mkdtemp(f->top));
	must(chmod(f->top, 0755));
	f->home = path_join(f->top, "home");
	f->project = path_join(f->top, "project");
	f->init = path_join(f->top, "fake-init-ok");
	must(mkdir(f->home, 0700));
	must(mkdir(f->project, 0755));
	must(symlink(fake_init, f->init));
	assert_int_equal(loop_new(&f->loop, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	f->sessions = sessions_free(f->sessions);
	timer_stop(&f->hang);
	f->loop = loop_free(f->loop);
	pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", f->top, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
	free(f->home);
	free(f->project);
	free(f->init);
	free(f);
	return 0;
}

static void open_sessions(struct fixture *f, uint64_t idle_ms)
{
	struct error err = {0};
	const struct sessions_options options = {
		.loop = f->loop,
		.init_path = f->init,
		.idle_stop_ms = idle_ms,
		.world_started = on_started,
		.world_stopped = on_stopped,
		.world_guarded = on_guarded,
		.owner = f,
	};

	assert_int_equal(sessions_new(&options, &f->sessions, &err), 0);
}

/** Ask for the session of an agent, or for an ephemeral one (agent NULL). */
static int ask(struct fixture *f, const char *agent, struct asked *ret)
{
	AUTO(spec_done) struct spec spec = {0};
	struct error err = {0};

	ret->f = f;
	ret->wait.ready = on_ready;
	if (spec_default(f->home, f->project, "default", agent ? agent : "x", &spec, &err) < 0)
		fail_msg("%s", err.msg);
	return sessions_ensure(f->sessions, &spec, !agent, &ret->wait, &ret->reused, &ret->err);
}

/** Ask, and wait for the answer. */
static struct session *get(struct fixture *f, const char *agent, struct asked *ret)
{
	if (ask(f, agent, ret) < 0)
		fail_msg("%s", ret->err.msg);
	while (!ret->answered)
		run_until_stop(f);
	return ret->wait.session;
}

static unsigned count(struct fixture *f)
{
	struct session *session = NULL;
	unsigned n = 0;

	while ((session = sessions_next(f->sessions, session)))
		n++;
	return n;
}

static void wait_stopped(struct fixture *f, unsigned stopped)
{
	while (f->stopped < stopped)
		run_until_stop(f);
}

/* Reuse -------------------------------------------------------------------------------- */

static void a_world_is_reused(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};

	open_sessions(f, LONG_MS);

	struct session *first = get(f, "a", &one);
	struct session *second = get(f, "a", &two);

	assert_ptr_equal(first, second);
	assert_false(one.reused);
	assert_true(two.reused);
	assert_int_equal(f->started, 1);
	assert_int_equal(world_state(session_world(first)), WORLD_READY);
}

static void agents_have_worlds_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};

	open_sessions(f, LONG_MS);
	assert_ptr_not_equal(get(f, "a", &one), get(f, "b", &two));
	assert_int_equal(count(f), 2);
}

static void all_who_wait_are_answered(void **state)
{
	struct fixture *f = *state;
	struct asked asked[3] = {0};

	open_sessions(f, LONG_MS);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		assert_int_equal(ask(f, "a", &asked[i]), 0);
		assert_false(asked[i].answered);
	}
	session_wait_cancel(&asked[1].wait);
	while (!asked[2].answered)
		run_until_stop(f);
	assert_true(asked[0].answered);
	assert_false(asked[1].answered);
	assert_int_equal(f->started, 1);
}

static void sessions_are_found_by_their_ids(void **state)
{
	struct fixture *f = *state;
	struct asked asked = {0};

	open_sessions(f, LONG_MS);

	struct session *session = get(f, "a", &asked);

	assert_ptr_equal(sessions_find(f->sessions, session_id(session)), session);
	assert_ptr_equal(sessions_find(f->sessions, world_id(session_world(session))), session);
	assert_null(sessions_find(f->sessions, "ses_unknown"));
}

/* Failure ------------------------------------------------------------------------------ */

static void set_init(struct fixture *f, const char *how)
{
	AUTO(mem_free) char *name = str_format("fake-init-%s", how);

	free(f->init);
	f->init = path_join(f->top, name);
	if (symlink(fake_init, f->init) < 0 && errno != EEXIST)
		fail_msg("%s", strerror(errno));
}

static void a_failure_is_told_and_tried_again(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};

	set_init(f, "fails");
	open_sessions(f, LONG_MS);
	(void)get(f, "a", &one);
	assert_int_equal(one.err.code, EPERM);
	(void)get(f, "a", &two);
	assert_int_equal(two.err.code, EPERM);
	assert_int_equal(f->failed, 2);
	assert_int_equal(f->started, 0);
}

/** What was there when the plan was made and went away: a few times another plan is made. */
static void a_plan_that_is_out_of_date_is_made_anew(void **state)
{
	struct fixture *f = *state;
	struct asked asked = {0};

	set_init(f, "early");
	open_sessions(f, LONG_MS);
	(void)get(f, "a", &asked);
	assert_int_equal(asked.err.code, 0);
	assert_int_equal(f->failed, 0);
	assert_int_equal(f->started, 1);
}

static void a_plan_that_never_fits_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct asked asked = {0};

	set_init(f, "gone");
	open_sessions(f, LONG_MS);
	(void)get(f, "a", &asked);
	assert_int_equal(asked.err.code, ENOENT);
	assert_int_equal(f->failed, 1);
}

static void a_missing_init_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct asked asked = {0};

	must(unlink(f->init));
	open_sessions(f, LONG_MS);
	assert_true(ask(f, "a", &asked) < 0);
	assert_false(asked.answered);
}

static void a_dead_world_is_built_again(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};
	AUTO(mem_free) char *id = NULL;

	open_sessions(f, LONG_MS);

	struct session *session = get(f, "a", &one);

	id = strdup(session_id(session));
	must(kill(world_init_pid(session_world(session)), SIGKILL));
	wait_stopped(f, 1);
	assert_null(session_world(session));
	session = get(f, "a", &two);
	assert_string_equal(session_id(session), id);
	assert_false(two.reused);
	assert_int_equal(f->started, 2);
}

/* Stopping ----------------------------------------------------------------------------- */

static void a_restart_keeps_the_session(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};
	AUTO(mem_free) char *world = NULL;

	open_sessions(f, LONG_MS);

	struct session *session = get(f, "a", &one);

	world = strdup(world_id(session_world(session)));
	session_stop(session, "restart");
	assert_ptr_equal(get(f, "a", &two), session);
	assert_string_not_equal(world_id(session_world(session)), world);
	assert_string_equal(f->reason, "restart");
	assert_false(two.reused);
}

static void a_start_that_is_stopped_is_answered(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};

	open_sessions(f, LONG_MS);
	assert_int_equal(ask(f, "a", &one), 0);
	session_stop(one.wait.session, "no");
	assert_true(one.answered);
	assert_int_equal(one.err.code, ECANCELED);
	(void)get(f, "a", &two); // who asks after it gets a world
	assert_int_equal(two.err.code, 0);
}

static void an_idle_world_is_stopped(void **state)
{
	struct fixture *f = *state;
	struct asked asked = {0};

	open_sessions(f, 50);
	(void)get(f, "a", &asked);
	wait_stopped(f, 1);
	assert_string_equal(f->reason, "idle");
	assert_int_equal(count(f), 0);
}

static void a_held_world_is_not_idle(void **state)
{
	struct fixture *f = *state;
	struct asked held = {.hold = true};
	struct asked other = {0};

	open_sessions(f, 50);

	struct session *session = get(f, "a", &held);

	(void)get(f, "b", &other);
	wait_stopped(f, 1); // that is the other one
	assert_non_null(session_world(session));
	assert_int_equal(count(f), 1);
	session_release(session);
	wait_stopped(f, 2);
	assert_int_equal(count(f), 0);
}

static void an_ephemeral_world_is_for_one_command(void **state)
{
	struct fixture *f = *state;
	struct asked one = {.hold = true};
	struct asked two = {.hold = true};

	open_sessions(f, LONG_MS);

	struct session *first = get(f, NULL, &one);
	struct session *second = get(f, NULL, &two);

	assert_ptr_not_equal(first, second);
	assert_true(session_ephemeral(first));
	session_release(first);
	wait_stopped(f, 1);
	assert_int_equal(count(f), 1);
	session_release(second);
	wait_stopped(f, 2);
	assert_int_equal(count(f), 0);
}

static void an_ephemeral_world_that_nobody_wants_ends(void **state)
{
	struct fixture *f = *state;
	struct asked asked = {0};
	struct asked other = {0};

	open_sessions(f, LONG_MS);
	assert_int_equal(ask(f, NULL, &asked), 0);
	session_wait_cancel(&asked.wait);
	(void)get(f, "a", &other);
	session_stop(other.wait.session, "test");
	wait_stopped(f, 1);
	assert_int_equal(count(f), 1);
}

static void the_end_stops_all_at_once(void **state)
{
	struct fixture *f = *state;
	struct asked asked[4] = {0};
	static const char *const agents[] = {"a", "b", "c", NULL};

	open_sessions(f, LONG_MS);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		assert_int_equal(ask(f, agents[i], &asked[i]), 0);
	while (!asked[0].answered || !asked[1].answered)
		run_until_stop(f);

	unsigned started = f->started;

	f->sessions = sessions_free(f->sessions);
	assert_int_equal(f->stopped, started);
}

/* The project -------------------------------------------------------------------------- */

static void replace_project(struct fixture *f)
{
	AUTO(mem_free) char *away = path_join(f->top, "away");

	must(rename(f->project, away));
	must(mkdir(f->project, 0755));
}

static void another_project_at_the_place_gets_another_world(void **state)
{
	struct fixture *f = *state;
	struct asked one = {0};
	struct asked two = {0};

	open_sessions(f, LONG_MS);

	struct session *session = get(f, "a", &one);

	replace_project(f);
	assert_ptr_equal(get(f, "a", &two), session);
	assert_false(two.reused);
	assert_int_equal(f->stopped, 1);
}

static void a_command_may_finish_in_the_project_that_was(void **state)
{
	struct fixture *f = *state;
	struct asked one = {.hold = true};
	struct asked two = {0};

	open_sessions(f, LONG_MS);

	struct session *session = get(f, "a", &one);

	replace_project(f);
	assert_ptr_not_equal(get(f, "a", &two), session);
	assert_int_equal(world_state(session_world(session)), WORLD_READY);
	session_release(session);
	wait_stopped(f, 1);
	assert_int_equal(count(f), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_world_is_reused),
		TEST(agents_have_worlds_of_their_own),
		TEST(all_who_wait_are_answered),
		TEST(sessions_are_found_by_their_ids),
		TEST(a_failure_is_told_and_tried_again),
		TEST(a_plan_that_is_out_of_date_is_made_anew),
		TEST(a_plan_that_never_fits_is_an_error),
		TEST(a_missing_init_is_an_error),
		TEST(a_dead_world_is_built_again),
		TEST(a_restart_keeps_the_session),
		TEST(a_start_that_is_stopped_is_answered),
		TEST(an_idle_world_is_stopped),
		TEST(a_held_world_is_not_idle),
		TEST(an_ephemeral_world_is_for_one_command),
		TEST(an_ephemeral_world_that_nobody_wants_ends),
		TEST(the_end_stops_all_at_once),
		TEST(another_project_at_the_place_gets_another_world),
		TEST(a_command_may_finish_in_the_project_that_was),
	};

	unit_needs_host();
	if (argc < 2)
		return 2;
	fake_init = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

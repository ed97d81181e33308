// SPDX-License-Identifier: Apache-2.0
/** The life of a world and of its commands, with an init that only talks. */
#include "world_fixture.h"

#include <signal.h>
#include <sys/wait.h>

/* Starting ----------------------------------------------------------------------------- */

static void it_stands(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	assert_int_equal(world_state(f->world), WORLD_READY);
	assert_int_equal(world_landlock_abi(f->world), 5);
	assert_true(world_start_us(f->world) > 0);
	assert_true(world_init_pid(f->world) > 0);
	assert_true(id_valid("wld", world_id(f->world)));
}

static void why_it_does_not_stand_is_told(void **state)
{
	struct fixture *f = *state;

	start_world(f, "fails");
	assert_int_equal(world_state(f->world), WORLD_STOPPED);
	assert_int_equal(f->failure.code, EPERM);
	assert_non_null(strstr(f->failure.msg, "not today"));
	assert_int_equal(f->stopped, 0);
}

static void an_init_that_dies_is_told(void **state)
{
	struct fixture *f = *state;

	start_world(f, "dies");
	assert_int_equal(world_state(f->world), WORLD_STOPPED);
	assert_non_null(strstr(f->failure.msg, "status 3"));
}

static void an_init_that_is_missing_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_true(make_world(f, "missing", &err) < 0);
	assert_null(f->world);
}

static void a_start_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_int_equal(make_world(f, "hangs", &err), 0);
	world_stop(f->world, "changed my mind");
	run_until_stop(f);
	assert_int_equal(f->failure.code, ECANCELED);
}

static void a_start_takes_ten_seconds_at_most(void **state)
{
	struct fixture *f = *state;

	start_world(f, "hangs");
	assert_int_equal(f->failure.code, ETIMEDOUT);
}

/* Commands ----------------------------------------------------------------------------- */

static void a_command_runs(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	run_command(f, "three");
	assert_true(f->spawned);
	assert_int_equal(WEXITSTATUS(f->exit.status), 3);
	assert_false(f->exit.lost);
	assert_int_equal(f->exit.user_us, 1);
	assert_int_equal(f->exit.system_us, 2);
	assert_int_equal(f->exit.max_rss_kib, 3);
	assert_int_equal(world_active(f->world), 0);
}

static void refusals_have_texts_for_people(void **state)
{
	static const struct {
		const char *command;
		unsigned step;
		const char *text;
	} cases[] = {
		{"cwd", CONTROL_STEP_CWD,
		 "the working directory /some/where is not visible in the world"},
		{"nonsense", CONTROL_STEP_LOOKUP, "nonsense: command not found"},
		{"exec", CONTROL_STEP_EXEC,
		 "exec: is neither a program nor a script with an interpreter line"},
	};
	struct fixture *f = *state;

	start_world(f, "ok");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		run_command(f, cases[i].command);
		assert_false(f->spawned);
		assert_int_equal(f->step, cases[i].step);
		assert_string_equal(f->failure.msg, cases[i].text);
		assert_int_equal(world_active(f->world), 0);
	}
}

static void a_signal_reaches_it(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	begin_command(f, "hold", NULL);
	run_until_stop(f); // it runs
	assert_int_equal(world_active(f->world), 1);
	world_command_signal(f->command, SIGTERM, false);
	run_until_stop(f);
	assert_int_equal(f->exit.status, SIGTERM);
}

static char *echo(struct fixture *f, const char *variable, size_t *ret_len)
{
	int pipes[2];
	struct error err = {0};
	struct drain drain;

	must(pipe2(pipes, O_CLOEXEC));
	drain_start(&drain, pipes[0]);
	f->out_fd = pipes[1];
	begin_command(f, "echo", variable);
	(void)close(pipes[1]);
	f->out_fd = -1;
	run_until_exit(f);
	world_stop(f->world, "done"); // its copy of the pipe goes too
	run_until_stop(f);
	(void)err;
	return drain_end(&drain, ret_len);
}

static void payload_and_descriptors_arrive(void **state)
{
	static const char expected[] = "/some/where\0echo\0arg\0A=b";
	struct fixture *f = *state;
	size_t len = 0;

	start_world(f, "ok");

	AUTO(mem_free) char *got = echo(f, "A=b", &len);

	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(got, expected, len);
}

static void a_large_payload_arrives_too(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *large = malloc(3U << 20);
	size_t len = 0;

	memset(large, 'x', 3U << 20);
	memcpy(large, "A=", 2);
	large[(3U << 20) - 1] = '\0';
	start_world(f, "ok");

	AUTO(mem_free) char *got = echo(f, large, &len);

	assert_int_equal(len, sizeof("/some/where\0echo\0arg") + (3U << 20));
	assert_string_equal(got + len - (3U << 20), large);
}

static void too_large_a_payload_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *large = malloc(5U << 20);
	struct error err = {0};

	memset(large, 'x', 5U << 20);
	large[(5U << 20) - 1] = '\0';
	start_world(f, "ok");
	assert_int_equal(try_command(f, "echo", large, &err), -E2BIG);
	assert_int_equal(world_active(f->world), 0);
	run_command(f, "ok"); // it is none the worse for it
	assert_int_equal(f->exit.status, 0);
}

/** More than the socket holds before init reads: the rest waits in order. */
static void a_burst_of_commands_is_queued(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *variable = malloc(60000);

	memset(variable, 'x', 60000);
	variable[59999] = '\0';
	start_world(f, "ok");
	for (int i = 0; i < 200; i++)
		begin_command(f, "ok", variable);
	assert_int_equal(world_active(f->world), 200);
	while (world_active(f->world) > 0)
		run_until_exit(f);
	assert_int_equal(f->exits, 200);
}

static void a_gap_is_told(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	run_command(f, "gap");
	assert_int_equal(f->gaps, 1);
}

/* Survivors ---------------------------------------------------------------------------- */

static void survivors_are_listed_and_killed(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start_world(f, "ok");
	run_command(f, "survive");
	assert_int_equal(f->exit.survivors, 1);
	assert_int_equal(world_survivors(f->world), 1);
	list_world(f);
	assert_int_equal(f->nlisted, 1);
	assert_string_equal(f->listed.comm, "left");
	assert_string_equal(f->listed.span_id, SPAN);
	assert_false(f->listed.leader);
	assert_int_equal(world_kill_span(f->world, "spn_unknown", &err), -ESRCH);
	assert_int_equal(world_kill_span(f->world, SPAN, &err), 0);
	list_world(f);
	assert_int_equal(f->nlisted, 0);
	assert_int_equal(world_survivors(f->world), 0);
	assert_int_equal(world_kill_span(f->world, SPAN, &err), -ESRCH);
}

static void a_world_with_a_survivor_is_not_stale(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	run_command(f, "survive");
	assert_false(world_is_stale(f->world));
}

/* The end ------------------------------------------------------------------------------ */

static void a_stopped_world_loses_its_commands(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	begin_command(f, "hold", NULL);
	run_until_stop(f);
	world_stop(f->world, "asked to");
	run_until_stop(f);
	assert_true(f->exit.lost);
	assert_int_equal(f->stopped, 1);
	assert_string_equal(f->reason, "asked to");
	assert_int_equal(world_state(f->world), WORLD_STOPPED);
}

static void the_death_of_init_is_noticed(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	begin_command(f, "die", NULL);
	run_until_stop(f);
	while (f->stopped == 0)
		run_until_stop(f);
	assert_true(f->exit.lost);
	assert_non_null(strstr(f->reason, "status 7"));
}

static void a_spawn_that_init_does_not_survive_is_refused(void **state)
{
	struct fixture *f = *state;

	start_world(f, "ok");
	run_command(f, "die-early");
	assert_false(f->spawned);
	assert_non_null(strstr(f->failure.msg, "status 7"));
	assert_int_equal(f->stopped, 1);
}

static void an_init_that_lies_is_killed(void **state)
{
	static const char *const lies[] = {"lie", "garble", "short", "many-processes"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		f->stopped = 0;
		start_world(f, "ok");
		run_command(f, lies[i]);
		assert_int_equal(f->stopped, 1);
		assert_non_null(strstr(f->reason, "substrate-init"));
		f->world = world_free(f->world);
	}
}

static void a_world_can_be_freed_at_any_time(void **state)
{
	static const char *const starts[] = {"ok", "hangs", "dies"};
	struct fixture *f = *state;
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		assert_int_equal(make_world(f, starts[i], &err), 0);
		f->world = world_free(f->world);
	}
	start_world(f, "ok");
	begin_command(f, "hold", NULL);
	assert_int_equal(world_list(f->world, on_listed, f, &err), 0);
	f->world = world_free(f->world);
	assert_int_equal(f->exits, 0);
}

static void what_is_not_ready_runs_nothing(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_int_equal(make_world(f, "hangs", &err), 0);
	assert_int_equal(try_command(f, "ok", NULL, &err), -EPIPE);
	assert_true(world_list(f->world, on_listed, f, &err) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(it_stands),
		TEST(why_it_does_not_stand_is_told),
		TEST(an_init_that_dies_is_told),
		TEST(an_init_that_is_missing_is_an_error),
		TEST(a_start_can_be_stopped),
		TEST(a_start_takes_ten_seconds_at_most),
		TEST(a_command_runs),
		TEST(refusals_have_texts_for_people),
		TEST(a_signal_reaches_it),
		TEST(payload_and_descriptors_arrive),
		TEST(a_large_payload_arrives_too),
		TEST(too_large_a_payload_is_refused),
		TEST(a_burst_of_commands_is_queued),
		TEST(a_gap_is_told),
		TEST(survivors_are_listed_and_killed),
		TEST(a_world_with_a_survivor_is_not_stale),
		TEST(a_stopped_world_loses_its_commands),
		TEST(the_death_of_init_is_noticed),
		TEST(a_spawn_that_init_does_not_survive_is_refused),
		TEST(an_init_that_lies_is_killed),
		TEST(a_world_can_be_freed_at_any_time),
		TEST(what_is_not_ready_runs_nothing),
	};

	unit_needs_host();
	if (argc < 2)
		return 2;
	fake_init = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

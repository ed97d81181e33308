// SPDX-License-Identifier: Apache-2.0
/** Commands in a real world: start, lookup, signals, survivors, the end of the daemon. */
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct outcome outcome; // too large for a stack

static const char *const path_only[] = {"PATH=/usr/bin:/bin", NULL};

static void run(struct fixture *f, const char *program)
{
	fixture_run(f, (const char *const[]){program, NULL}, path_only, &outcome);
}

/** Start a script that keeps running and prints a line when it is ready; *ret_fd gets its output.
 */
static uint32_t start(struct fixture *f, const char *script, int *ret_fd)
{
	int pair[2];
	char byte = 0;
	struct control_spawned spawned;
	AUTO(fd_close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);

	uint32_t seq = fixture_spawn(f, "/tmp", (const char *const[]){"sh", "-c", script, NULL},
				     path_only, (int[]){null, pair[1], pair[1]});

	(void)fd_close(pair[1]);
	fixture_expect(f, CONTROL_SPAWNED);
	memcpy(&spawned, f->packet.data, sizeof(spawned));
	assert_int_equal(spawned.step, CONTROL_STEP_NONE);
	while (read(pair[0], &byte, 1) == 1 && byte != '\n')
		;
	assert_int_equal(byte, '\n');
	*ret_fd = pair[0];
	return seq;
}

/** Everybody who could write to it is dead. */
static void expect_eof(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&wait, 1, 60000), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
	(void)fd_close(fd);
}

static const struct control_process *list(struct fixture *f, uint32_t *ret_count)
{
	struct control_processes head;

	fixture_send(f, CONTROL_LIST, 1234, NULL, 0);
	fixture_expect(f, CONTROL_PROCESSES);
	assert_int_equal(f->packet.header.seq, 1234);
	memcpy(&head, f->packet.data, sizeof(head));
	assert_int_equal(f->packet.size,
			 sizeof(head) + head.count * sizeof(struct control_process));
	*ret_count = head.count;
	return (const void *)(f->packet.data + sizeof(head));
}

/* Start -------------------------------------------------------------------------------- */

static void a_command_runs_and_its_output_arrives(void **state)
{
	assert_string_equal(fixture_out(*state, "echo out; echo err >&2"), "out\nerr\n");
}

static void the_exit_status_arrives(void **state)
{
	fixture_sh(*state, "exit 7", &outcome);
	assert_int_equal(WEXITSTATUS(outcome.status), 7);
	fixture_sh(*state, "kill -TERM $$", &outcome);
	assert_true(WIFSIGNALED(outcome.status));
	assert_int_equal(WTERMSIG(outcome.status), SIGTERM);
}

static void the_environment_is_what_was_given(void **state)
{
	fixture_run(*state, (const char *const[]){"/usr/bin/env", NULL},
		    (const char *const[]){"A=1", "B=x y", NULL}, &outcome);
	assert_string_equal(outcome.out, "A=1\nB=x y\n");
}

static void only_three_descriptors_are_open(void **state)
{
	// The fourth is what ls reads the directory with.
	assert_string_equal(fixture_out(*state, "ls /proc/self/fd | tr '\\n' ' '"), "0 1 2 3 ");
}

static void signals_are_as_in_a_fresh_login(void **state)
{
	const char *out = fixture_out(*state, "while read -r key value; do case $key in "
					      "SigBlk:|SigIgn:) echo $key $value; esac; done "
					      "</proc/$$/status");

	assert_string_equal(out, "SigBlk: 0000000000000000\nSigIgn: 0000000000000000\n");
}

static void a_command_leads_its_session(void **state)
{
	assert_string_equal(fixture_out(*state, "set -- $(cat /proc/self/stat); "
						"[ $6 = $$ ] && [ $5 = $$ ] && echo yes"),
			    "yes\n");
}

static void the_umask_is_the_one_asked_for(void **state)
{
	assert_string_equal(fixture_out(*state, "umask"), "0022\n");
}

static void what_is_not_found_is_a_lookup(void **state)
{
	run(*state, "no-such-program");
	assert_int_equal(outcome.step, CONTROL_STEP_LOOKUP);
	assert_int_equal(outcome.error, ENOENT);
	run(*state, "/usr/bin/no-such-program");
	assert_int_equal(outcome.step, CONTROL_STEP_LOOKUP);
	assert_int_equal(outcome.error, ENOENT);
	run(*state, "/usr/bin/env/x");
	assert_int_equal(outcome.step, CONTROL_STEP_LOOKUP);
	assert_int_equal(outcome.error, ENOTDIR);
	run(*state, "");
	assert_int_equal(outcome.step, CONTROL_STEP_LOOKUP);
}

static void what_cannot_be_executed_is_an_exec(void **state)
{
	struct fixture *f = *state;

	fixture_write(f, "project/plain", "echo hi\n");
	fixture_write(f, "project/script", "echo hi\n");
	fixture_write(f, "project/lost", "#!/no/such/interpreter\n");
	assert_int_equal(chmod(fixture_path(f, "project/script"), 0755), 0);
	assert_int_equal(chmod(fixture_path(f, "project/lost"), 0755), 0);
	run(f, "./plain");
	assert_int_equal(outcome.step, CONTROL_STEP_EXEC);
	assert_int_equal(outcome.error, EACCES);
	run(f, "/usr/bin");
	assert_int_equal(outcome.step, CONTROL_STEP_EXEC);
	assert_int_equal(outcome.error, EISDIR);
	run(f, "./script"); // no shell is tried
	assert_int_equal(outcome.step, CONTROL_STEP_EXEC);
	assert_int_equal(outcome.error, ENOEXEC);
	run(f, "./lost");
	assert_int_equal(outcome.step, CONTROL_STEP_EXEC);
	assert_int_equal(outcome.error, ENOENT);
}

static void the_path_is_searched_as_execvp_does(void **state)
{
	struct fixture *f = *state;
	char path[256];
	const char *const env[] = {path, NULL};

	(void)snprintf(path, sizeof(path), "PATH=%s/dir:%s/plain:/nowhere:/usr/bin", f->project,
		       f->project);
	assert_int_equal(mkdir(fixture_path(f, "project/dir"), 0755), 0);
	assert_int_equal(mkdir(fixture_path(f, "project/dir/id"), 0755), 0);
	fixture_write(f, "project/plain", "");
	// A directory of that name is passed over ...
	fixture_run(f, (const char *const[]){"id", "-u", NULL}, env, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_NONE);
	// ... and remembered when nothing better comes.
	(void)snprintf(path, sizeof(path), "PATH=%s/dir:/nowhere", f->project);
	fixture_run(f, (const char *const[]){"id", NULL}, env, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_EXEC);
	assert_int_equal(outcome.error, EACCES);
	// An empty entry is the working directory.
	fixture_write(f, "project/tool", "#!/bin/sh\necho tool\n");
	assert_int_equal(chmod(fixture_path(f, "project/tool"), 0755), 0);
	(void)snprintf(path, sizeof(path), "PATH=:/usr/bin");
	fixture_run(f, (const char *const[]){"tool", NULL}, env, &outcome);
	assert_string_equal(outcome.out, "tool\n");
}

static void a_working_directory_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;
	const int null[3] = {2, 2, 2};
	struct control_spawned spawned;

	(void)fixture_spawn(f, "/home/nobody/here", (const char *const[]){"true", NULL}, path_only,
			    null);
	fixture_expect(f, CONTROL_SPAWNED);
	memcpy(&spawned, f->packet.data, sizeof(spawned));
	assert_int_equal(spawned.step, CONTROL_STEP_CWD);
	assert_int_equal(spawned.error, ENOENT);
	(void)fixture_spawn(f, "/usr/bin/env", (const char *const[]){"true", NULL}, path_only,
			    null);
	fixture_expect(f, CONTROL_SPAWNED);
	memcpy(&spawned, f->packet.data, sizeof(spawned));
	assert_int_equal(spawned.step, CONTROL_STEP_CWD);
	assert_int_equal(spawned.error, ENOTDIR);
}

static void two_mebibytes_of_arguments_pass_or_are_told(void **state)
{
	enum { SIZE = 100000, COUNT = 19 };
	static char text[SIZE];
	const char *argv[COUNT + 8] = {"sh", "-c", "echo $#; echo ${#1}", "sh"};

	memset(text, 'x', SIZE - 1);
	for (size_t i = 0; i < COUNT; i++)
		argv[4 + i] = text;
	fixture_run(*state, argv, path_only, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_NONE);
	assert_string_equal(outcome.out, "19\n99999\n");
	for (size_t i = COUNT; i < COUNT + 3; i++)
		argv[4 + i] = text;
	fixture_run(*state, argv, path_only, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_EXEC);
	assert_int_equal(outcome.error, E2BIG);
}

static void many_commands_at_once_are_all_answered(void **state)
{
	enum { COUNT = 40 };
	struct fixture *f = *state;
	bool ended[COUNT] = {false};
	bool started[COUNT] = {false};
	uint32_t first = f->seq + 1;
	AUTO(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < COUNT; i++) {
		char script[32];

		(void)snprintf(script, sizeof(script), "exit %d", i);
		(void)fixture_spawn(f, "/tmp", (const char *const[]){"sh", "-c", script, NULL},
				    path_only, (int[]){null, null, null});
	}
	for (int i = 0; i < 2 * COUNT; i++) {
		struct control_exited exited;

		fixture_expect(f, CONTROL_END);

		uint32_t at = f->packet.header.seq - first;

		assert_true(at < COUNT);
		if (f->packet.header.kind == CONTROL_SPAWNED) {
			assert_false(started[at]);
			started[at] = true;
			continue;
		}
		assert_int_equal(f->packet.header.kind, CONTROL_EXITED);
		assert_true(started[at]); // never before it was reported as started
		assert_false(ended[at]);
		ended[at] = true;
		memcpy(&exited, f->packet.data, sizeof(exited));
		assert_int_equal(WEXITSTATUS(exited.status), at);
	}
}

/* Signals and survivors ----------------------------------------------------------------- */

static void a_signal_reaches_the_group(void **state)
{
	int out = -1;
	uint32_t seq = start(*state, "trap 'exit 9' INT; echo; while :; do sleep 0.05; done", &out);

	fixture_signal(*state, seq, SIGINT, CONTROL_TO_GROUP);
	assert_int_equal(WEXITSTATUS(fixture_wait_exit(*state, seq).status), 9);
	expect_eof(out);
}

static void a_signal_that_comes_before_the_start_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct control_exited exited;
	AUTO(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint32_t seq = fixture_spawn(f, "/tmp", (const char *const[]){"sleep", "1000", NULL},
				     path_only, (int[]){null, null, null});

	fixture_signal(f, seq, SIGTERM, CONTROL_TO_GROUP);
	fixture_expect(f, CONTROL_SPAWNED);
	exited = fixture_wait_exit(f, seq);
	assert_int_equal(WTERMSIG(exited.status), SIGTERM);
}

static void a_command_is_killed_with_what_left_its_session(void **state)
{
	int out = -1;
	// Deep, in another session, still a descendant.
	uint32_t seq = start(
		*state, "setsid sh -c 'setsid sleep 1000 & setsid sleep 1000 & echo; wait'", &out);

	fixture_signal(*state, seq, SIGKILL, CONTROL_TO_COMMAND);
	assert_true(WIFSIGNALED(fixture_wait_exit(*state, seq).status));
	expect_eof(out);
}

static void a_fork_bomb_is_killed(void **state)
{
	int out = -1;
	uint32_t seq = start(*state,
			     "i=0; while [ $i -lt 30 ]; do "
			     "sh -c 'while :; do (:) & done' & i=$((i+1)); done; echo; wait",
			     &out);

	fixture_signal(*state, seq, SIGKILL, CONTROL_TO_COMMAND);
	(void)fixture_wait_exit(*state, seq);
	expect_eof(out);
}

static void survivors_are_counted_listed_and_killed(void **state)
{
	int out = -1;
	uint32_t count = 0;
	uint32_t seq = start(*state, "sleep 1000 & sleep 1000 & echo", &out);

	assert_int_equal(fixture_wait_exit(*state, seq).survivors, 2);

	const struct control_process *process = list(*state, &count);

	assert_int_equal(count, 2);
	assert_int_equal(process[0].seq, seq);
	assert_int_equal(process[1].seq, seq);
	fixture_signal(*state, seq, SIGKILL, CONTROL_TO_COMMAND);
	expect_eof(out);
	// Who let go of the pipe may still be dying.
	for (int i = 0; i < 1000 && (i == 0 || outcome.survivors > 0); i++)
		fixture_sh(*state, "true", &outcome);
	assert_int_equal(outcome.survivors, 0);
}

static void two_commands_are_told_apart(void **state)
{
	int out[2] = {-1, -1};
	uint32_t count = 0;
	uint32_t a = start(*state, "sleep 1000 & echo; wait", &out[0]);
	uint32_t b = start(*state, "sleep 1000 & echo; wait", &out[1]);
	unsigned of_a = 0;
	unsigned of_b = 0;
	const struct control_process *process = list(*state, &count);

	for (uint32_t i = 0; i < count; i++) {
		of_a += process[i].seq == a;
		of_b += process[i].seq == b;
	}
	assert_int_equal(of_a, 2);
	assert_int_equal(of_b, 2);
	fixture_signal(*state, a, SIGKILL, CONTROL_TO_COMMAND);
	// What the other one started; its own may still be dying.
	assert_in_range(fixture_wait_exit(*state, a).survivors, 1, 2);
	expect_eof(out[0]);
	fixture_signal(*state, 0, SIGKILL, CONTROL_TO_WORLD);
	(void)fixture_wait_exit(*state, b);
	expect_eof(out[1]);
}

static void a_name_that_lies_does_not_mislead_the_list(void **state)
{
	struct fixture *f = *state;
	uint32_t count = 0;
	int out = -1;
	uint32_t seq;

	seq = start(f,
		    "cp /bin/sh '/tmp/a) Z 1 1 (b'; '/tmp/a) Z 1 1 (b' -c 'echo; read x' "
		    "</dev/zero & wait",
		    &out);

	const struct control_process *process = list(f, &count);

	assert_int_equal(count, 2);
	assert_string_equal(process[1].comm, "a) Z 1 1 (b");
	assert_int_equal(process[1].seq, seq);
	fixture_signal(f, seq, SIGKILL, CONTROL_TO_COMMAND);
	(void)fixture_wait_exit(f, seq);
	expect_eof(out);
}

static void a_flood_of_orphans_does_not_keep_init_from_answering(void **state)
{
	int out = -1;
	uint32_t count = 0;
	uint32_t seq = start(*state, "echo; while :; do (sleep 0 &) ; done", &out);

	for (int i = 0; i < 50; i++)
		(void)list(*state, &count);
	fixture_signal(*state, seq, SIGKILL, CONTROL_TO_COMMAND);
	(void)fixture_wait_exit(*state, seq);
	fixture_signal(*state, 0, SIGKILL, CONTROL_TO_WORLD);
	expect_eof(out);
}

static void a_signal_to_a_command_that_is_gone_is_nothing(void **state)
{
	fixture_signal(*state, 777, SIGKILL, CONTROL_TO_COMMAND);
	fixture_signal(*state, 777, SIGKILL, CONTROL_TO_GROUP);
	assert_string_equal(fixture_out(*state, "echo on"), "on\n");
}

static void everything_dies_with_the_daemons_end(void **state)
{
	struct fixture *f = *state;
	int out = -1;
	siginfo_t info = {0};

	(void)start(f, "setsid sh -c 'trap \"\" TERM HUP; sleep 1000 & echo; wait' & wait", &out);
	f->launch.control_fd = fd_close(f->launch.control_fd);
	assert_int_equal(waitid(P_PIDFD, (id_t)f->launch.pidfd, &info, WEXITED), 0);
	f->launch.pidfd = fd_close(f->launch.pidfd);
	expect_eof(out);
}

static void garbage_from_the_daemon_ends_the_world(void **state)
{
	struct fixture *f = *state;
	siginfo_t info = {0};

	fixture_send(f, CONTROL_SPAWN, 1, "xx", 2);
	assert_int_equal(waitid(P_PIDFD, (id_t)f->launch.pidfd, &info, WEXITED), 0);
	assert_int_not_equal(info.si_status, 0);
	f->launch.pidfd = fd_close(f->launch.pidfd);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_command_runs_and_its_output_arrives),
		WORLD_TEST(the_exit_status_arrives),
		WORLD_TEST(the_environment_is_what_was_given),
		WORLD_TEST(only_three_descriptors_are_open),
		WORLD_TEST(signals_are_as_in_a_fresh_login),
		WORLD_TEST(a_command_leads_its_session),
		WORLD_TEST(the_umask_is_the_one_asked_for),
		WORLD_TEST(what_is_not_found_is_a_lookup),
		WORLD_TEST(what_cannot_be_executed_is_an_exec),
		WORLD_TEST(the_path_is_searched_as_execvp_does),
		WORLD_TEST(a_working_directory_that_is_not_there_is_told),
		WORLD_TEST(two_mebibytes_of_arguments_pass_or_are_told),
		WORLD_TEST(many_commands_at_once_are_all_answered),
		WORLD_TEST(a_signal_reaches_the_group),
		WORLD_TEST(a_signal_that_comes_before_the_start_is_not_lost),
		WORLD_TEST(a_command_is_killed_with_what_left_its_session),
		WORLD_TEST(a_fork_bomb_is_killed),
		WORLD_TEST(survivors_are_counted_listed_and_killed),
		WORLD_TEST(two_commands_are_told_apart),
		WORLD_TEST(a_name_that_lies_does_not_mislead_the_list),
		WORLD_TEST(a_flood_of_orphans_does_not_keep_init_from_answering),
		WORLD_TEST(a_signal_to_a_command_that_is_gone_is_nothing),
		WORLD_TEST(everything_dies_with_the_daemons_end),
		WORLD_TEST(garbage_from_the_daemon_ends_the_world),
	};

	unit_needs_host();
	if (fixture_main(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests_name("sandbox/commands", tests, NULL, NULL);
}

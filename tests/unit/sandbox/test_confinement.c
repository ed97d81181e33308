// SPDX-License-Identifier: Apache-2.0
/**
 * What a command cannot do, whatever it tries; where a guard can be left out, that it bites.
 *
 * Each attempt runs with all guards, and again with those left out that are not the one meant:
 * no guarantee rests on a single mechanism.
 */
#include "attacks.h"
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;
static struct outcome outcome;

static const char *const search_path[] = {"PATH=/usr/bin:/bin", NULL};

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	return 0;
}

/** A world whose project holds this program. */
static void start(const struct fixture_options *options)
{
	struct error err = {0};
	char data[8192];
	ssize_t n;

	fixture_dirs(&fixture, options);

	AUTO(fd_close) int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	AUTO(fd_close)
	int out = open(fixture_path(&fixture, "project/attacker"), O_WRONLY | O_CREAT | O_CLOEXEC,
		       0755);

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, data, sizeof(data))) > 0)
		assert_int_equal(fd_write_full(out, data, (size_t)n), 0);
	out = fd_close(out); // else it could not be executed
	if (fixture_try(&fixture, options, &err) < 0)
		fail_msg("%s", err.msg);
}

static const char *attack(const char *name, const char *arg)
{
	fixture_run(&fixture, (const char *const[]){"./attacker", "attack", name, arg, NULL},
		    search_path, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_NONE);
	return outcome.out;
}

/** The attack gets nothing in a world that lacks these guards. */
static void expect_refused(const char *name, const char *arg, unsigned without)
{
	start(&(struct fixture_options){.without = without});
	assert_string_equal(attack(name, arg), "refused\n");
	fixture_stop(&fixture);
}

/** A throw-away world for teardown when a test ran its own. */
static void done(void)
{
	fixture_dirs(&fixture, &(struct fixture_options){0});
}

/* Init ----------------------------------------------------------------------------------- */

static void init_cannot_be_traced_or_looked_into(void **state)
{
	(void)state;
	expect_refused("init", NULL, 0);
	expect_refused("init", NULL, WITHOUT_SECCOMP);
	// Landlock forbids it too, so without it not being dumpable is what is left.
	expect_refused("init", NULL, WITHOUT_SECCOMP | WITHOUT_LANDLOCK);
	done();
}

static void init_cannot_be_killed_or_stopped(void **state)
{
	(void)state;
	start(&(struct fixture_options){.without = WITHOUT_SECCOMP | WITHOUT_LANDLOCK});
	assert_string_equal(attack("kill", NULL), "refused\n");
	assert_string_equal(fixture_out(&fixture, "echo alive"), "alive\n");
}

static void the_limits_of_init_cannot_be_set(void **state)
{
	(void)state;
	start(&(struct fixture_options){0});
	if (fixture.uid == geteuid())
		assert_string_equal(attack("limits", NULL), "refused\n");
	assert_string_equal(fixture_out(&fixture, "echo alive"), "alive\n");
	fixture_stop(&fixture);
	// It is the filter that refuses.
	start(&(struct fixture_options){.without = WITHOUT_SECCOMP});
	assert_string_equal(attack("limits", NULL), "GOT a limit of init's\n");
}

static void a_command_about_to_be_executed_cannot_be_grabbed(void **state)
{
	int in[2];
	int out[2];
	char said[256];
	uint32_t attacker;

	(void)state;
	start(&(struct fixture_options){.without = WITHOUT_SECCOMP | WITHOUT_LANDLOCK});
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	attacker = fixture_spawn(&fixture, fixture.project,
				 (const char *const[]){"./attacker", "attack", "unborn", NULL},
				 search_path, (int[]){in[0], out[1], out[1]});
	fixture_expect(&fixture, CONTROL_SPAWNED);
	(void)fd_close(in[0]);
	(void)fd_close(out[1]);
	assert_int_equal(read(out[0], said, 6), 6); // "ready\n"
	for (int i = 0; i < 300; i++)
		assert_string_equal(fixture_out(&fixture, "echo on"), "on\n");
	(void)fd_close(in[1]);

	ssize_t n = fd_read_full(out[0], said, sizeof(said) - 1);

	assert_true(n > 0);
	said[n] = '\0';
	(void)fd_close(out[0]);
	fixture_expect(&fixture, CONTROL_EXITED);
	assert_int_equal(fixture.packet.header.seq, attacker);
	assert_non_null(strstr(said, "refused\n"));
	assert_null(strstr(said, "GOT"));
	assert_non_null(strstr(said, "seen some\n")); // it did look at the right ones
}

static void a_command_stopped_before_its_exec_is_continued(void **state)
{
	int out[2];
	char byte;
	AUTO(fd_close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	start(&(struct fixture_options){.without = WITHOUT_SECCOMP | WITHOUT_LANDLOCK});
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	// Stops whatever is there but itself, again and again, for two hundred rounds.
	(void)fixture_spawn(&fixture, "/tmp",
			    (const char *const[]){"sh", "-c",
						  "echo; i=0; while [ $i -lt 200 ]; do "
						  "for p in /proc/[0-9]*; do p=${p#/proc/}; "
						  "[ $p -gt 2 ] && [ $p != $$ ] && kill -STOP $p; "
						  "done 2>/dev/null; i=$((i+1)); done",
						  NULL},
			    search_path, (int[]){null, out[1], out[1]});
	fixture_expect(&fixture, CONTROL_SPAWNED);
	assert_int_equal(read(out[0], &byte, 1), 1);

	// Some are stopped before their exec, some after it; each of the first is answered.
	for (int i = 0; i < 20; i++)
		(void)fixture_spawn(&fixture, "/tmp", (const char *const[]){"true", NULL},
				    search_path, (int[]){null, out[1], out[1]});
	for (int answered = 0; answered < 20;) {
		fixture_expect(&fixture, CONTROL_END);
		answered += fixture.packet.header.kind == CONTROL_SPAWNED;
	}
	(void)fd_close(out[0]);
	(void)fd_close(out[1]);
}

/* Privileges ----------------------------------------------------------------------------- */

static void commands_have_no_capability_at_all(void **state)
{
	(void)state;
	expect_refused("capabilities", NULL, 0);
	if (geteuid() == 0) {
		start(&(struct fixture_options){.uid = 4321});
		assert_string_equal(attack("capabilities", NULL), "refused\n");
		fixture_stop(&fixture);
	}
	// It bites: left out, uid 0 has them.
	start(&(struct fixture_options){.harden_off = CONTROL_DROP_CAPS});
	assert_string_equal(attack("capabilities", NULL), "GOT a capability\n");
}

static void no_new_privileges_is_set(void **state)
{
	static const char script[] = "grep NoNewPrivs /proc/self/status";

	(void)state;
	start(&(struct fixture_options){0});
	assert_string_equal(fixture_out(&fixture, script), "NoNewPrivs:\t1\n");
	fixture_stop(&fixture);
	start(&(struct fixture_options){.harden_off = CONTROL_NO_NEW_PRIVS});
	assert_string_equal(fixture_out(&fixture, script), "NoNewPrivs:\t0\n");
}

static void a_set_id_program_gives_nothing(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		done();
		return; // only root can make one of another's
	}
	start(&(struct fixture_options){.uid = 4321});
	assert_int_equal(chown(fixture_path(&fixture, "project/attacker"), 0, 0), 0);
	assert_int_equal(chmod(fixture_path(&fixture, "project/attacker"), 06755), 0);
	assert_string_equal(attack("capabilities", NULL), "refused\n");
	assert_string_equal(fixture_out(&fixture, "cp /usr/bin/id .; ./id -u"), "4321\n");
}

static void nothing_can_be_mounted(void **state)
{
	(void)state;
	expect_refused("mount", NULL, 0);
	expect_refused("mount", NULL, WITHOUT_SECCOMP);
	expect_refused("mount", NULL, WITHOUT_LANDLOCK);
	expect_refused("mount", NULL, WITHOUT_SECCOMP | WITHOUT_LANDLOCK);
	done();
}

static void there_are_no_nested_user_namespaces(void **state)
{
	(void)state;
	expect_refused("namespaces", NULL, 0);
	expect_refused("namespaces", NULL, WITHOUT_SECCOMP | WITHOUT_LANDLOCK);
	expect_refused("namespaces", NULL, WITHOUT_USERNS | WITHOUT_LANDLOCK);
	// Both guards gone, it works: each of them bites.
	start(&(struct fixture_options){.without = WITHOUT_USERNS | WITHOUT_SECCOMP |
						   WITHOUT_LANDLOCK});
	assert_non_null(strstr(attack("namespaces", NULL), "GOT a user namespace"));
}

static void the_hosts_core_pattern_is_out_of_reach(void **state)
{
	(void)state;
	expect_refused("core_pattern", NULL, 0);
	expect_refused("core_pattern", NULL, WITHOUT_SECCOMP | WITHOUT_LANDLOCK);
	done();
}

static void keys_of_the_daemons_session_are_not_the_worlds(void **state)
{
	long key;

	(void)state;
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	key = syscall(SYS_add_key, "user", "substrate-test", "secret", 6, KEY_SPEC_SESSION_KEYRING);
	if (key < 0) {
		done();
		print_message("skipped: no keys here: %s\n", strerror(errno));
		return;
	}
	expect_refused("keys", NULL, WITHOUT_SECCOMP | WITHOUT_LANDLOCK);
	done();
}

/* Landlock -------------------------------------------------------------------------------- */

static void bind_more(struct plan_builder *builder, const struct fixture *f)
{
	plan_add(builder,
		 &(struct plan_step){
			 .kind = PLAN_TMPFS, .path = "/more", .flags = PLAN_MAKE, .mode = 01777});
	(void)f;
}

static void landlock_bounds_writes_where_mounts_do_not(void **state)
{
	(void)state;
	start(&(struct fixture_options){.extra = bind_more});
	if (fixture.ready.landlock_abi == 0) {
		print_message("skipped: no Landlock here\n");
		return;
	}
	assert_string_equal(attack("write", "/more/x"), "refused\n");
	assert_string_equal(attack("write", "/tmp/x"), "GOT /tmp/x\n");
	assert_string_equal(attack("write", "x"), "GOT x\n");
	assert_string_equal(fixture_out(&fixture, "mkdir a b; touch a/f; mv a/f b/; ls b"), "f\n");
	fixture_stop(&fixture);
	start(&(struct fixture_options){.extra = bind_more, .without = WITHOUT_LANDLOCK});
	assert_string_equal(attack("write", "/more/x"), "GOT /more/x\n");
}

static void commands_of_one_world_can_trace_and_signal_each_other(void **state)
{
	struct control_spawned spawned;
	char pid[16];
	AUTO(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	start(&(struct fixture_options){0});

	uint32_t other =
		fixture_spawn(&fixture, "/tmp", (const char *const[]){"sleep", "1000", NULL},
			      search_path, (int[]){null, null, null});

	fixture_expect(&fixture, CONTROL_SPAWNED);
	memcpy(&spawned, fixture.packet.data, sizeof(spawned));
	(void)snprintf(pid, sizeof(pid), "%d", spawned.pid);
	(void)fixture_spawn(&fixture, fixture.project,
			    (const char *const[]){"./attacker", "attack", "neighbour", pid, NULL},
			    search_path, (int[]){null, null, null});
	// The first may be dead before the second is known to have started.
	for (int ended = 0; ended < 2;) {
		struct control_exited exited;

		fixture_expect(&fixture, CONTROL_END);
		if (fixture.packet.header.kind == CONTROL_SPAWNED)
			continue;
		assert_int_equal(fixture.packet.header.kind, CONTROL_EXITED);
		memcpy(&exited, fixture.packet.data, sizeof(exited));
		if (fixture.packet.header.seq == other)
			assert_int_equal(WTERMSIG(exited.status), SIGTERM);
		else
			assert_int_equal(exited.status, 0);
		ended++;
	}
}

#define WORLD_TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(init_cannot_be_traced_or_looked_into),
		WORLD_TEST(init_cannot_be_killed_or_stopped),
		WORLD_TEST(the_limits_of_init_cannot_be_set),
		WORLD_TEST(a_command_about_to_be_executed_cannot_be_grabbed),
		WORLD_TEST(a_command_stopped_before_its_exec_is_continued),
		WORLD_TEST(commands_have_no_capability_at_all),
		WORLD_TEST(no_new_privileges_is_set),
		WORLD_TEST(a_set_id_program_gives_nothing),
		WORLD_TEST(nothing_can_be_mounted),
		WORLD_TEST(there_are_no_nested_user_namespaces),
		WORLD_TEST(the_hosts_core_pattern_is_out_of_reach),
		WORLD_TEST(keys_of_the_daemons_session_are_not_the_worlds),
		WORLD_TEST(landlock_bounds_writes_where_mounts_do_not),
		WORLD_TEST(commands_of_one_world_can_trace_and_signal_each_other),
	};
	int attacked = attacks_main(argc, argv);

	unit_needs_host();
	if (attacked >= 0)
		return attacked;
	if (fixture_main(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests_name("sandbox/confinement", tests, NULL, NULL);
}

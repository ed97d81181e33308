// SPDX-License-Identifier: Apache-2.0
/** Worlds with the real init: what commands do to a project, and what becomes of it. */
#include "world_fixture.h"

#include <signal.h>

/** Set where no world can be built, for example without user namespaces. */
static bool no_worlds;

static void start_live(struct fixture *f)
{
	AUTO(spec_done) struct spec spec = {0};
	struct error err = {0};
	const struct world_options options = {
		.loop = f->loop,
		.init_path = fake_init, // the real one, by the command line
		.spec = &spec,
		.ops = &fixture_ops,
		.owner = f,
	};

	if (no_worlds)
		skip();
	if (spec_default(f->home, f->project, "default", "tester", &spec, &err) < 0)
		fail_msg("%s", err.msg);
	if (world_new(&options, &f->world, &err) < 0) {
		if (err.code != EPERM)
			fail_msg("%s", err.msg);
		no_worlds = true;
		skip();
	}
	run_until_stop(f);
	if (world_state(f->world) != WORLD_READY)
		fail_msg("%s", f->failure.msg);
}

static void begin(struct fixture *f, char *const *argv, const char *cwd)
{
	AUTO(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct error err = {0};
	char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char home[] = "HOME=/nonexistent";
	char *envp[] = {path, home, NULL};
	const struct world_exec exec = {
		.argv = argv,
		.envp = envp,
		.cwd = cwd,
		.span_id = SPAN,
		.umask = 022,
		.fds = {null, f->out_fd < 0 ? null : f->out_fd, 2},
	};

	if (world_run(f->world, &exec, &fixture_command_ops, f, &f->command, &err) < 0)
		fail_msg("%s", err.msg);
}

/** Run a script in the project to its end. */
static void script(struct fixture *f, const char *text)
{
	AUTO(mem_free) char *own = strdup(text);
	char sh[] = "sh";
	char c[] = "-ec";
	char *argv[] = {sh, c, own, NULL};

	begin(f, argv, f->project);
	run_until_exit(f);
}

static void ok(struct fixture *f, const char *text)
{
	script(f, text);
	assert_true(f->spawned);
	assert_int_equal(f->exit.status, 0);
}

static bool has(const struct fixture *f, const char *name)
{
	AUTO(mem_free) char *path = path_join(f->project, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static char *text_of(const struct fixture *f, const char *name)
{
	AUTO(mem_free) char *path = path_join(f->project, name);
	struct error err = {0};
	char *text = NULL;
	size_t len = 0;

	if (fd_read_file(AT_FDCWD, path, 1 << 16, &text, &len, &err) < 0)
		fail_msg("%s", err.msg);
	return text;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	AUTO(mem_free) char *path = path_join(f->project, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

/** A repository of the host: enough of one for our purpose. */
static void make_git(const struct fixture *f)
{
	static const char *const dirs[] = {".git", ".git/hooks", ".git/objects", ".git/refs"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		AUTO(mem_free) char *path = path_join(f->project, dirs[i]);

		must(mkdir(path, 0755));
	}
	put(f, ".git/HEAD", "ref: refs/heads/main\n");
	put(f, ".git/config", "[core]\n\tbare = false\n");
}

static void a_status_comes_back(void **state)
{
	struct fixture *f = *state;

	start_live(f);
	script(f, "exit 7");
	assert_int_equal(WEXITSTATUS(f->exit.status), 7);
	assert_false(f->exit.lost);
}

static void the_project_is_writable(void **state)
{
	struct fixture *f = *state;

	start_live(f);
	ok(f, "echo made >file; mkdir dir; mv file dir");

	AUTO(mem_free) char *text = text_of(f, "dir/file");

	assert_string_equal(text, "made\n");
}

static void refusals_are_told(void **state)
{
	struct fixture *f = *state;
	char name[] = "no-such-program";
	char *argv[] = {name, NULL};

	start_live(f);
	begin(f, argv, f->project);
	run_until_exit(f);
	assert_false(f->spawned);
	assert_int_equal(f->step, CONTROL_STEP_LOOKUP);
	assert_string_equal(f->failure.msg, "no-such-program: command not found");
	begin(f, argv, "/no/such/place");
	run_until_exit(f);
	assert_int_equal(f->step, CONTROL_STEP_CWD);
}

static void what_appears_is_set_aside(void **state)
{
	struct fixture *f = *state;

	start_live(f);
	ok(f, "echo evil >.envrc; mkdir x; echo evil >x/tasks.json; mv x .vscode; ln -s x .claude");
	assert_false(has(f, ".envrc"));
	assert_false(has(f, ".vscode"));
	assert_false(has(f, ".claude"));
	assert_int_equal(f->asides, 3);
}

/** The command itself sees it go, long before it ends. */
static void it_is_set_aside_while_the_command_runs(void **state)
{
	struct fixture *f = *state;

	start_live(f);
	ok(f, "echo evil >.envrc; while [ -e .envrc ]; do :; done");
	assert_int_equal(f->asides, 1);
}

static void what_exists_is_mounted(void **state)
{
	struct fixture *f = *state;

	make_git(f);
	put(f, ".envrc", "mine");
	start_live(f);
	ok(f, "! echo evil >.envrc; ! rm .envrc; ! mv .envrc x; ! mv .git x; ! touch .git/hooks/x");
	assert_int_equal(f->asides, 0);

	AUTO(mem_free) char *text = text_of(f, ".envrc");

	assert_string_equal(text, "mine");
}

static void configuration_is_put_back(void **state)
{
	struct fixture *f = *state;

	make_git(f);
	start_live(f);
	ok(f, "printf '[core]\\n\\tfsmonitor = evil\\n[user]\\n\\tname = me\\n' >.git/config");

	AUTO(mem_free) char *text = text_of(f, ".git/config");

	assert_null(strstr(text, "fsmonitor"));
	assert_non_null(strstr(text, "me"));
	assert_int_equal(f->asides, 1);
}

static void what_the_host_replaces_is_mounted_again(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *from = path_join(f->project, "new");
	AUTO(mem_free) char *to = path_join(f->project, ".envrc");

	put(f, ".envrc", "one");
	start_live(f);
	ok(f, "true");
	put(f, "new", "two");
	must(rename(from, to));
	ok(f, "! echo evil >.envrc; grep two .envrc");
	assert_true(f->gaps > 0);
}

/** While a command runs as well: the loop tells init as soon as it happens. */
static void it_is_mounted_again_while_a_command_runs(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *from = path_join(f->project, "new");
	AUTO(mem_free) char *to = path_join(f->project, ".envrc");
	char sh[] = "sh";
	char c[] = "-c";
	char text[] = "until [ -e go ]; do :; done; ! echo evil >.envrc";
	char *argv[] = {sh, c, text, NULL};

	put(f, ".envrc", "one");
	start_live(f);
	begin(f, argv, f->project);
	run_until_stop(f); // it runs
	put(f, "new", "two");
	must(rename(from, to));
	while (f->gaps == 0)
		run_until_stop(f);
	put(f, "go", "");
	run_until_exit(f);
	assert_int_equal(f->exit.status, 0);
	assert_int_equal(f->asides, 0);
}

static void survivors_are_known_and_killed(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start_live(f);
	ok(f, "sleep 1000 >/dev/null 2>&1 & "
	      "until [ $(cat /proc/$!/comm) = sleep ]; do :; done");
	assert_int_equal(f->exit.survivors, 1);
	list_world(f);
	assert_int_equal(f->nlisted, 1);
	assert_string_equal(f->listed.comm, "sleep");
	assert_string_equal(f->listed.span_id, SPAN);
	assert_int_equal(world_kill_span(f->world, SPAN, &err), 0);
	while (world_survivors(f->world) > 0)
		list_world(f);
}

/** What a survivor makes is set aside as well. */
static void survivors_are_guarded(void **state)
{
	struct fixture *f = *state;

	start_live(f);
	ok(f, "(until [ -e go ]; do :; done; echo evil >.envrc; sleep 1000) >/dev/null 2>&1 &");
	put(f, "go", "");
	while (f->asides == 0)
		run_until_stop(f);
	assert_false(has(f, ".envrc"));
}

static void a_dead_init_ends_everything(void **state)
{
	struct fixture *f = *state;
	char sleeper[] = "sleep";
	char time[] = "1000";
	char *argv[] = {sleeper, time, NULL};

	start_live(f);
	begin(f, argv, f->project);
	run_until_stop(f);
	assert_true(f->spawned);
	must(kill(world_init_pid(f->world), SIGKILL));
	while (f->stopped == 0)
		run_until_stop(f);
	assert_true(f->exit.lost);
	assert_non_null(strstr(f->reason, "signal 9"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_status_comes_back),
		TEST(the_project_is_writable),
		TEST(refusals_are_told),
		TEST(what_appears_is_set_aside),
		TEST(it_is_set_aside_while_the_command_runs),
		TEST(what_exists_is_mounted),
		TEST(configuration_is_put_back),
		TEST(what_the_host_replaces_is_mounted_again),
		TEST(it_is_mounted_again_while_a_command_runs),
		TEST(survivors_are_known_and_killed),
		TEST(survivors_are_guarded),
		TEST(a_dead_init_ends_everything),
	};

	unit_needs_host();
	if (argc < 2)
		return 2;
	fake_init = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

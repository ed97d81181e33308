// SPDX-License-Identifier: Apache-2.0
/** Which directory is the project.  Directories are real ones below /tmp. */
#include "base/error.h"
#include "base/path.h"
#include "unit.h"
#include "world/project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	char *top, *home, *sub;
	struct spec_user user;
	const char *env_home;
	struct spec_project project;
	struct error err;
};

static char *in(const struct fixture *f, const char *name)
{
	char *path = path_join(f->top, name);

	assert_non_null(path);
	return path;
}

static void run(const struct fixture *f, const char *script)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(f->top) < 0)
			_exit(126);
		execl("/bin/sh", "sh", "-ec", script, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("failed: %s", script);
}

static int setup(void **state)
{
	char template[] = "/tmp/test-project-XXXXXX";
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_non_null(mkdtemp(template));
	assert_int_equal(path_real(template, &f->top, &f->err), 0);
	run(f, "mkdir -p home/.substrate home/p/sub work/p/sub");
	f->home = in(f, "home");
	f->sub = in(f, "home/.substrate");
	f->user = (struct spec_user){.uid = getuid(), .gid = getgid(), .home = f->home};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	run(f, "rm -rf \"$PWD\"");
	project_done(&f->project);
	free(f->top);
	free(f->home);
	free(f->sub);
	free(f);
	return 0;
}

static int find_at(struct fixture *f, const char *path)
{
	project_done(&f->project);
	f->err = (struct error){0};
	return project_find(path, &f->user, f->env_home, f->sub, &f->project, &f->err);
}

static int find(struct fixture *f, const char *name)
{
	AUTO(mem_free) char *path = in(f, name);

	return find_at(f, path);
}

static void expect(struct fixture *f, const char *cwd, const char *root, const char *reason)
{
	AUTO(mem_free) char *want = in(f, root);

	if (find(f, cwd) < 0)
		fail_msg("%s", f->err.msg);
	assert_string_equal(f->project.root, want);
	assert_int_equal(f->project.read_only, reason != NULL);
	if (!reason)
		assert_null(f->project.reason);
	else if (!strstr(f->project.reason, reason))
		fail_msg("%s", f->project.reason);
}

static void without_a_repository_it_is_the_cwd(void **state)
{
	expect(*state, "work/p/sub", "work/p/sub", NULL);
}

static void it_is_the_top_of_the_repository(void **state)
{
	struct fixture *f = *state;

	run(f, "git init -q work/p");
	expect(f, "work/p/sub", "work/p", NULL);
	assert_non_null(f->project.git_dir);
	assert_string_equal(f->project.git_dir, f->project.common_dir);
	assert_int_equal(f->project.uid, getuid());
}

static void a_link_to_the_cwd_is_resolved(void **state)
{
	struct fixture *f = *state;

	run(f, "ln -s work/p link");
	expect(f, "link/sub", "work/p/sub", NULL);
}

static void the_home_and_what_holds_it_is_never_written(void **state)
{
	struct fixture *f = *state;

	expect(f, "home", "home", "home directory");
	expect(f, "", "", "home directory");
	expect(f, "home/p", "home/p", NULL);
}

static void the_other_home_counts_too(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *other = in(f, "work/p");

	f->env_home = other;
	expect(f, "work", "work", "$HOME");
	expect(f, "work/p", "work/p", "$HOME");
	expect(f, "work/p/sub", "work/p/sub", NULL);
}

static void a_repository_of_the_whole_home_is_passed_by(void **state)
{
	struct fixture *f = *state;

	run(f, "git init -q home");
	expect(f, "home/p/sub", "home/p/sub", NULL);
	assert_null(f->project.git_dir);
	expect(f, "home", "home", "home directory");
}

static void substrates_own_home_is_refused(void **state)
{
	struct fixture *f = *state;

	run(f, "mkdir -p home/.substrate/x");
	assert_int_equal(find(f, "home/.substrate"), -EACCES);
	assert_int_equal(find(f, "home/.substrate/x"), -EACCES);
}

static void what_holds_substrates_home_is_not_written(void **state)
{
	struct fixture *f = *state;

	run(f, "mkdir -p work/p/state");
	free(f->sub);
	f->sub = in(f, "work/p/state");
	expect(f, "work/p", "work/p", "SUBSTRATE_HOME");
}

static void system_places_are_not_written(void **state)
{
	static const char *const places[] = {"/",     "/usr",     "/usr/bin", "/etc",
					     "/var",  "/tmp",     "/home",    "/dev",
					     "/proc", "/var/lib", "/opt"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (access(places[i], F_OK) < 0)
			continue;
		if (find_at(f, places[i]) < 0)
			fail_msg("%s", f->err.msg);
		if (!f->project.read_only || !f->project.reason)
			fail_msg("%s could be written", places[i]);
	}
}

static void what_is_hidden_is_not_written(void **state)
{
	struct fixture *f = *state;

	run(f, "mkdir -p home/.aws/x home/.config/app home/.ssh home/dots/aws home/.local/bin");
	expect(f, "home/.aws", "home/.aws", "hidden");
	expect(f, "home/.aws/x", "home/.aws/x", "hidden");
	expect(f, "home/.config", "home/.config", "no world may see");
	expect(f, "home/.ssh", "home/.ssh", "no world may see");
	expect(f, "home/.config/app", "home/.config/app", NULL);
	expect(f, "home/dots", "home/dots", NULL);
	run(f, "rmdir home/.aws/x home/.aws && ln -s dots/aws home/.aws");
	expect(f, "home/dots", "home/dots", "no world may see");
	expect(f, "home/dots/aws", "home/dots/aws", "hidden");
}

static void a_missing_cwd_and_a_file_are_told_apart(void **state)
{
	struct fixture *f = *state;

	run(f, "touch file && ln -s loop loop");
	assert_int_equal(find(f, "none"), -ENOENT);
	assert_int_equal(find(f, "file"), -ENOTDIR);
	assert_int_equal(find(f, "file/x"), -ENOTDIR);
	assert_int_equal(find(f, "loop"), -ELOOP);
	assert_null(f->project.root);
}

static void a_worktrees_common_directory_is_taken_along(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *common = in(f, "work/p/.git");

	run(f, "git init -q work/p && cd work/p && git -c user.name=a -c user.email=a@b commit -q "
	       "--allow-empty -m x && git worktree add -q ../w");
	expect(f, "work/w", "work/w", NULL);
	assert_string_equal(f->project.common_dir, common);
	assert_true(f->project.git_file);
}

/** A common directory that no project might be is not made writable through the back door. */
static void a_common_directory_that_may_not_be_written_is_dropped(void **state)
{
	struct fixture *f = *state;

	run(f, "git init -q work/p && cd work/p && git -c user.name=a -c user.email=a@b commit -q "
	       "--allow-empty -m x && git worktree add -q ../w && "
	       "mkdir -p ../../home/.aws && mv .git/* ../../home/.aws/ && "
	       "echo \"gitdir: $PWD/../../home/.aws/worktrees/w\" > ../w/.git");
	expect(f, "work/w", "work/w", NULL);
	assert_null(f->project.common_dir);
	assert_null(f->project.git_dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_repository_it_is_the_cwd),
		TEST(it_is_the_top_of_the_repository),
		TEST(a_link_to_the_cwd_is_resolved),
		TEST(the_home_and_what_holds_it_is_never_written),
		TEST(the_other_home_counts_too),
		TEST(a_repository_of_the_whole_home_is_passed_by),
		TEST(substrates_own_home_is_refused),
		TEST(what_holds_substrates_home_is_not_written),
		TEST(system_places_are_not_written),
		TEST(what_is_hidden_is_not_written),
		TEST(a_missing_cwd_and_a_file_are_told_apart),
		TEST(a_worktrees_common_directory_is_taken_along),
		TEST(a_common_directory_that_may_not_be_written_is_dropped),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("world/project", tests, NULL, NULL);
}

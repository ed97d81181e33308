// SPDX-License-Identifier: Apache-2.0
/** Protected paths of a project. */
#include "image_fixture.h"

#define P "/home/u/p"

static bool line(const struct fixture *f, const char *what, const char *path)
{
	AUTO(mem_free) char *text = str_format("self     %s  %s  [protect]", what, path);

	return has_line(f, text);
}

static size_t position(const struct fixture *f, const char *path)
{
	AUTO(mem_free) char *text = str_format("  %s  [protect]\n", path);
	const char *at = strstr(f->text.data, text);

	assert_non_null(at);
	return (size_t)(at - f->text.data);
}

static void with_repo(struct fixture *f)
{
	add_file(f, P "/.git/HEAD");
	add_file(f, P "/.git/config");
	add_file(f, P "/.git/hooks/pre-commit");
	f->spec.project.git_dir = copy(P "/.git");
	f->spec.project.common_dir = copy(P "/.git");
}

static void what_is_there_is_read_only(void **state)
{
	struct fixture *f = *state;

	add_file(f, P "/.vscode/settings.json");
	add_file(f, P "/.envrc");
	with_repo(f);
	compile_well(f);
	assert_true(line(f, "ro", P "/.vscode"));
	assert_true(line(f, "ro", P "/.envrc"));
	assert_true(line(f, "ro", P "/.git/hooks"));
	expect_host(f, P "/.git/hooks/pre-commit", false);
	expect_host(f, P "/.git/config", true);
	assert_true(strv_has(&f->image.protect_have, P "/.envrc"));
	assert_true(strv_has(&f->image.git_configs, P "/.git/config"));
}

static void what_leads_there_cannot_be_renamed(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	compile_well(f);
	assert_true(line(f, "rw", P "/.git"));
	assert_true(position(f, P "/.git") < position(f, P "/.git/hooks"));
}

static void what_is_missing_is_watched_for(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	compile_well(f);
	assert_true(strv_has(&f->image.protect_miss, P "/.claude"));
	assert_true(strv_has(&f->image.protect_miss, P "/.git/commondir"));
	assert_false(strv_has(&f->image.protect_miss, P "/.git/hooks"));
	assert_true(strv_has(&f->image.protect_dirs, P));
	assert_true(strv_has(&f->image.protect_dirs, P "/.git"));
}

static void a_planted_link_is_never_followed(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.ssh/id_rsa");
	add_link(f, "../.ssh", P "/.vscode");
	add_link(f, "..", P "/build");
	with_repo(f);
	add_link(f, "../../.ssh", P "/.git/commondir");
	compile_well(f);
	assert_null(strstr(f->text.data, P "/.vscode"));
	assert_null(strstr(f->text.data, "  " P "/.git/commondir"));
	expect_unbound(f, "/home/u/.ssh/id_rsa");
	assert_true(strv_has(&f->image.protect_miss, P "/.vscode"));
	assert_true(strv_has(&f->image.protect_miss, P "/.git/commondir"));
}

static void links_in_a_git_directory_are_not_followed(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	add_file(f, "/home/u/q/HEAD");
	add_file(f, "/home/u/q/hooks/x");
	add_link(f, "/home/u/q", P "/.git/modules");
	add_link(f, "/home/u/q", P "/.git/worktrees");
	compile_well(f);
	assert_null(strstr(f->text.data, P "/.git/modules"));
	assert_null(strstr(f->text.data, "  /home/u/q/hooks"));
}

static void a_git_file_is_protected_itself(void **state)
{
	struct fixture *f = *state;

	add_file(f, P "/.git");
	f->spec.project.git_file = true;
	compile_well(f);
	assert_true(line(f, "ro", P "/.git"));
}

static void a_git_link_is_watched(void **state)
{
	struct fixture *f = *state;

	add_file(f, P "/real/HEAD");
	add_dir(f, P "/real/hooks");
	add_link(f, "real", P "/.git");
	f->spec.project.git_dir = copy(P "/real");
	f->spec.project.common_dir = copy(P "/real");
	compile_well(f);
	assert_true(line(f, "rw", P "/real"));
	assert_true(line(f, "ro", P "/real/hooks"));
	assert_true(strv_has(&f->image.protect_miss, P "/.git"));
}

static void worktrees_and_modules_are_protected(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	add_file(f, P "/.git/worktrees/w/gitdir");
	add_file(f, P "/.git/worktrees/w/commondir");
	add_file(f, P "/.git/modules/a/HEAD");
	add_dir(f, P "/.git/modules/a/hooks");
	add_file(f, P "/.git/modules/dir/b/HEAD");
	add_dir(f, P "/.git/modules/dir/b/hooks");
	add_file(f, P "/.git/modules/a/modules/c/HEAD");
	add_dir(f, P "/.git/modules/a/modules/c/hooks");
	compile_well(f);
	assert_true(line(f, "rw", P "/.git/worktrees"));
	assert_true(line(f, "rw", P "/.git/worktrees/w"));
	assert_true(line(f, "ro", P "/.git/worktrees/w/gitdir"));
	assert_true(line(f, "ro", P "/.git/modules/a/hooks"));
	assert_true(line(f, "rw", P "/.git/modules/dir"));
	assert_true(line(f, "rw", P "/.git/modules/dir/b"));
	assert_true(line(f, "ro", P "/.git/modules/dir/b/hooks"));
	assert_true(line(f, "ro", P "/.git/modules/a/modules/c/hooks"));
	assert_true(strv_has(&f->image.git_configs, P "/.git/modules/a/modules/c/config"));
	assert_true(strv_has(&f->image.protect_dirs, P "/.git/worktrees"));
	assert_true(strv_has(&f->image.protect_dirs, P "/.git/modules/dir"));
}

static void a_common_directory_elsewhere_is_written_and_protected(void **state)
{
	struct fixture *f = *state;

	add_file(f, P "/.git");
	add_file(f, "/home/u/main/.git/HEAD");
	add_file(f, "/home/u/main/.git/hooks/x");
	add_file(f, "/home/u/main/.git/worktrees/p/gitdir");
	add_file(f, "/home/u/main/source.c");
	f->spec.project.git_file = true;
	f->spec.project.git_dir = copy("/home/u/main/.git/worktrees/p");
	f->spec.project.common_dir = copy("/home/u/main/.git");
	compile_well(f);
	expect_host(f, "/home/u/main/.git/HEAD", true);
	expect_host(f, "/home/u/main/.git/hooks/x", false);
	expect_host(f, "/home/u/main/.git/worktrees/p/gitdir", false);
	expect_host(f, "/home/u/main/source.c", false);
}

static void too_many_modules_are_closed_as_a_whole(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	for (int i = 0; i < 300; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), P "/.git/modules/m%d/HEAD", i);
		add_file(f, name);
	}
	compile_well(f);
	assert_true(line(f, "ro", P "/.git/modules"));
	assert_null(strstr(f->text.data, "modules/m1"));
}

/** The bound is on all of them together: what comes last is closed. */
static void too_many_in_sum_close_the_last(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	for (int i = 0; i < 200; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), P "/.git/worktrees/w%d", i);
		add_dir(f, name);
		(void)snprintf(name, sizeof(name), P "/.git/modules/m%d", i);
		add_dir(f, name);
	}
	compile_well(f);
	assert_true(line(f, "rw", P "/.git/worktrees/w199"));
	assert_true(line(f, "ro", P "/.git/modules"));
	assert_null(strstr(f->text.data, "modules/m1"));
}

static void modules_that_lie_too_deep_are_closed(void **state)
{
	struct fixture *f = *state;
	char name[512] = P "/.git/modules";

	with_repo(f);
	for (int i = 0; i < 20; i++)
		(void)snprintf(name + strlen(name), sizeof(name) - strlen(name), "/d");
	add_dir(f, name);
	compile_well(f);
	assert_non_null(strstr(f->text.data, "self     ro  " P "/.git/modules/d/d"));
}

static void nothing_is_protected_in_a_read_only_project(void **state)
{
	struct fixture *f = *state;

	with_repo(f);
	f->spec.project.read_only = true;
	compile_well(f);
	assert_null(strstr(f->text.data, "[protect]"));
	assert_int_equal(f->image.protect_miss.count, 0);
	assert_int_equal(f->image.git_configs.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_is_read_only),
		TEST(what_leads_there_cannot_be_renamed),
		TEST(what_is_missing_is_watched_for),
		TEST(a_planted_link_is_never_followed),
		TEST(links_in_a_git_directory_are_not_followed),
		TEST(a_git_file_is_protected_itself),
		TEST(a_git_link_is_watched),
		TEST(worktrees_and_modules_are_protected),
		TEST(a_common_directory_elsewhere_is_written_and_protected),
		TEST(too_many_modules_are_closed_as_a_whole),
		TEST(too_many_in_sum_close_the_last),
		TEST(modules_that_lie_too_deep_are_closed),
		TEST(nothing_is_protected_in_a_read_only_project),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("world/protect", tests, NULL, NULL);
}

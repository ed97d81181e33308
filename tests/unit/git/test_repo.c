// SPDX-License-Identifier: Apache-2.0
/** Repositories made by the real git in a temporary directory. */
#include "base/error.h"
#include "base/path.h"
#include "base/str.h"
#include "git/repo.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/** A temporary directory, real. */
struct fixture {
	char *dir;
};

static int setup(void **state)
{
	char template[] = "/tmp/test-repo-XXXXXX";
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	assert_non_null(mkdtemp(template));
	assert_int_equal(path_real(template, &f->dir, &err), 0);
	*state = f;
	return 0;
}

static void run(const struct fixture *f, const char *script)
{
	AUTO(mem_free)
	char *command =
		str_format("cd '%s' && export HOME='%s' GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a "
			   "GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b "
			   "GIT_ALLOW_PROTOCOL=file && { %s\n} >/dev/null 2>&1",
			   f->dir, f->dir, script);

	if (system(command) != 0)
		fail_msg("failed: %s", script);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	run(f, "rm -rf \"$PWD\"");
	free(f->dir);
	free(f);
	return 0;
}

/** Expect root, git_dir, common_dir, each relative to the fixture, "" for NULL. */
static void expect(const struct fixture *f, const char *path, const char *root, const char *git_dir,
		   const char *common)
{
	AUTO(repo_done) struct repo repo = {0};
	AUTO(mem_free) char *from = path_join(f->dir, path);
	AUTO(mem_free) char *want_root = path_join(f->dir, root);
	AUTO(mem_free) char *want_git = git_dir[0] ? path_join(f->dir, git_dir) : NULL;
	AUTO(mem_free) char *want_common = common[0] ? path_join(f->dir, common) : NULL;
	struct error err = {0};

	assert_int_equal(repo_find(from, getuid(), &repo, &err), REPO_FOUND);
	assert_string_equal(repo.root, want_root);
	if (!str_same(repo.git_dir, want_git) || !str_same(repo.common_dir, want_common))
		fail_msg("%s: git_dir %s, common_dir %s", path, repo.git_dir, repo.common_dir);
}

static void expect_none(const struct fixture *f, const char *path, uid_t owner)
{
	struct repo repo = {0};
	AUTO(mem_free) char *from = path_join(f->dir, path);
	struct error err = {0};

	assert_int_equal(repo_find(from, owner, &repo, &err), REPO_NONE);
	assert_null(repo.root);
}

static void a_directory_without_git_is_none(void **state)
{
	run(*state, "mkdir a");
	expect_none(*state, "a", getuid());
}

static void a_repository_is_found_from_below(void **state)
{
	run(*state, "git init a && mkdir -p a/b/c");
	expect(*state, "a", "a", "a/.git", "a/.git");
	expect(*state, "a/b/c", "a", "a/.git", "a/.git");
}

static void the_nearest_one_counts(void **state)
{
	run(*state, "git init a && git init a/b");
	expect(*state, "a/b", "a/b", "a/b/.git", "a/b/.git");
}

static void a_repository_of_somebody_else_is_passed_by(void **state)
{
	run(*state, "git init a");
	expect_none(*state, "a", getuid() + 1);
}

static void a_worktree_leads_to_its_common_directory(void **state)
{
	run(*state, "git init a && cd a && git commit --allow-empty -m x && git worktree add ../w");
	expect(*state, "w", "w", "a/.git/worktrees/w", "a/.git");
	run(*state, "mkdir w/sub");
	expect(*state, "w/sub", "w", "a/.git/worktrees/w", "a/.git");
}

static void a_worktree_that_is_not_named_back_is_not_believed(void **state)
{
	run(*state, "git init a && cd a && git commit --allow-empty -m x && git worktree add ../w");
	run(*state, "mkdir evil && cp w/.git evil/.git");
	expect(*state, "evil", "evil", "", "");
	run(*state, "echo \"$PWD/other/.git\" > a/.git/worktrees/w/gitdir");
	expect(*state, "w", "w", "", "");
}

static void a_link_to_any_directory_is_not_believed(void **state)
{
	run(*state, "mkdir -p a home/worktrees && echo 'gitdir: ../home' > a/.git");
	expect(*state, "a", "a", "", "");
	run(*state, "mkdir -p home/worktrees/x && echo 'gitdir: ../home/worktrees/x' > a/.git");
	expect(*state, "a", "a", "", "");
	run(*state, "echo 'gitdir: /' > a/.git");
	expect(*state, "a", "a", "", "");
	run(*state, "echo nonsense > a/.git");
	expect(*state, "a", "a", "", "");
}

static void a_relative_back_link_counts(void **state)
{
	run(*state, "git init a && cd a && git commit --allow-empty -m x && git worktree add ../w");
	run(*state, "echo ../../../../w/.git > a/.git/worktrees/w/gitdir");
	expect(*state, "w", "w", "a/.git/worktrees/w", "a/.git");
}

static void a_submodule_leads_to_its_superproject(void **state)
{
	run(*state, "git init lib && cd lib && git commit --allow-empty -m x");
	run(*state, "git init top && cd top && git submodule add ../lib sub/lib");
	expect(*state, "top/sub/lib", "top", "top/.git", "top/.git");
	run(*state, "git config -f top/.git/modules/sub/lib/config --unset core.worktree");
	expect(*state, "top/sub/lib", "top", "top/.git", "top/.git");
}

static void a_submodule_in_a_submodule_leads_to_the_top(void **state)
{
	run(*state, "git init lib && cd lib && git commit --allow-empty -m x");
	run(*state, "git init mid && cd mid && git submodule add ../lib lib && git commit -m x");
	run(*state, "git init top && cd top && git -c protocol.file.allow=always submodule add "
		    "../mid mid && git submodule update --init --recursive");
	expect(*state, "top/mid/lib", "top", "top/.git", "top/.git");
}

static void a_submodule_of_a_worktree_leads_to_the_worktree(void **state)
{
	run(*state, "git init lib && cd lib && git commit --allow-empty -m x");
	run(*state, "git init top && cd top && git submodule add ../lib sub && git commit -m x && "
		    "git worktree add ../w && cd ../w && git submodule update --init");
	expect(*state, "w/sub", "w", "top/.git/worktrees/w", "top/.git");
}

static void a_directory_that_claims_to_be_a_submodule_is_not_believed(void **state)
{
	run(*state, "git init lib && cd lib && git commit --allow-empty -m x");
	run(*state, "git init top && cd top && git submodule add ../lib sub");
	run(*state, "mkdir top/evil && echo 'gitdir: ../.git/modules/sub' > top/evil/.git");
	expect(*state, "top/evil", "top/evil", "", "");
	run(*state, "echo 'gitdir: ../.git' > top/evil/.git");
	expect(*state, "top/evil", "top/evil", "", "");
}

static void a_link_is_followed_only_downwards(void **state)
{
	run(*state, "git init a && mv a/.git a/real && ln -s real a/.git");
	expect(*state, "a", "a", "a/real", "a/real");
	run(*state, "mv a/real b && ln -sf ../b a/.git");
	expect(*state, "a", "a", "", "");
}

static void what_is_no_file_does_not_block(void **state)
{
	const struct fixture *f = *state;
	AUTO(mem_free) char *fifo = path_join(f->dir, "a/.git");

	run(*state, "mkdir a");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_none(f, "a", getuid());
	run(*state, "rm a/.git && git init b && cd b && git commit --allow-empty -m x && "
		    "git worktree add ../w && rm ../b/.git/worktrees/w/gitdir && "
		    "mkfifo ../b/.git/worktrees/w/gitdir");
	expect(f, "w", "w", "", "");
}

static void a_large_link_file_is_not_read(void **state)
{
	run(*state, "mkdir a && head -c 100000 /dev/zero | tr '\\0' x > a/.git");
	expect(*state, "a", "a", "", "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_directory_without_git_is_none),
		TEST(a_repository_is_found_from_below),
		TEST(the_nearest_one_counts),
		TEST(a_repository_of_somebody_else_is_passed_by),
		TEST(a_worktree_leads_to_its_common_directory),
		TEST(a_worktree_that_is_not_named_back_is_not_believed),
		TEST(a_link_to_any_directory_is_not_believed),
		TEST(a_relative_back_link_counts),
		TEST(a_submodule_leads_to_its_superproject),
		TEST(a_submodule_in_a_submodule_leads_to_the_top),
		TEST(a_submodule_of_a_worktree_leads_to_the_worktree),
		TEST(a_directory_that_claims_to_be_a_submodule_is_not_believed),
		TEST(a_link_is_followed_only_downwards),
		TEST(what_is_no_file_does_not_block),
		TEST(a_large_link_file_is_not_read),
	};

	return cmocka_run_group_tests_name("git/repo", tests, NULL, NULL);
}

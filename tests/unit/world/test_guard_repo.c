// SPDX-License-Identifier: Apache-2.0
/** Repositories that commands make, and those that git would enter from a project. */
#include "guard_fixture.h"

#define GIT \
	"export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1; " \
	"git() { command git -c user.name=t -c user.email=t@t -c init.defaultBranch=main " \
	"-c protocol.file.allow=always -c advice.addEmbeddedRepo=false \"$@\"; }; "

static const char *const config_path[] = {".git/config", NULL};
static const struct facts without_git = {0};
static const struct facts with_git = {.configs = config_path, .git = true};

/** Run a script in the project with git; it stops at the first failure. */
static void script(const struct fixture *f, const char *text)
{
	AUTO(mem_free) char *line = str_format("set -e; cd %s; " GIT "%s", f->project, text);

	run_shell(line);
}

static int setup_without(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	open_fixture(f);
	f->guard = make_guard(f, &without_git);
	*state = f;
	return 0;
}

static int setup_with(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	open_fixture(f);
	script(f, "git init -q; git commit -q --allow-empty -m first");
	f->guard = make_guard(f, &with_git);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_fixture(f);
	free(f);
	return 0;
}

/** One command of a world, checked at its end. */
static void command(struct fixture *f, const char *text)
{
	enter(f->guard, "spn_one");
	script(f, text);
	guard_leave(f->guard, "spn_one", 0);
}

static bool holds(const struct fixture *f, const char *name, const char *word)
{
	AUTO(mem_free) char *path = in_project(f, name);
	AUTO(mem_free) char *text = text_at(path);

	return strstr(text, word) != NULL;
}

/* A repository that a command makes ---------------------------------------------------- */

static void a_made_repository_is_kept(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q; touch .git/hooks/pre-commit.sample;"
		   "git config remote.o.url x; git commit -q --allow-empty -m first");
	assert_int_equal(f->ntold, 0);
	assert_true(has(f, ".git/hooks/pre-commit.sample"));
	assert_true(holds(f, ".git/config", "remote \"o\""));
	assert_false(guard_is_stale(f->guard));
}

static void a_made_repository_is_defused(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q; git config core.fsmonitor evil; git config user.name me;"
		   "mkdir -p .git/hooks; echo evil >.git/hooks/post-index-change");
	assert_false(holds(f, ".git/config", "fsmonitor"));
	assert_true(holds(f, ".git/config", "name"));
	assert_false(has(f, ".git/hooks/post-index-change"));
	assert_int_equal(f->ntold, 2);
}

static void it_is_defused_while_the_command_runs(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	script(f, "git init -q; git config core.fsmonitor evil");
	wait_told(f, 1);
	assert_false(holds(f, ".git/config", "fsmonitor"));
	script(f, "mkdir -p .git/hooks; echo evil >.git/hooks/post-index-change");
	wait_told(f, 2);
	assert_false(has(f, ".git/hooks/post-index-change"));
	script(f, "git config core.fsmonitor evil");
	wait_told(f, 3);
	assert_false(holds(f, ".git/config", "fsmonitor"));
	guard_leave(f->guard, "spn_one", 0);
}

static void what_the_host_adds_to_it_stays(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q; git config remote.o.url x");
	script(f, "git config core.fsmonitor mine; mkdir -p .git/hooks; echo >.git/hooks/pre-push");
	command(f, "git config core.fsmonitor evil");
	assert_true(holds(f, ".git/config", "mine"));
	assert_true(has(f, ".git/hooks/pre-push"));
	assert_int_equal(f->ntold, 1);
}

static void a_changed_hook_of_the_host_is_set_aside(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q");
	script(f, "mkdir -p .git/hooks; echo mine >.git/hooks/pre-push");
	command(f, "echo evil >>.git/hooks/pre-push");
	assert_false(has(f, ".git/hooks/pre-push"));
	assert_int_equal(f->ntold, 1);
}

static void many_hooks_go_at_once(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q; rm -rf .git/hooks; mkdir .git/hooks;"
		   "for i in $(seq 100); do echo evil >.git/hooks/h$i; done");
	assert_false(has(f, ".git/hooks"));
	assert_int_equal(f->ntold, 1);
}

static void a_linked_hooks_folder_is_set_aside(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q; rm -rf .git/hooks; mkdir evil; ln -s ../evil .git/hooks");
	assert_false(has(f, ".git/hooks"));
	assert_true(has(f, "evil"));
}

static void a_pointer_to_a_repository_is_set_aside(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q evil; echo 'gitdir: evil/.git' >.git");
	assert_false(has(f, ".git"));
	command(f, "ln -s evil/.git .git");
	assert_false(has(f, ".git"));
}

static void a_commondir_is_set_aside(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q; echo ../evil >.git/commondir");
	assert_false(has(f, ".git/commondir"));
}

static void a_bare_repository_in_the_project_is_defused(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q --bare x; mv x/HEAD x/objects x/refs .;"
		   "printf '[core]\\nbare = false\\nfsmonitor = evil\\n' >config");
	assert_false(holds(f, "config", "fsmonitor"));
	assert_int_equal(f->ntold, 1);
}

static void a_clone_below_the_project_is_defused(void **state)
{
	struct fixture *f = *state;

	command(f, "git init -q sub; git -C sub config core.fsmonitor evil");
	assert_false(holds(f, "sub/.git/config", "fsmonitor"));
}

static void a_repository_of_the_host_makes_the_world_stale(void **state)
{
	struct fixture *f = *state;

	script(f, "git init -q; git config core.fsmonitor mine");
	assert_true(guard_is_stale(f->guard));
	assert_true(holds(f, ".git/config", "mine"));
}

/* The project's repository ------------------------------------------------------------- */

static void ordinary_work_is_left_alone(void **state)
{
	struct fixture *f = *state;

	command(f, "echo x >x; git add x; git commit -q -m x; git checkout -q -b topic;"
		   "git remote add o /nowhere; git branch -q --set-upstream-to=main");
	assert_int_equal(f->ntold, 0);
	command(f, "git worktree add -q wt; git -C wt commit -q --allow-empty -m wt");
	assert_int_equal(f->ntold, 0);
	script(f, "git -C wt status >/dev/null");
}

static void a_submodule_can_be_added(void **state)
{
	struct fixture *f = *state;

	script(f, "git init -q ../lib; git -C ../lib commit -q --allow-empty -m lib");
	command(f, "git submodule add -q \"$PWD/../lib\" lib; git commit -q -m lib");
	script(f, "git submodule status >/dev/null; git -C lib status >/dev/null");
	assert_true(has(f, ".git/modules/lib/HEAD"));
	assert_false(guard_is_stale(f->guard));
}

#define ADD_LINK \
	"git init -q sub; git -C sub commit -q --allow-empty -m sub; git add sub 2>/dev/null; "

static void a_made_submodule_is_defused(void **state)
{
	struct fixture *f = *state;

	command(f, ADD_LINK "git -C sub config core.fsmonitor evil;"
			    "mkdir -p sub/.git/hooks; echo evil >sub/.git/hooks/post-index-change");
	assert_false(holds(f, "sub/.git/config", "fsmonitor"));
	assert_false(has(f, "sub/.git/hooks/post-index-change"));
}

static void a_deep_submodule_is_defused(void **state)
{
	struct fixture *f = *state;

	command(f, "mkdir -p a/b; git init -q a/b/c; cd a/b/c; git init -q d;"
		   "git -C d commit -q --allow-empty -m d; git add d 2>/dev/null;"
		   "git commit -q -m c; cd ../../..; git add a 2>/dev/null;"
		   "git -C a/b/c/d config core.fsmonitor evil");
	assert_false(holds(f, "a/b/c/d/.git/config", "fsmonitor"));
}

static void a_submodule_of_the_host_is_put_back(void **state)
{
	struct fixture *f = *state;

	script(f, ADD_LINK "git -C sub config core.fsmonitor mine;"
			   "mkdir -p sub/.git/hooks; echo mine >sub/.git/hooks/pre-push");
	command(f, "git -C sub config core.fsmonitor evil; echo evil >sub/.git/hooks/pre-commit");
	assert_true(holds(f, "sub/.git/config", "mine"));
	assert_true(has(f, "sub/.git/hooks/pre-push"));
	assert_false(has(f, "sub/.git/hooks/pre-commit"));
	assert_int_equal(f->ntold, 2);
}

static void a_submodule_that_leads_away_is_set_aside(void **state)
{
	struct fixture *f = *state;

	script(f, ADD_LINK);
	command(f, "mv sub/.git evil; echo 'gitdir: ../evil' >sub/.git");
	assert_false(has(f, "sub/.git"));
	command(f, "ln -s ../evil sub/.git");
	assert_false(has(f, "sub/.git"));
	command(f, "echo 'gitdir: ../.git/modules/../../evil' >sub/.git");
	assert_false(has(f, "sub/.git"));
	command(f, "mkdir -p .git/modules; ln -s ../../evil .git/modules/x;"
		   "echo 'gitdir: ../.git/modules/x' >sub/.git");
	assert_false(has(f, "sub/.git"));
}

static void submodules_at_paths_git_never_writes_cost_the_index(void **state)
{
	static const char *const paths[] = {"../away", "/tmp/away", ".git/evil", "a/.GIT/b", "./x"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		AUTO(mem_free)
		char *line = str_format("n=aaaaaaaaaaaa; p=%s; t=$(printf %%.${#p}s $n);"
					"rm -f .git/index; git update-index --add --cacheinfo"
					" 160000,$(git rev-parse HEAD),$t;"
					"sed -i \"s|$t|$p|\" .git/index",
					paths[i]);

		command(f, line);
		assert_false(has(f, ".git/index"));
		assert_int_equal(f->ntold, i + 1);
	}
}

static void a_linked_index_is_set_aside(void **state)
{
	struct fixture *f = *state;

	command(f, ADD_LINK "mv .git/index evil; ln -s ../evil .git/index");
	assert_false(has(f, ".git/index"));
}

static void a_split_index_is_followed(void **state)
{
	struct fixture *f = *state;

	command(f,
		"git update-index --split-index;" ADD_LINK "git -C sub config core.fsmonitor evil");
	assert_false(holds(f, "sub/.git/config", "fsmonitor"));
}

static void a_worktree_that_leads_away_is_set_aside(void **state)
{
	struct fixture *f = *state;

	command(f, "git worktree add -q wt; echo ../../../evil >.git/worktrees/wt/commondir");
	assert_false(has(f, ".git/worktrees/wt/commondir"));
}

/** A limit of what is looked after must not become a way around it. */
static void too_many_repositories_are_set_aside(void **state)
{
	struct fixture *f = *state;
	const size_t room = ARRAY_LEN(f->told);

	command(f, "git init -q --template= t; git -C t commit -q --allow-empty -m t;"
		   "for i in $(seq 1 560); do mkdir -p s/$i; cp -r t/.git s/$i/;"
		   "printf '160000 %s\\ts/%s\\n' $(git rev-parse HEAD) $i; done |"
		   "git update-index --add --index-info");
	assert_true(f->ntold > 0 && f->ntold < room);
	for (size_t i = 0; i < f->ntold; i++)
		if (!str_ends(f->told[i].path, "/.git"))
			fail_msg("%s: %s", f->told[i].path, f->told[i].detail);
}

/* Folders that nothing leads to -------------------------------------------------------- */

static void a_repository_deep_in_the_project_is_defused(void **state)
{
	struct fixture *f = *state;

	script(f, "mkdir -p a/b/c");
	command(f, "git init -q a/b/c; git -C a/b/c config core.fsmonitor evil;"
		   "mkdir -p a/b/c/.git/hooks; echo evil >a/b/c/.git/hooks/post-index-change");
	wait_told(f, 2); // a sweep comes by
	assert_false(holds(f, "a/b/c/.git/config", "fsmonitor"));
	assert_false(has(f, "a/b/c/.git/hooks/post-index-change"));
}

static void a_deep_bare_repository_is_defused(void **state)
{
	struct fixture *f = *state;

	script(f, "mkdir -p a/b");
	command(f, "git init -q --bare a/b; git -C a/b config core.fsmonitor evil");
	wait_told(f, 1);
	assert_false(holds(f, "a/b/config", "fsmonitor"));
}

static void a_folder_that_names_a_commondir_is_defused(void **state)
{
	struct fixture *f = *state;

	// HEAD here, everything else there: neither folder looks like a repository.
	command(f,
		"mkdir -p a/b; git init -q --bare a/x; mv a/x/HEAD a/b; echo ../x >a/b/commondir;"
		"cp a/b/HEAD a/b/commondir .");
	guard_finish(f->guard);
	assert_false(has(f, "a/b/commondir"));
	assert_false(has(f, "commondir"));
}

static void a_folder_that_cannot_be_read_is_entered(void **state)
{
	struct fixture *f = *state;

	script(f, "mkdir -p a/b");
	command(f, "git init -q a/b; git -C a/b config core.fsmonitor evil; chmod 311 a a/b");
	guard_finish(f->guard);
	assert_false(holds(f, "a/b/.git/config", "fsmonitor"));
	script(f, "[ $(stat -c %a a) = 311 ] && [ $(stat -c %a a/b) = 311 ] && chmod 755 a a/b");
}

static void the_end_of_a_world_finishes_the_sweep(void **state)
{
	struct fixture *f = *state;

	script(f, "mkdir -p a/b");
	command(f, "git init -q a/b; git -C a/b config core.fsmonitor evil");
	guard_finish(f->guard);
	assert_false(holds(f, "a/b/.git/config", "fsmonitor"));
	assert_int_equal(f->ntold, 1);
}

static void a_deep_pointer_is_set_aside(void **state)
{
	struct fixture *f = *state;

	script(f, "mkdir -p a/b");
	command(f, "git init -q a/evil; echo 'gitdir: ../evil/.git' >a/b/.git");
	guard_finish(f->guard);
	assert_false(has(f, "a/b/.git"));
}

static void repositories_of_the_host_stay_as_they_are(void **state)
{
	struct fixture *f = *state;

	f->guard = guard_free(f->guard);
	script(f, "mkdir -p a/b; git init -q a/b; git -C a/b config core.fsmonitor mine;"
		  "sleep 0.1");
	f->guard = make_guard(f, &with_git);
	command(f, "true");
	guard_finish(f->guard);
	assert_true(holds(f, "a/b/.git/config", "mine"));
	command(f, "git -C a/b config core.fsmonitor evil");
	guard_finish(f->guard);
	assert_true(holds(f, "a/b/.git/config", "mine"));
	assert_int_equal(f->ntold, 1);
}

static void a_clone_with_submodules_stays_whole(void **state)
{
	struct fixture *f = *state;

	script(f, "git init -q ../lib; git -C ../lib commit -q --allow-empty -m lib;"
		  "git init -q ../app; cd ../app; git submodule add -q \"$PWD/../lib\" lib;"
		  "git commit -q -m app");
	command(f, "mkdir x; git clone -q --recursive ../app x/app");
	guard_finish(f->guard);
	assert_true(has(f, "x/app/lib/.git"));
	script(f, "git -C x/app/lib status >/dev/null; git -C x/app submodule status >/dev/null");
	for (size_t i = 0; i < f->ntold; i++) // git finds the working tree without it
		assert_non_null(strstr(f->told[i].detail, "core.worktree"));
}

#define WITHOUT(name) cmocka_unit_test_setup_teardown(name, setup_without, teardown)
#define WITH(name) cmocka_unit_test_setup_teardown(name, setup_with, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITHOUT(a_made_repository_is_kept),
		WITHOUT(a_made_repository_is_defused),
		WITHOUT(it_is_defused_while_the_command_runs),
		WITHOUT(what_the_host_adds_to_it_stays),
		WITHOUT(a_changed_hook_of_the_host_is_set_aside),
		WITHOUT(many_hooks_go_at_once),
		WITHOUT(a_linked_hooks_folder_is_set_aside),
		WITHOUT(a_pointer_to_a_repository_is_set_aside),
		WITHOUT(a_commondir_is_set_aside),
		WITHOUT(a_bare_repository_in_the_project_is_defused),
		WITHOUT(a_clone_below_the_project_is_defused),
		WITHOUT(a_repository_of_the_host_makes_the_world_stale),
		WITH(ordinary_work_is_left_alone),
		WITH(a_submodule_can_be_added),
		WITH(a_made_submodule_is_defused),
		WITH(a_deep_submodule_is_defused),
		WITH(a_submodule_of_the_host_is_put_back),
		WITH(a_submodule_that_leads_away_is_set_aside),
		WITH(submodules_at_paths_git_never_writes_cost_the_index),
		WITH(a_linked_index_is_set_aside),
		WITH(a_split_index_is_followed),
		WITH(a_worktree_that_leads_away_is_set_aside),
		WITH(too_many_repositories_are_set_aside),
		WITH(a_repository_deep_in_the_project_is_defused),
		WITHOUT(a_repository_deep_in_the_project_is_defused),
		WITH(a_deep_bare_repository_is_defused),
		WITHOUT(a_deep_bare_repository_is_defused),
		WITH(a_folder_that_names_a_commondir_is_defused),
		WITHOUT(a_folder_that_names_a_commondir_is_defused),
		WITH(a_folder_that_cannot_be_read_is_entered),
		WITHOUT(a_folder_that_cannot_be_read_is_entered),
		WITH(the_end_of_a_world_finishes_the_sweep),
		WITH(a_deep_pointer_is_set_aside),
		WITHOUT(a_deep_pointer_is_set_aside),
		WITH(repositories_of_the_host_stay_as_they_are),
		WITH(a_clone_with_submodules_stays_whole),
		WITHOUT(a_clone_with_submodules_stays_whole),
	};

	unit_needs_host();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

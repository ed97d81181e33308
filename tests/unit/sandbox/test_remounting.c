// SPDX-License-Identifier: Apache-2.0
/** Mounts in a living world: what the host renames away, and what the daemon brings anew. */
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;
static struct outcome outcome;

static void add(struct plan_builder *builder, struct plan_step step)
{
	plan_add(builder, &step);
}

/** project/.git bound onto itself, project/.git/hooks and project/.envrc read-only; own/entry. */
static void protect(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){.kind = PLAN_SELF,
					.path = fixture_path(f, "project/.git"),
					.flags = PLAN_RW});
	add(builder,
	    (struct plan_step){.kind = PLAN_SELF, .path = fixture_path(f, "project/.git/hooks")});
	add(builder, (struct plan_step){.kind = PLAN_SELF,
					.path = fixture_path(f, "project/.envrc"),
					.flags = PLAN_OPTIONAL});
	add(builder, (struct plan_step){
			     .kind = PLAN_TMPFS, .path = "/own", .flags = PLAN_MAKE, .mode = 0755});
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = "/own/entry",
					.source = fixture_path(f, "entry"),
					.flags = PLAN_MAKE});
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = fixture_path(f, "project/watched"),
					.source = fixture_path(f, "entry"),
					.flags = PLAN_WATCH});
	add(builder, (struct plan_step){.kind = PLAN_SEAL, .path = "/own"});
}

static int setup(void **state)
{
	static const char *const dirs[] = {"project/.git", "project/.git/hooks"};
	const struct fixture_options options = {.extra = protect};
	struct error err = {0};

	fixture_dirs(&fixture, &options);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		assert_int_equal(mkdir(fixture_path(&fixture, dirs[i]), 0755), 0);
		assert_int_equal(chown(fixture_path(&fixture, dirs[i]), fixture.uid, fixture.gid),
				 0);
	}
	fixture_write(&fixture, "project/.envrc", "first\n");
	fixture_write(&fixture, "project/.git/hooks/sample", "hook\n");
	fixture_write(&fixture, "project/watched", "below\n");
	fixture_write(&fixture, "entry", "old\n");
	if (fixture_try(&fixture, &options, &err) < 0)
		fail_msg("%s", err.msg);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_stop(*state);
	return 0;
}

static void expect_says(struct fixture *f, const char *script, const char *part)
{
	fixture_sh(f, script, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_NONE);
	if (!strstr(outcome.out, part))
		fail_msg("'%s' says '%s', not '%s'", script, outcome.out, part);
}

/** As an editor saves: a new file is renamed over the old one, from outside. */
static void replace(struct fixture *f, const char *name, const char *text)
{
	fixture_write(f, "new", text);
	assert_int_equal(rename(fixture_path(f, "new"), fixture_path(f, name)), 0);
}

/* Gaps ---------------------------------------------------------------------------------- */

static void protected_paths_hold(void **state)
{
	struct fixture *f = *state;

	expect_says(f, "echo x >.git/hooks/post-commit", "Read-only file system");
	expect_says(f, "echo x >>.envrc", "Read-only file system");
	expect_says(f, "mv .git git2", "Device or resource busy");
	expect_says(f, "mv .git/hooks .git/h2", "Device or resource busy");
	expect_says(f, "rm -rf .git/hooks; ls .git/hooks", "sample");
	expect_says(f, "echo ok >.git/config && cat .git/config", "ok");
	assert_int_equal(fixture_check(f).gaps, 0);
	assert_int_equal(f->gaps, 0);
}

static void a_file_that_the_host_replaces_is_bound_again(void **state)
{
	struct fixture *f = *state;

	replace(f, "project/.envrc", "second\n");
	expect_says(f, "cat .envrc; echo x >>.envrc", "Read-only file system");
	assert_non_null(strstr(outcome.out, "second"));
	assert_int_equal(f->gaps, 1);
	assert_string_equal(f->gap, fixture_path(f, "project/.envrc"));
	assert_int_equal(fixture_check(f).gaps, 0);
}

static void a_directory_that_the_host_swaps_is_bound_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rename(fixture_path(f, "project/.git/hooks"), fixture_path(f, "aside")),
			 0);
	assert_int_equal(mkdir(fixture_path(f, "project/.git/hooks"), 0777), 0);
	assert_int_equal(chmod(fixture_path(f, "project/.git/hooks"), 0777), 0);

	struct control_checked checked = fixture_check(f);

	assert_int_equal(checked.error, 0);
	assert_int_equal(checked.gaps, 1);
	expect_says(f, "touch .git/hooks/evil", "Read-only file system");
}

static void an_ancestor_that_the_host_swaps_is_bound_again_with_what_is_below(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rename(fixture_path(f, "project/.git"), fixture_path(f, "aside")), 0);
	assert_int_equal(mkdir(fixture_path(f, "project/.git"), 0777), 0);
	assert_int_equal(chmod(fixture_path(f, "project/.git"), 0777), 0);
	assert_int_equal(mkdir(fixture_path(f, "project/.git/hooks"), 0777), 0);
	assert_int_equal(chmod(fixture_path(f, "project/.git/hooks"), 0777), 0);
	expect_says(f, "touch .git/hooks/evil", "Read-only file system");
	expect_says(f, "mv .git git2", "Device or resource busy");
	assert_int_equal(f->gaps, 2);
}

static void what_the_host_removed_is_absent_and_bound_when_it_is_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlink(fixture_path(f, "project/.envrc")), 0);
	expect_says(f, "ls -A", ".git");
	assert_null(strstr(outcome.out, ".envrc"));
	assert_int_equal(f->gaps, 0);
	fixture_write(f, "project/.envrc", "third\n");
	expect_says(f, "echo x >>.envrc", "Read-only file system");
	assert_int_equal(f->gaps, 1);
}

static void a_link_planted_in_the_gap_is_not_followed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlink(fixture_path(f, "project/.envrc")), 0);
	expect_says(f, "ln -s /etc/passwd .envrc && ls -l .envrc", "/etc/passwd");

	struct control_checked checked = fixture_check(f);

	assert_int_equal(checked.error, 0);
	assert_int_equal(checked.gaps, 0);
	expect_says(f, "grep -c ' /etc/passwd ' /proc/self/mountinfo", "0");
}

static void a_watched_bind_shows_its_own_source_again(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(fixture_out(f, "cat watched"), "old\n");
	replace(f, "project/watched", "planted\n");
	assert_string_equal(fixture_out(f, "cat watched"), "old\n");
	assert_int_equal(f->gaps, 1);
	replace(f, "project/watched", "again\n");
	assert_string_equal(fixture_out(f, "cat watched"), "old\n");
	assert_int_equal(f->gaps, 2);
}

static void many_gaps_in_a_row_leave_nothing_behind(void **state)
{
	struct fixture *f = *state;
	char before[16];

	(void)snprintf(before, sizeof(before), "%s", fixture_out(f, "wc -l </proc/self/mountinfo"));
	for (int i = 0; i < 50; i++) {
		replace(f, "project/.envrc", "x\n");
		assert_int_equal(fixture_check(f).gaps, 1);
	}
	assert_string_equal(fixture_out(f, "wc -l </proc/self/mountinfo"), before);
}

/** Leave init so few descriptors that it can take a command but not look at a mount. */
static bool starve(struct fixture *f)
{
	for (rlim_t limit = 64; limit > 4; limit--) {
		const struct rlimit few = {limit, 64};

		if (prlimit(f->launch.pid, RLIMIT_NOFILE, &few, NULL) < 0)
			return false;
		fixture_sh(f, "true", &outcome);
		if (outcome.step == CONTROL_STEP_CHECK)
			return true;
		assert_int_equal(outcome.step, CONTROL_STEP_NONE);
	}
	return false;
}

static void a_gap_that_cannot_be_closed_refuses_the_command(void **state)
{
	struct fixture *f = *state;
	const struct rlimit enough = {64, 64};

	assert_true(starve(f));
	assert_int_equal(outcome.error, EMFILE);
	assert_int_equal(prlimit(f->launch.pid, RLIMIT_NOFILE, &enough, NULL), 0);
	assert_string_equal(fixture_out(f, "echo on"), "on\n");
}

/* CONTROL_MOUNT -------------------------------------------------------------------------- */

static int send_tree(struct fixture *f, const char *source, const char *path, uint32_t flags)
{
	const struct control_mount body = {.flags = flags};
	struct error err = {0};
	AUTO(fd_close) int tree = -1;
	struct control_checked checked;

	if (launch_clone_tree(&f->launch, source, &tree, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(fcntl(tree, F_GETFD), FD_CLOEXEC);

	const struct control_message msg = {
		.header = {.kind = CONTROL_MOUNT, .seq = 5},
		.body = &body,
		.body_size = sizeof(body),
		.payload = path,
		.payload_size = strlen(path) + 1,
		.fds = &tree,
		.nfds = 1,
	};

	assert_int_equal(control_send(f->launch.control_fd, &msg, &err), 0);
	fixture_expect(f, CONTROL_CHECKED);
	memcpy(&checked, f->packet.data, sizeof(checked));
	return checked.error;
}

static void an_entry_of_a_sealed_skeleton_is_replaced(void **state)
{
	struct fixture *f = *state;

	replace(f, "entry", "new\n");
	assert_string_equal(fixture_out(f, "cat /own/entry"), "old\n");
	assert_int_equal(send_tree(f, fixture_path(f, "entry"), "/own/entry", 0), 0);
	assert_string_equal(fixture_out(f, "cat /own/entry"), "new\n");
	expect_says(f, "echo x >/own/entry", "Read-only file system");
	assert_string_equal(fixture_out(f, "grep -c ' /own/entry ' /proc/self/mountinfo"), "1\n");
	assert_string_equal(fixture_out(f, "grep ' /own/entry ' /proc/self/mountinfo | "
					   "cut -d' ' -f6"),
			    "ro,nosuid,nodev,relatime\n");
}

static void a_tree_for_a_path_that_is_not_there_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_tree(f, fixture_path(f, "entry"), "/own/other", 0), ENOENT);
	assert_int_equal(send_tree(f, fixture_path(f, "project"), "/own/entry", 0), ENOTDIR);
	assert_string_equal(fixture_out(f, "cat /own/entry"), "old\n"); // nothing was lost
}

static void a_tree_is_not_attached_through_a_link(void **state)
{
	struct fixture *f = *state;

	(void)fixture_out(f, "ln -s /own planted");
	assert_int_equal(
		send_tree(f, fixture_path(f, "entry"), fixture_path(f, "project/planted/entry"), 0),
		ELOOP);
}

static void a_source_that_is_a_link_is_not_cloned(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int tree = -1;

	assert_int_equal(symlink("entry", fixture_path(f, "link")), 0);
	assert_int_equal(launch_clone_tree(&f->launch, fixture_path(f, "link"), &tree, &err),
			 -ELOOP);
	assert_int_equal(launch_clone_tree(&f->launch, "/no/such", &tree, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/no/such: open"));
	assert_int_equal(tree, -1);
}

static void cloning_leaves_the_caller_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	AUTO(fd_close) int tree = -1;
	int before = prctl(PR_GET_DUMPABLE);

	assert_int_equal(launch_clone_tree(&f->launch, fixture_path(f, "entry"), &tree, &err), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); // init is the only child
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(protected_paths_hold),
		WORLD_TEST(a_file_that_the_host_replaces_is_bound_again),
		WORLD_TEST(a_directory_that_the_host_swaps_is_bound_again),
		WORLD_TEST(an_ancestor_that_the_host_swaps_is_bound_again_with_what_is_below),
		WORLD_TEST(what_the_host_removed_is_absent_and_bound_when_it_is_back),
		WORLD_TEST(a_link_planted_in_the_gap_is_not_followed),
		WORLD_TEST(a_watched_bind_shows_its_own_source_again),
		WORLD_TEST(many_gaps_in_a_row_leave_nothing_behind),
		WORLD_TEST(a_gap_that_cannot_be_closed_refuses_the_command),
		WORLD_TEST(an_entry_of_a_sealed_skeleton_is_replaced),
		WORLD_TEST(a_tree_for_a_path_that_is_not_there_is_refused),
		WORLD_TEST(a_tree_is_not_attached_through_a_link),
		WORLD_TEST(a_source_that_is_a_link_is_not_cloned),
		WORLD_TEST(cloning_leaves_the_caller_as_it_was),
	};

	unit_needs_host();
	if (fixture_main(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests_name("sandbox/remounting", tests, NULL, NULL);
}

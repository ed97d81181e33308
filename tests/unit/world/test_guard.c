// SPDX-License-Identifier: Apache-2.0
/** Protected paths and configuration: what is set aside, put back, accepted. */
#include "guard_fixture.h"

#include <sys/mman.h>

static const char *const no_paths[] = {".envrc", ".vscode", ".git/commondir", NULL};
static const char *const with_envrc[] = {".envrc", NULL};
static const char *const config_path[] = {".git/config", NULL};

#define CONFIG "[core]\n\tbare = false\n"
#define EVIL "[core]\n\tbare = false\n\tfsmonitor = evil\n"

static const struct facts plain = {.miss = no_paths, .configs = config_path, .git = true};

/** A project with a repository and nothing else that is protected. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	open_fixture(f);
	make_dir(f, ".git");
	make_dir(f, ".git/hooks");
	put(f, ".git/HEAD", "ref: refs/heads/main\n");
	put(f, ".git/config", CONFIG);
	f->guard = make_guard(f, &plain);
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

/* Paths -------------------------------------------------------------------------------- */

static void what_appears_is_set_aside(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	put(f, ".envrc", "evil");
	wait_told(f, 1);
	assert_false(has(f, ".envrc"));

	const struct told *told = told_of(f, ".envrc");

	assert_non_null(told);
	assert_non_null(strstr(told->kept, "/aside/spn_one/"));
	assert_text(told->kept, "evil");
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->ntold, 1);
}

static void what_appears_last_is_found_at_the_end(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	put(f, ".envrc", "evil");
	make_dir(f, ".vscode");
	guard_leave(f->guard, "spn_one", 0);
	assert_false(has(f, ".envrc"));
	assert_false(has(f, ".vscode"));
	assert_int_equal(f->ntold, 2);
}

static void symlinks_are_set_aside_themselves(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *link = in_project(f, ".vscode");
	AUTO(mem_free) char *target = path_join(f->top, "home");

	enter(f->guard, "spn_one");
	must(symlink(target, link));
	guard_leave(f->guard, "spn_one", 0);
	assert_false(has(f, ".vscode"));
	assert_int_equal(access(target, F_OK), 0);
}

static void other_names_are_left_alone(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	put(f, "envrc", "fine");
	put(f, ".git/index", "fine");
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->ntold, 0);
	assert_true(has(f, "envrc"));
}

static void the_newest_command_is_named(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	enter(f->guard, "spn_two");
	put(f, ".envrc", "evil");
	wait_told(f, 1);
	assert_non_null(strstr(f->told[0].kept, "/spn_two/"));
	guard_leave(f->guard, "spn_two", 0);
	put(f, ".envrc", "evil");
	wait_told(f, 2);
	assert_non_null(strstr(f->told[1].kept, "/spn_one/"));
	guard_leave(f->guard, "spn_one", 0);
}

static void survivors_count_as_running(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	guard_leave(f->guard, "spn_one", 2);
	put(f, ".envrc", "evil");
	wait_told(f, 1);
	assert_non_null(strstr(f->told[0].kept, "/spn_one/"));
	put(f, ".envrc", "evil");
	guard_set_survivors(f->guard, 0); // the last thing they did counts too
	assert_int_equal(f->ntold, 2);
	put(f, ".envrc", "the user's");
	assert_true(guard_is_stale(f->guard));
	assert_int_equal(f->ntold, 2);
}

static void what_the_host_makes_makes_the_world_stale(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_false(guard_is_stale(f->guard));
	put(f, ".envrc", "the user's");
	assert_true(guard_is_stale(f->guard));
	assert_int_equal(guard_enter(f->guard, "spn_one", &err), -ESTALE);
	assert_in_project(f, ".envrc", "the user's");
	assert_int_equal(f->ntold, 0);
}

static void what_comes_and_goes_leaves_nothing_stale(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".envrc");

	put(f, ".envrc", "the user's");
	assert_true(guard_is_stale(f->guard));
	must(unlink(path));
	assert_false(guard_is_stale(f->guard));
	enter(f->guard, "spn_one");
	put(f, ".envrc", "evil");
	guard_leave(f->guard, "spn_one", 0);
	assert_false(has(f, ".envrc"));
}

/** A second world, built when .envrc was there. */
static struct guard *guard_with_envrc(struct fixture *f)
{
	static const struct facts facts = {.have = with_envrc, .configs = config_path, .git = true};

	return make_guard(f, &facts);
}

static void a_replaced_file_is_mounted_again(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".envrc");
	AUTO(mem_free) char *temp = in_project(f, ".envrc.tmp");

	f->guard = guard_free(f->guard);
	put(f, ".envrc", "one");
	f->guard = guard_with_envrc(f);
	enter(f->guard, "spn_one");
	write_text(temp, "two");
	must(rename(temp, path));
	wait_told(f, 1);
	assert_int_equal(f->checks, 1);
	assert_int_equal(f->ntold, 0);
	assert_text(path, "two");

	// Until init has answered, the next one may be the world's.
	write_text(temp, "evil");
	must(rename(temp, path));
	wait_told(f, 1);
	assert_int_equal(f->ntold, 1);
	assert_text(f->told[0].kept, "evil");
	guard_leave(f->guard, "spn_one", 0);
}

static void a_settled_file_may_be_replaced_again(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".envrc");
	AUTO(mem_free) char *temp = in_project(f, ".envrc.tmp");

	f->guard = guard_free(f->guard);
	put(f, ".envrc", "one");
	f->guard = guard_with_envrc(f);
	enter(f->guard, "spn_one");
	for (int i = 0; i < 3; i++) {
		write_text(temp, "two");
		must(rename(temp, path));
		wait_told(f, 1);
		guard_checked(f->guard);
	}
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->checks, 3);
	assert_int_equal(f->ntold, 0);
	assert_false(guard_is_stale(f->guard));
}

static void a_removed_file_may_not_come_back_from_a_world(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".envrc");

	f->guard = guard_free(f->guard);
	put(f, ".envrc", "one");
	f->guard = guard_with_envrc(f);
	enter(f->guard, "spn_one");
	must(unlink(path));
	put(f, ".envrc", "evil");
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->ntold, 1);
	assert_true(guard_is_stale(f->guard)); // the mount is gone
}

/** Rights that a world takes from directories hide nothing. */
static void modes_hide_nothing(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	if (geteuid() == 0)
		skip(); // root needs no rights

	AUTO(mem_free) char *config = in_project(f, ".git/config");

	enter(f->guard, "spn_one");
	put(f, ".envrc", "evil");
	put(f, ".git/commondir", "evil");
	put(f, ".git/config", EVIL);
	must(chmod(f->git, 0));
	must(chmod(f->project, 0));
	guard_leave(f->guard, "spn_one", 0);
	must(stat(f->project, &st)); // it can be searched again
	assert_false(has(f, ".envrc"));
	assert_false(has(f, ".git/commondir"));
	assert_text(config, CONFIG);
	assert_int_equal(f->ntold, 3);
}

/** What a command wrote just before its world is killed must not be trusted by the next. */
static void a_killed_world_is_looked_at(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	put(f, ".envrc", "evil");
	put(f, ".git/config", EVIL);
	guard_finish(f->guard);
	assert_false(has(f, ".envrc"));
	assert_in_project(f, ".git/config", CONFIG);
	assert_int_equal(f->ntold, 2);
}

/** A guard that comes while another world runs does not vouch for what that one made. */
static void a_new_guard_does_not_vouch_for_a_busy_world(void **state)
{
	static const char *const paths[] = {".git/config", "sub/config", NULL};
	static const struct facts facts = {.miss = no_paths, .configs = paths, .git = true};
	struct fixture *f = *state;
	struct guard *other;

	enter(f->guard, "spn_one");
	make_dir(f, "sub");
	put(f, "sub/config", EVIL);
	put(f, ".git/config", EVIL);
	put(f, ".envrc", "evil");
	other = make_guard(f, &facts);
	enter(other, "spn_two");
	guard_leave(other, "spn_two", 0);
	guard_leave(f->guard, "spn_one", 0);
	assert_in_project(f, ".git/config", CONFIG);
	assert_in_project(f, "sub/config", "[core]\n\tbare = \"false\"\n");
	assert_false(has(f, ".envrc"));
	(void)guard_free(other);
}

/** A link that was there stays, though it is no mount point; another one is set aside. */
static void a_link_of_the_host_does_not_make_the_world_stale(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *link = in_project(f, ".vscode");
	AUTO(mem_free) char *temp = in_project(f, "temp");

	f->guard = guard_free(f->guard);
	must(symlink("elsewhere", link));
	f->guard = make_guard(f, &plain);
	assert_false(guard_is_stale(f->guard));
	enter(f->guard, "spn_one");
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->ntold, 0);
	enter(f->guard, "spn_two");
	must(symlink("evil", temp));
	must(rename(temp, link)); // in one step, so that it is never gone
	guard_leave(f->guard, "spn_two", 0);
	assert_int_equal(f->ntold, 1);
	assert_false(has(f, ".vscode"));
}

/** A command must not flood the trace. */
static void records_are_bounded(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	for (int i = 0; i < 200; i++) {
		enter(f->guard, "spn_two");
		put(f, ".envrc", "evil");
		guard_leave(f->guard, "spn_two", 0);
		assert_false(has(f, ".envrc"));
	}
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->ntold, 129);
	assert_non_null(strstr(f->told[128].detail, "72 more"));
}

/* Configuration ------------------------------------------------------------------------ */

static void what_runs_programs_is_put_back(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	put(f, ".git/config", EVIL);
	wait_told(f, 1);
	assert_in_project(f, ".git/config", CONFIG);

	const struct told *told = told_of(f, ".git/config");

	assert_non_null(told);
	assert_non_null(strstr(told->detail, "core.fsmonitor"));
	assert_text(told->kept, EVIL);
	guard_leave(f->guard, "spn_one", 0);
	assert_int_equal(f->ntold, 1);
}

static void harmless_keys_stay(void **state)
{
	static const char text[] = CONFIG "[remote \"o\"]\n\turl = x\n";
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	put(f, ".git/config", text);
	guard_leave(f->guard, "spn_one", 0);
	assert_in_project(f, ".git/config", text);
	assert_int_equal(f->ntold, 0);
}

static void the_mode_is_kept(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".git/config");
	struct stat st;

	must(chmod(path, 0640));
	enter(f->guard, "spn_one");
	put(f, ".git/config", EVIL);
	guard_leave(f->guard, "spn_one", 0);
	must(stat(path, &st));
	assert_int_equal(st.st_mode & 07777, 0640);
}

/** Put something else in the place of the configuration, and see it put back. */
static void assert_replaced(struct fixture *f, const char *command)
{
	AUTO(mem_free)
	char *line = str_format("cd %s/.git && rm config && %s", f->project, command);

	enter(f->guard, "spn_one");
	run_shell(line);
	guard_leave(f->guard, "spn_one", 0);
	assert_in_project(f, ".git/config", CONFIG);
	assert_true(f->ntold > 0);
}

static void a_symlink_is_replaced(void **state)
{
	assert_replaced(*state, "echo evil >../evil && ln -s ../evil config");
}

static void a_directory_is_replaced(void **state)
{
	assert_replaced(*state, "mkdir config && echo evil >config/evil");
}

static void a_fifo_is_replaced(void **state)
{
	assert_replaced(*state, "mkfifo config");
}

static void a_huge_file_is_replaced(void **state)
{
	assert_replaced(*state, "truncate -s 1T config");
}

static void an_unreadable_file_is_replaced(void **state)
{
	if (geteuid() == 0)
		skip(); // root reads everything
	assert_replaced(*state, "echo evil >config && chmod 0 config");
}

static void a_link_of_the_host_stays_a_link(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".git/config");
	AUTO(mem_free) char *target = path_join(f->top, "dotfile");
	char have[256] = "";

	write_text(target, CONFIG);
	must(unlink(path));
	must(symlink(target, path));
	assert_false(guard_is_stale(f->guard));
	enter(f->guard, "spn_one");
	must(unlink(path));
	put(f, ".git/config", EVIL);
	guard_leave(f->guard, "spn_one", 0);
	must((int)readlink(path, have, sizeof(have) - 1));
	assert_string_equal(have, target);
}

static void the_host_may_change_it_in_between(void **state)
{
	struct fixture *f = *state;

	enter(f->guard, "spn_one");
	guard_leave(f->guard, "spn_one", 0);
	put(f, ".git/config", EVIL); // the user's own wish
	enter(f->guard, "spn_two");
	guard_leave(f->guard, "spn_two", 0);
	assert_in_project(f, ".git/config", EVIL);
	enter(f->guard, "spn_three");
	put(f, ".git/config", CONFIG);
	guard_leave(f->guard, "spn_three", 0);
	assert_in_project(f, ".git/config", EVIL);
}

/** Writes through a mapping and through another link make no event in the directory. */
static void silent_writes_are_found(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".git/config");
	AUTO(mem_free) char *other = in_project(f, "other");
	AUTO(fd_close) int fd = open(path, O_RDWR | O_CLOEXEC);
	char *map = mmap(NULL, sizeof(CONFIG) - 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(map != MAP_FAILED);
	enter(f->guard, "spn_one");
	enter(f->guard, "spn_two");
	must(link(path, other));
	write_text(other, EVIL);
	guard_leave(f->guard, "spn_one", 0);
	assert_in_project(f, ".git/config", CONFIG);
	assert_int_equal(f->ntold, 1);
	memset(map, 'x', sizeof(CONFIG) - 1); // of the old file: nobody reads it any more
	guard_leave(f->guard, "spn_two", 0);
	assert_in_project(f, ".git/config", CONFIG);
	assert_int_equal(f->ntold, 1);
	must(munmap(map, sizeof(CONFIG) - 1));
}

static void a_poll_finds_silent_writes_too(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".git/config");
	AUTO(mem_free) char *other = in_project(f, "other");

	must(link(path, other));
	enter(f->guard, "spn_one");
	write_text(other, EVIL);
	wait_told(f, 1);
	assert_in_project(f, ".git/config", CONFIG);
	guard_leave(f->guard, "spn_one", 0);
}

/** What one world wrote must not be taken for right because another one was idle. */
static void an_idle_world_does_not_vouch_for_a_busy_one(void **state)
{
	struct fixture *f = *state;
	struct guard *other = make_guard(f, &plain);

	enter(f->guard, "spn_one");
	put(f, ".git/config", EVIL);
	put(f, ".envrc", "evil");
	enter(other, "spn_two");
	guard_leave(other, "spn_two", 0);
	guard_leave(f->guard, "spn_one", 0);
	assert_in_project(f, ".git/config", CONFIG);
	assert_false(has(f, ".envrc"));
	assert_int_equal(f->ntold, 2);
	(void)guard_free(other);
}

static void a_read_only_directory_is_no_defence(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *path = in_project(f, ".git/config");

	enter(f->guard, "spn_one");
	put(f, ".git/config", EVIL);
	must(chmod(path, 0444));
	must(chmod(f->git, 0555));
	guard_leave(f->guard, "spn_one", 0);
	assert_in_project(f, ".git/config", CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_appears_is_set_aside),
		TEST(what_appears_last_is_found_at_the_end),
		TEST(symlinks_are_set_aside_themselves),
		TEST(other_names_are_left_alone),
		TEST(the_newest_command_is_named),
		TEST(survivors_count_as_running),
		TEST(what_the_host_makes_makes_the_world_stale),
		TEST(what_comes_and_goes_leaves_nothing_stale),
		TEST(a_replaced_file_is_mounted_again),
		TEST(a_settled_file_may_be_replaced_again),
		TEST(a_removed_file_may_not_come_back_from_a_world),
		TEST(modes_hide_nothing),
		TEST(a_killed_world_is_looked_at),
		TEST(a_new_guard_does_not_vouch_for_a_busy_world),
		TEST(a_link_of_the_host_does_not_make_the_world_stale),
		TEST(records_are_bounded),
		TEST(what_runs_programs_is_put_back),
		TEST(harmless_keys_stay),
		TEST(the_mode_is_kept),
		TEST(a_symlink_is_replaced),
		TEST(a_directory_is_replaced),
		TEST(a_fifo_is_replaced),
		TEST(a_huge_file_is_replaced),
		TEST(an_unreadable_file_is_replaced),
		TEST(a_link_of_the_host_stays_a_link),
		TEST(the_host_may_change_it_in_between),
		TEST(silent_writes_are_found),
		TEST(a_poll_finds_silent_writes_too),
		TEST(an_idle_world_does_not_vouch_for_a_busy_one),
		TEST(a_read_only_directory_is_no_defence),
	};

	unit_needs_host();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

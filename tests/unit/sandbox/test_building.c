// SPDX-License-Identifier: Apache-2.0
/** What a real world shows: mounts, files, users, and plans that cannot be built. */
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;
static struct outcome outcome;

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	return 0;
}

static struct fixture *start(const struct fixture_options *options)
{
	fixture_start(&fixture, options);
	return &fixture;
}

static struct fixture *usual(void)
{
	return start(&(struct fixture_options){0});
}

static void add(struct plan_builder *builder, struct plan_step step)
{
	plan_add(builder, &step);
}

/** What the script says, status and all. */
static const char *says(struct fixture *f, const char *script)
{
	fixture_sh(f, script, &outcome);
	assert_int_equal(outcome.step, CONTROL_STEP_NONE);
	return outcome.out;
}

static void expect_says(struct fixture *f, const char *script, const char *part)
{
	if (!strstr(says(f, script), part))
		fail_msg("'%s' says '%s', not '%s'", script, outcome.out, part);
}

static char *read_host(const char *path)
{
	struct error err = {0};
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 65536, &text, &len, &err), 0);
	return text;
}

/* The usual world ----------------------------------------------------------------------- */

static void the_system_is_read_only(void **state)
{
	struct fixture *f = usual();

	(void)state;
	expect_says(f, "touch /usr/x", "Read-only file system");
	expect_says(f, "touch /etc/x", "Read-only file system");
	expect_says(f, "touch /x", "Read-only file system");
	expect_says(f, "mkdir /dev/x", "Read-only file system");
}

static void the_project_is_the_hosts_and_tmp_is_not(void **state)
{
	struct fixture *f = usual();
	struct stat st;
	char expected[256];

	(void)state;
	// The project lies below /tmp, so its skeleton is there too.
	(void)snprintf(expected, sizeof(expected), "%.79s\nmade\n%.63s\n", f->project, f->dir + 5);
	assert_string_equal(fixture_out(f, "pwd; echo in >made; echo x >/tmp/made; ls /tmp"),
			    expected);
	assert_int_equal(stat(fixture_path(f, "project/made"), &st), 0);
	assert_int_equal(st.st_uid, f->uid);
	assert_int_equal(access("/tmp/made", F_OK), -1);
}

static void the_new_root_hides_no_source(void **state)
{
	struct fixture *f = usual();

	(void)state;
	// Sources below /, /tmp and /dev were all found while the new root stood.
	expect_says(f, "ls /usr/bin/env && echo x >/dev/null && ls -d $PWD", "/project");
	assert_string_equal(fixture_out(f, "ls /dev | tr '\\n' ' '"),
			    "null ptmx pts tty urandom zero ");
}

static void only_the_plan_is_mounted(void **state)
{
	struct fixture *f = usual();
	const char *mounts = fixture_out(f, "cut -d' ' -f5 /proc/self/mountinfo | grep -v ^/usr/ |"
					    " grep -v ^/etc/ | sort | tr '\\n' ' '");
	char expected[512];

	(void)state;
	(void)snprintf(expected, sizeof(expected),
		       "/ /dev/null /dev/pts /dev/tty /dev/urandom /dev/zero /etc /proc /proc/sys "
		       "/tmp %.79s "
		       "/usr ",
		       f->project);
	assert_string_equal(mounts, expected);
}

static void every_mount_is_nosuid_and_all_but_devices_nodev(void **state)
{
	struct fixture *f = usual();

	(void)state;
	assert_string_equal(fixture_out(f, "grep -v nosuid /proc/self/mountinfo | wc -l"), "0\n");
	assert_string_equal(
		fixture_out(f, "grep -v nodev /proc/self/mountinfo | grep -vc ' /dev/' ; true"),
		"0\n");
}

static void nothing_propagates(void **state)
{
	struct fixture *f = usual();

	(void)state;
	assert_string_equal(fixture_out(f, "grep -cE 'shared:|master:' /proc/self/mountinfo; true"),
			    "0\n");
}

static void the_host_name_and_the_loopback_are_its_own(void **state)
{
	struct fixture *f = usual();

	(void)state;
	assert_string_equal(fixture_out(f, "cat /proc/sys/kernel/hostname"), "world\n");
	assert_string_equal(fixture_out(f, "sed 1,2d /proc/net/dev | cut -d: -f1"), "    lo\n");
	assert_string_equal(fixture_out(f, "grep -c 127.0.0.1 /proc/net/fib_trie | sed 's/.*/up/'"),
			    "up\n");
}

static void processes_of_the_host_are_not_there(void **state)
{
	struct fixture *f = usual();

	(void)state;
	assert_string_equal(fixture_out(f, "cat /proc/1/comm"), "init\n");
	assert_string_equal(fixture_out(f, "set -- /proc/[0-9]*; echo $#"), "2\n");
}

/* Values of the kernel ------------------------------------------------------------------ */

static void limit_pids(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder, (struct plan_step){.kind = PLAN_SYSCTL,
					.flags = PLAN_OPTIONAL,
					.path = "kernel/pid_max",
					.data = "4321"});
}

static void sysctls_change_the_world_and_not_the_host(void **state)
{
	AUTO(mem_free) char *pids = read_host("/proc/sys/kernel/pid_max");
	AUTO(mem_free) char *users = read_host("/proc/sys/user/max_user_namespaces");
	struct fixture *f = start(&(struct fixture_options){.extra = limit_pids});
	AUTO(mem_free) char *pids_after = read_host("/proc/sys/kernel/pid_max");
	AUTO(mem_free) char *users_after = read_host("/proc/sys/user/max_user_namespaces");

	(void)state;
	assert_string_equal(pids, pids_after);
	assert_string_equal(users, users_after);
	assert_string_equal(fixture_out(f, "cat /proc/sys/user/max_user_namespaces"), "0\n");
	if (f->ready.pids)
		assert_string_equal(fixture_out(f, "cat /proc/sys/kernel/pid_max"), "4321\n");
	else
		assert_string_equal(fixture_out(f, "cat /proc/sys/kernel/pid_max"), pids);
}

static void change_host_value(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder,
	    (struct plan_step){.kind = PLAN_SYSCTL, .path = "vm/swappiness", .data = "61"});
}

static void a_value_that_is_the_hosts_cannot_be_written(void **state)
{
	AUTO(mem_free) char *before = read_host("/proc/sys/vm/swappiness");
	struct error err = {0};

	(void)state;
	// Root, too: the mode of the file would let its uid in.
	fixture_dirs(&fixture, &(struct fixture_options){0});
	assert_int_equal(
		fixture_try(&fixture, &(struct fixture_options){.extra = change_host_value}, &err),
		-EACCES);
	assert_non_null(strstr(err.msg, "sysctl vm/swappiness"));

	AUTO(mem_free) char *after = read_host("/proc/sys/vm/swappiness");
	assert_string_equal(before, after);
}

/* Files --------------------------------------------------------------------------------- */

static void add_files(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){.kind = PLAN_DIR, .path = "/own", .mode = 0750});
	add(builder, (struct plan_step){
			     .kind = PLAN_FILE, .path = "/own/file", .data = "text", .mode = 0640});
	add(builder, (struct plan_step){.kind = PLAN_LINK, .path = "/own/link", .data = "file"});
	add(builder, (struct plan_step){.kind = PLAN_COPY,
					.path = "/own/copy",
					.source = fixture_path(f, "source")});
	add(builder, (struct plan_step){.kind = PLAN_COPY,
					.path = "/own/none",
					.source = fixture_path(f, "missing"),
					.flags = PLAN_OPTIONAL});
}

static void files_have_the_mode_and_owner_of_the_plan(void **state)
{
	const struct fixture_options options = {.extra = add_files};
	struct error err = {0};
	char expected[256];

	(void)state;
	fixture_dirs(&fixture, &options);
	fixture_write(&fixture, "source", "copied");
	assert_int_equal(chmod(fixture_path(&fixture, "source"), 04755), 0);
	assert_int_equal(fixture_try(&fixture, &options, &err), 0);
	(void)snprintf(expected, sizeof(expected),
		       "750 %u\n640 %u\n755 %u\ntextcopiedcopy\nfile\nlink\n", fixture.uid,
		       fixture.uid, fixture.uid);
	assert_string_equal(fixture_out(&fixture,
					"stat -c '%a %u' /own /own/file /own/copy; cat /own/link "
					"/own/copy; ls /own"),
			    expected);
}

static void add_root_file(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder, (struct plan_step){.kind = PLAN_DIR, .path = "/own", .mode = 0755});
	add(builder,
	    (struct plan_step){.kind = PLAN_COPY, .path = "/own/passwd", .source = "/etc/passwd"});
}

static void a_copy_keeps_its_owner_where_that_has_a_number(void **state)
{
	struct fixture *f = start(&(struct fixture_options){.extra = add_root_file,
							    .uid = geteuid() == 0 ? 4321 : 0});
	char expected[32];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "%u\n", geteuid() == 0 ? 0 : f->uid);
	assert_string_equal(fixture_out(f, "stat -c %u /own/passwd"), expected);
}

static void a_root_world_runs_as_the_projects_owner(void **state)
{
	if (geteuid() != 0) {
		fixture_dirs(&fixture, &(struct fixture_options){0});
		return; // only root can be somebody else
	}

	struct fixture *f = start(&(struct fixture_options){.uid = 4321});
	struct stat st;

	(void)state;
	assert_string_equal(fixture_out(f, "id -u; id -g; id -G; touch made"),
			    "4321\n4321\n4321\n");
	assert_int_equal(stat(fixture_path(f, "project/made"), &st), 0);
	assert_int_equal(st.st_uid, 4321);
	assert_string_equal(fixture_out(f, "stat -c %u / /tmp"), "4321\n4321\n");
}

/* Plans that cannot be built ------------------------------------------------------------ */

/** What the failing plan's error must say. */
static void expect_failure(void (*extra)(struct plan_builder *, const struct fixture *), int code,
			   const char *says_so)
{
	const struct fixture_options options = {.extra = extra};
	struct error err = {0};

	fixture_dirs(&fixture, &options);
	fixture_write(&fixture, "file", "x");
	assert_int_equal(mkdir(fixture_path(&fixture, "real"), 0755), 0);
	assert_int_equal(symlink("real", fixture_path(&fixture, "link")), 0);
	assert_int_equal(symlink("/etc", fixture_path(&fixture, "project/planted")), 0);
	assert_int_equal(fixture_try(&fixture, &options, &err), -code);
	if (!strstr(err.msg, says_so))
		fail_msg("'%s' does not say '%s'", err.msg, says_so);
}

static void bind_missing(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = "/own",
					.source = fixture_path(f, "missing"),
					.flags = PLAN_MAKE});
}

static void a_source_that_is_gone_is_an_error(void **state)
{
	(void)state;
	expect_failure(bind_missing, ENOENT, "bind /own <- /tmp/");
}

static void bind_link(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = "/own",
					.source = fixture_path(f, "link"),
					.flags = PLAN_MAKE});
}

static void a_source_that_became_a_link_is_an_error(void **state)
{
	(void)state;
	expect_failure(bind_link, ELOOP, "open the source");
}

static void bind_over_link(struct plan_builder *builder, const struct fixture *f)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/planted", f->project);
	add(builder,
	    (struct plan_step){.kind = PLAN_BIND, .path = path, .source = fixture_path(f, "real")});
}

static void a_link_planted_where_the_plan_mounts_is_an_error(void **state)
{
	(void)state;
	expect_failure(bind_over_link, ELOOP, "open the mount point");
}

static void bind_below_link(struct plan_builder *builder, const struct fixture *f)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/planted/ssl", f->project);
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = path,
					.source = fixture_path(f, "real"),
					.flags = PLAN_MAKE});
}

static void a_link_on_the_way_is_an_error(void **state)
{
	(void)state;
	expect_failure(bind_below_link, ELOOP, "open the parent");
}

static void self_optional(struct plan_builder *builder, const struct fixture *f)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/planted", f->project);
	add(builder, (struct plan_step){.kind = PLAN_SELF, .path = path, .flags = PLAN_OPTIONAL});
	(void)snprintf(path, sizeof(path), "%s/missing", f->project);
	add(builder, (struct plan_step){.kind = PLAN_SELF, .path = path, .flags = PLAN_OPTIONAL});
}

static void what_may_be_missing_is_passed_over(void **state)
{
	const struct fixture_options options = {.extra = self_optional};
	struct error err = {0};

	(void)state;
	fixture_dirs(&fixture, &options);
	assert_int_equal(symlink("/etc", fixture_path(&fixture, "project/planted")), 0);
	assert_int_equal(fixture_try(&fixture, &options, &err), 0);
	assert_string_equal(fixture_out(&fixture, "grep -c planted /proc/self/mountinfo; true"),
			    "0\n");
}

static void file_twice(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder, (struct plan_step){.kind = PLAN_FILE, .path = "/own", .data = "a"});
	add(builder, (struct plan_step){.kind = PLAN_FILE, .path = "/own", .data = "b"});
}

static void a_file_is_never_written_over(void **state)
{
	(void)state;
	expect_failure(file_twice, EEXIST, "file /own");
}

static void copy_directory(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){
			     .kind = PLAN_COPY, .path = "/own", .source = fixture_path(f, "real")});
}

static void only_regular_files_are_copied(void **state)
{
	(void)state;
	expect_failure(copy_directory, EINVAL, "not a regular file");
}

static void bind_after_pivot(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder, (struct plan_step){.kind = PLAN_PIVOT});
	add(builder, (struct plan_step){.kind = PLAN_BIND, .path = "/tmp", .source = "/usr"});
}

static void after_the_pivot_the_host_is_gone(void **state)
{
	(void)state;
	expect_failure(bind_after_pivot, EINVAL, "the host is gone");
}

static void nothing_more(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder, (struct plan_step){.kind = PLAN_USER, .uid = 0xfffffff0U, .gid = 0xfffffff0U});
}

static void a_user_without_number_is_an_error(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		fixture_dirs(&fixture, &(struct fixture_options){0});
		return; // every number but the last is mapped
	}
	expect_failure(nothing_more, EINVAL, "has no number");
}

/* Submounts ----------------------------------------------------------------------------- */

static void bind_tree(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = "/own",
					.source = fixture_path(f, "tree"),
					.flags = PLAN_MAKE | PLAN_RW | PLAN_RECURSIVE});
}

static void bind_tree_flat(struct plan_builder *builder, const struct fixture *f)
{
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = "/own",
					.source = fixture_path(f, "tree"),
					.flags = PLAN_MAKE | PLAN_RW});
}

/** dir/tree with a writable and a read-only tmpfs in it; false: not root. */
static bool mount_tree(void)
{
	fixture_dirs(&fixture, &(struct fixture_options){0});
	if (geteuid() != 0)
		return false;
	assert_int_equal(mkdir(fixture_path(&fixture, "tree"), 0755), 0);
	assert_int_equal(mkdir(fixture_path(&fixture, "tree/rw"), 0755), 0);
	assert_int_equal(mkdir(fixture_path(&fixture, "tree/ro"), 0755), 0);
	assert_int_equal(mount("x", fixture_path(&fixture, "tree/rw"), "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("x", fixture_path(&fixture, "tree/ro"), "tmpfs", MS_RDONLY, NULL),
			 0);
	return true;
}

static void unmount_tree(void)
{
	assert_int_equal(umount2(fixture_path(&fixture, "tree/rw"), MNT_DETACH), 0);
	assert_int_equal(umount2(fixture_path(&fixture, "tree/ro"), MNT_DETACH), 0);
}

static void a_submount_keeps_its_read_only_flag(void **state)
{
	struct error err = {0};

	(void)state;
	if (!mount_tree())
		return;
	assert_int_equal(fixture_try(&fixture,
				     &(struct fixture_options){.extra = bind_tree,
							       .without = WITHOUT_LANDLOCK},
				     &err),
			 0);
	assert_string_equal(fixture_out(&fixture, "touch /own/x /own/rw/x && echo yes"), "yes\n");
	expect_says(&fixture, "touch /own/ro/x", "Read-only file system");
	unmount_tree();
}

static void a_bind_that_forgets_submounts_is_told_so(void **state)
{
	struct error err = {0};

	(void)state;
	if (!mount_tree())
		return;
	assert_int_equal(
		fixture_try(&fixture, &(struct fixture_options){.extra = bind_tree_flat}, &err),
		-EINVAL);
	assert_non_null(strstr(err.msg, "it must be recursive"));
	unmount_tree();
}

/* Binds from inside ---------------------------------------------------------------------- */

static void bind_inside(struct plan_builder *builder, const struct fixture *f)
{
	(void)f;
	add(builder, (struct plan_step){.kind = PLAN_DIR, .path = "/own", .mode = 0755});
	add(builder, (struct plan_step){
			     .kind = PLAN_FILE, .path = "/own/a", .data = "inside", .mode = 0644});
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = "/own/b",
					.source = "/own/a",
					.flags = PLAN_MAKE | PLAN_INSIDE});
}

static void a_source_may_lie_in_the_world(void **state)
{
	struct fixture *f = start(&(struct fixture_options){.extra = bind_inside});

	(void)state;
	assert_string_equal(fixture_out(f, "cat /own/b"), "inside");
	expect_says(f, "echo x >/own/b", "Read-only file system");
}

#define WORLD_TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_system_is_read_only),
		WORLD_TEST(the_project_is_the_hosts_and_tmp_is_not),
		WORLD_TEST(the_new_root_hides_no_source),
		WORLD_TEST(only_the_plan_is_mounted),
		WORLD_TEST(every_mount_is_nosuid_and_all_but_devices_nodev),
		WORLD_TEST(nothing_propagates),
		WORLD_TEST(the_host_name_and_the_loopback_are_its_own),
		WORLD_TEST(processes_of_the_host_are_not_there),
		WORLD_TEST(sysctls_change_the_world_and_not_the_host),
		WORLD_TEST(a_value_that_is_the_hosts_cannot_be_written),
		WORLD_TEST(files_have_the_mode_and_owner_of_the_plan),
		WORLD_TEST(a_copy_keeps_its_owner_where_that_has_a_number),
		WORLD_TEST(a_root_world_runs_as_the_projects_owner),
		WORLD_TEST(a_source_that_is_gone_is_an_error),
		WORLD_TEST(a_source_that_became_a_link_is_an_error),
		WORLD_TEST(a_link_planted_where_the_plan_mounts_is_an_error),
		WORLD_TEST(a_link_on_the_way_is_an_error),
		WORLD_TEST(what_may_be_missing_is_passed_over),
		WORLD_TEST(a_file_is_never_written_over),
		WORLD_TEST(only_regular_files_are_copied),
		WORLD_TEST(after_the_pivot_the_host_is_gone),
		WORLD_TEST(a_user_without_number_is_an_error),
		WORLD_TEST(a_submount_keeps_its_read_only_flag),
		WORLD_TEST(a_bind_that_forgets_submounts_is_told_so),
		WORLD_TEST(a_source_may_lie_in_the_world),
	};

	unit_needs_host();
	if (fixture_main(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests_name("sandbox/building", tests, NULL, NULL);
}

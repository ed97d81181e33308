// SPDX-License-Identifier: Apache-2.0
/** Plans for small made-up hosts: what is in view, and how. */
#include "image_fixture.h"

static void the_system_is_bound_read_only(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/usr/bin/cc");
	add_dir(f, "/srv/data");
	add_file(f, "/top-level-file");
	add_link(f, "usr/bin", "/bin");
	compile_well(f);
	expect_host(f, "/usr/bin/cc", false);
	expect_host(f, "/srv/data", false);
	expect_host(f, "/top-level-file", false);
	expect_link(f, "/bin");
	assert_true(has_line(f, "bind     ro rec opt make  /usr <- /usr  [readonly]"));
	assert_true(has_line(f, "seal      /  [readonly]"));
}

/** The part of the plan that shows the host, word for word. */
static void the_view_of_a_small_host(void **state)
{
	static const char golden[] =
		"user      1000:1000\n"
		"bind     ro rec opt make  /etc <- /etc  [readonly]\n"
		"dir       /home  mode 0755\n"
		"dir       /home/u  mode 0755\n"
		"bind     ro rec opt make  /home/u/.bashrc <- /home/u/.bashrc  [readonly]\n"
		"dir       /home/u/.config  mode 0755\n"
		"bind     ro rec opt make  /home/u/.config/git <- /home/u/.config/git  [readonly]\n"
		"dir       /home/u/.ssh  mode 0700\n"
		"bind     ro rec opt make  /home/u/.ssh/known_hosts <- /home/u/.ssh/known_hosts  "
		"[readonly]\n"
		"link      /home/u/link -> .bashrc\n"
		"dir       /home/u/p  mode 0755\n"
		"dir       /root  mode 0755\n"
		"bind     ro rec opt make  /usr <- /usr  [readonly]\n"
		"dir       /var  mode 0755\n"
		"bind     ro rec opt make  /var/lib <- /var/lib  [readonly]\n"
		"dir       /var/tmp  mode 0755\n"
		"dir       /dev  mode 0755\n"
		"dir       /proc  mode 0755\n"
		"dir       /run  mode 0755\n"
		"dir       /sys  mode 0755\n"
		"dir       /tmp  mode 0755\n"
		"tmpfs     /tmp  mode 1777  1024 KiB  [tmp]\n";
	struct fixture *f = *state;
	AUTO(mem_free) char *ssh = real(f, "/home/u/.ssh");

	add_file(f, "/home/u/.bashrc");
	add_file(f, "/home/u/.netrc");
	add_file(f, "/home/u/.config/git");
	add_file(f, "/home/u/.config/gh/hosts.yml");
	add_file(f, "/home/u/.ssh/id_rsa");
	add_file(f, "/home/u/.ssh/known_hosts");
	add_link(f, ".bashrc", "/home/u/link");
	must(chmod(ssh, 0700));
	f->spec.user.uid = f->spec.user.gid = 1000;
	f->spec.caches = SPEC_CACHES_SHARED;
	compile_well(f);
	if (strncmp(f->text.data, golden, strlen(golden)) != 0)
		fail_msg("%s", f->text.data);
}

static void the_hash_names_the_plan(void **state)
{
	struct fixture *f = *state;

	compile_well(f);
	assert_int_equal(strlen(f->image.hash), 64);

	AUTO(mem_free) char *first = copy(f->image.hash);

	compile_well(f);
	assert_string_equal(f->image.hash, first);
	add_file(f, "/new");
	compile_well(f);
	assert_string_not_equal(f->image.hash, first);
}

static void the_hash_of_the_spec_names_the_rules(void **state)
{
	struct fixture *f = *state;

	compile_well(f);
	assert_int_equal(strlen(f->image.spec_hash), 64);
	assert_string_not_equal(f->image.spec_hash, f->image.hash);

	AUTO(mem_free) char *first = copy(f->image.spec_hash);

	add_file(f, "/new");
	compile_well(f);
	assert_string_equal(f->image.spec_hash, first); // the host is no rule
	f->spec.tmp_bytes++;
	compile_well(f);
	assert_string_not_equal(f->image.spec_hash, first);
}

static void own_places_hold_nothing_of_the_host(void **state)
{
	static const char *const places[] = {"/tmp", "/var/tmp", "/run", "/dev", "/proc", "/sys"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO(mem_free) char *path = path_join(places[i], "thing");

		add_file(f, path);
	}
	compile_well(f);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO(mem_free) char *path = path_join(places[i], "thing");

		expect_own(f, places[i]);
		expect_unbound(f, path);
		expect_nothing(f, path);
	}
	expect_own(f, "/run/substrate/world");
	assert_false(see(f, "/run/substrate/world").writable);
}

static void a_device_of_the_host_keeps_its_mode_and_owner(void **state)
{
	struct fixture *f = *state;

	// Data goes to a device on a read-only mount too; chmod and chown do not.
	add_file(f, "/dev/full");
	compile_well(f);
	expect_host(f, "/dev/full", false);
}

static void the_project_is_writable_where_it_lies(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/p/main.c");
	add_file(f, "/home/u/q/other.c");
	compile_well(f);
	expect_host(f, "/home/u/p/main.c", true);
	expect_host(f, "/home/u/q/other.c", false);
	assert_true(has_line(f, "landlock rw  /home/u/p  [landlock]"));
}

static void a_project_below_a_bound_directory_needs_no_skeleton(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/work/a/b/main.c");
	free(f->spec.project.root);
	f->spec.project.root = copy("/work/a/b");
	compile_well(f);
	expect_host(f, "/work/a", false);
	expect_host(f, "/work/a/b/main.c", true);
	assert_false(strv_has(&f->image.skeletons, "/work"));
}

static void a_project_in_tmp_lies_in_fixed_directories(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/tmp/x/y/p/main.c");
	add_file(f, "/tmp/x/y/secret");
	free(f->spec.project.root);
	f->spec.project.root = copy("/tmp/x/y/p");
	compile_well(f);
	expect_host(f, "/tmp/x/y/p/main.c", true);
	expect_nothing(f, "/tmp/x/y/secret");
	expect_own(f, "/tmp/x/y");
	assert_false(see(f, "/tmp/x").writable);
	assert_false(see(f, "/tmp/x/y").writable);
	assert_true(has_line(f, "self     ro opt  /tmp/x"));
}

static void a_project_right_in_tmp_is_a_mount(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/tmp/p/main.c");
	free(f->spec.project.root);
	f->spec.project.root = copy("/tmp/p");
	compile_well(f);
	expect_host(f, "/tmp/p/main.c", true);
	assert_false(has_line(f, "self     ro opt  /tmp/p"));
}

static void a_project_in_a_closed_home_is_all_that_is_seen_of_it(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/root/deep/p/main.c");
	add_file(f, "/root/secret");
	add_file(f, "/root/deep/secret");
	free(f->spec.project.root);
	f->spec.project.root = copy("/root/deep/p");
	compile_well(f);
	expect_host(f, "/root/deep/p/main.c", true);
	expect_unbound(f, "/root/secret");
	expect_unbound(f, "/root/deep/secret");
}

static void a_home_in_tmp_is_shown(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/tmp/h/.profile");
	add_file(f, "/tmp/h/.aws/credentials");
	add_file(f, "/tmp/p/main.c");
	free(f->spec.project.root);
	f->spec.project.root = copy("/tmp/p");
	f->spec.env_home = copy("/tmp/h");
	compile_well(f);
	expect_host(f, "/tmp/h/.profile", false);
	expect_unbound(f, "/tmp/h/.aws");
	assert_false(see(f, "/tmp/h").writable);
	expect_host(f, "/tmp/p/main.c", true);
}

static void a_read_only_project_is_shown_and_not_written(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/other/x/file");
	free(f->spec.project.root);
	f->spec.project.root = copy("/home/other/x");
	f->spec.project.read_only = true;
	f->spec.project.reason = copy("test");
	compile_well(f);
	expect_host(f, "/home/other/x/file", false);
	assert_null(strstr(f->text.data, "landlock rw  /home/other"));
	assert_int_equal(f->image.protect_miss.count, 0);
}

static void the_home_as_project_hides_what_it_hides_else(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.aws/credentials");
	add_file(f, "/home/u/notes");
	free(f->spec.project.root);
	f->spec.project.root = copy("/home/u");
	f->spec.project.read_only = true;
	compile_well(f);
	expect_host(f, "/home/u/notes", false);
	expect_unbound(f, "/home/u/.aws");
}

static void a_hidden_project_is_not_shown(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.aws/credentials");
	free(f->spec.project.root);
	f->spec.project.root = copy("/home/u/.aws");
	f->spec.project.read_only = true;
	compile_well(f);
	expect_unbound(f, "/home/u/.aws");
}

static void names_of_any_bytes_survive(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/new\nline");
	add_file(f, "/home/u/\xff\xfe latin");
	add_link(f, "to\n\xff", "/home/u/li\tnk");
	compile_well(f);
	expect_host(f, "/home/u/new\nline", false);
	expect_host(f, "/home/u/\xff\xfe latin", false);
	expect_link(f, "/home/u/li\tnk");
}

static void special_files_of_a_skeleton_are_left_out(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *fifo = real(f, "/home/u/fifo");

	must(mkfifo(fifo, 0600));
	add_socket(f, "/home/u/socket");
	compile_well(f);
	expect_nothing(f, "/home/u/fifo");
	expect_nothing(f, "/home/u/socket");
}

static void a_home_of_three_thousand_entries_fits(void **state)
{
	struct fixture *f = *state;

	add_many(f, "/home/u", "a file with a longer name ", 3000);
	compile_well(f);
	expect_host(f, "/home/u/a file with a longer name 2999", false);
	assert_true(f->image.plan.len < PLAN_SIZE_MAX);
}

static void a_home_that_is_too_large_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	add_many(f, "/home/u", "", 6100);
	assert_int_equal(compile(f), -E2BIG);
	assert_non_null(strstr(f->err.msg, "/home/u"));
}

static void generated_files_lie_over_the_hosts(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/etc/hosts");
	add_file(f, "/etc/nsswitch.conf");
	add_link(f, "../run/resolve/stub.conf", "/etc/resolv.conf");
	add_file(f, "/run/resolve/stub.conf");
	add_file(f, "/etc/ssh/ssh_config");
	add_file(f, "/etc/ssh/ssh_config.d/a.conf");
	add_file(f, "/etc/ssh/ssh_config.d/README");
	compile_well(f);
	expect_own(f, "/etc/hosts");
	expect_own(f, "/etc/nsswitch.conf");
	expect_own(f, "/run/resolve/stub.conf");
	expect_own(f, "/etc/ssh/ssh_config");
	expect_own(f, "/etc/ssh/ssh_config.d/a.conf");
	expect_host(f, "/etc/ssh/ssh_config.d/README", false);
	assert_true(has_line(f, "bind     ro opt watch inside  /etc/hosts <- "
				"/run/substrate/etc/hosts"));
}

static void a_link_in_etc_is_covered_where_it_leads(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/usr/share/static/hosts");
	add_link(f, "/usr/share/static/hosts", "/etc/hosts");
	compile_well(f);
	expect_own(f, "/usr/share/static/hosts");
}

static void a_missing_file_in_etc_needs_no_cover(void **state)
{
	struct fixture *f = *state;

	compile_well(f);
	assert_null(strstr(f->text.data, " /etc/hosts <-"));
}

static void root_gets_copies_of_etc_and_not_its_secrets(void **state)
{
	struct fixture *f = *state;

	f->spec.user.uid = f->spec.user.gid = 0;
	f->spec.caches = SPEC_CACHES_SHARED;
	f->squash = false;
	add_file(f, "/etc/passwd");
	add_file(f, "/etc/hosts");
	add_file(f, "/etc/shadow");
	add_file(f, "/etc/shadow-");
	add_file(f, "/etc/sudoers.d/x");
	add_file(f, "/etc/ssh/ssh_host_rsa_key");
	add_file(f, "/etc/ssh/ssh_config");
	add_dir(f, "/etc/apt");
	add_file(f, "/var/lib/dpkg/status");
	add_file(f, "/var/lib/mysql/data");
	compile_well(f);
	assert_true(has_line(f, "copy     opt  /etc/passwd <- /etc/passwd  [readonly]"));
	assert_true(has_line(f, "file      /etc/hosts  71 bytes  mode 0644"));
	expect_unbound(f, "/etc/shadow");
	expect_unbound(f, "/etc/shadow-");
	expect_unbound(f, "/etc/sudoers.d");
	expect_unbound(f, "/etc/ssh/ssh_host_rsa_key");
	expect_unbound(f, "/var/lib/mysql");
	expect_host(f, "/etc/ssh/ssh_config", false);
	expect_host(f, "/etc/apt", false);
	expect_host(f, "/var/lib/dpkg/status", false);
}

static void more_writable_paths_are_bound(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/srv/w/file");
	must(strv_add(&f->spec.write, "/srv/w"));
	compile_well(f);
	expect_host(f, "/srv/w/file", true);
}

static void a_writable_path_may_be_no_link_and_hold_nothing_hidden(void **state)
{
	struct fixture *f = *state;

	add_dir(f, "/srv/real");
	add_link(f, "real", "/srv/w");
	must(strv_add(&f->spec.write, "/srv/w"));
	assert_int_equal(compile(f), -EINVAL);
	strv_done(&f->spec.write);
	must(strv_add(&f->spec.write, "/home/u"));
	assert_int_equal(compile(f), -EINVAL);
	assert_non_null(strstr(f->err.msg, "is hidden"));
}

/** Is a guard's effect gone when it is left out, and is the rest there still? */
static void each_guard_can_be_left_out(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.aws/credentials");
	add_file(f, "/home/other/file");
	add_file(f, "/tmp/file");
	add_dir(f, "/home/u/p/.vscode");
	own_home(f);
	f->spec.guards_off = 1u << PLAN_GUARD_READONLY;
	compile_well(f);
	expect_host(f, "/usr/bin", true);
	assert_null(strstr(f->text.data, "seal      /  "));
	f->spec.guards_off = 1u << PLAN_GUARD_HIDE;
	compile_well(f);
	expect_host(f, "/home/u/.aws/credentials", false);
	expect_host(f, "/home/other/file", false);
	f->spec.guards_off = 1u << PLAN_GUARD_PROTECT;
	compile_well(f);
	expect_host(f, "/home/u/p/.vscode", true);
	assert_null(strstr(f->text.data, "[protect]"));
	f->spec.guards_off = 1u << PLAN_GUARD_PROC;
	compile_well(f);
	assert_null(strstr(f->text.data, "/proc/sys"));
	f->spec.guards_off = 1u << PLAN_GUARD_TMP;
	compile_well(f);
	expect_host(f, "/tmp/file", true);
	expect_own(f, "/run/substrate/world");
	f->spec.guards_off = 1u << PLAN_GUARD_DEV;
	compile_well(f);
	expect_host(f, "/dev", true);
	f->spec.guards_off = 1u << PLAN_GUARD_USERNS;
	compile_well(f);
	assert_null(strstr(f->text.data, "max_user_namespaces"));
	f->spec.guards_off = 1u << PLAN_GUARD_SECCOMP;
	compile_well(f);
	assert_null(strstr(f->text.data, "seccomp "));
	f->spec.guards_off = 1u << PLAN_GUARD_LANDLOCK;
	compile_well(f);
	assert_null(strstr(f->text.data, "landlock "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_system_is_bound_read_only),
		TEST(the_view_of_a_small_host),
		TEST(the_hash_names_the_plan),
		TEST(the_hash_of_the_spec_names_the_rules),
		TEST(own_places_hold_nothing_of_the_host),
		TEST(a_device_of_the_host_keeps_its_mode_and_owner),
		TEST(the_project_is_writable_where_it_lies),
		TEST(a_project_below_a_bound_directory_needs_no_skeleton),
		TEST(a_project_in_tmp_lies_in_fixed_directories),
		TEST(a_project_right_in_tmp_is_a_mount),
		TEST(a_project_in_a_closed_home_is_all_that_is_seen_of_it),
		TEST(a_home_in_tmp_is_shown),
		TEST(a_read_only_project_is_shown_and_not_written),
		TEST(the_home_as_project_hides_what_it_hides_else),
		TEST(a_hidden_project_is_not_shown),
		TEST(names_of_any_bytes_survive),
		TEST(special_files_of_a_skeleton_are_left_out),
		TEST(a_home_of_three_thousand_entries_fits),
		TEST(a_home_that_is_too_large_is_refused_by_name),
		TEST(generated_files_lie_over_the_hosts),
		TEST(a_link_in_etc_is_covered_where_it_leads),
		TEST(a_missing_file_in_etc_needs_no_cover),
		TEST(root_gets_copies_of_etc_and_not_its_secrets),
		TEST(more_writable_paths_are_bound),
		TEST(a_writable_path_may_be_no_link_and_hold_nothing_hidden),
		TEST(each_guard_can_be_left_out),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("world/image", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** Hidden paths: by name, through links, at other mounts, and sockets. */
#include "image_fixture.h"

static void credentials_are_never_bound(void **state)
{
	static const char *const secrets[] = {
		"/home/u/.ssh/id_rsa",
		"/home/u/.ssh/authorized_keys",
		"/home/u/.aws/credentials",
		"/home/u/.config/gh/hosts.yml",
		"/home/u/.netrc",
		"/home/u/.bash_history",
		"/home/u/.claude.json",
		"/home/u/.mozilla/firefox/x",
		"/sub/trace.jsonl",
		"/home/other/file",
		"/root/file",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		add_file(f, secrets[i]);
	add_file(f, "/home/u/.ssh/known_hosts");
	add_file(f, "/home/u/.config/git/config");
	add_file(f, "/home/u/.gitconfig");
	compile_well(f);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		expect_unbound(f, secrets[i]);
		expect_nothing(f, secrets[i]);
	}
	expect_host(f, "/home/u/.ssh/known_hosts", false);
	expect_host(f, "/home/u/.config/git/config", false);
	expect_host(f, "/home/u/.gitconfig", false);
}

/** What appears later in a skeleton stays invisible, so each of these must be one. */
static void what_may_appear_later_is_hidden_too(void **state)
{
	struct fixture *f = *state;

	add_dir(f, "/home/u/.ssh");
	add_dir(f, "/home/u/.config");
	add_dir(f, "/home/u/.local/share");
	compile_well(f);
	assert_true(strv_has(&f->image.skeletons, "/home"));
	assert_true(strv_has(&f->image.skeletons, "/home/u"));
	assert_true(strv_has(&f->image.skeletons, "/home/u/.ssh"));
	assert_true(strv_has(&f->image.skeletons, "/home/u/.config"));
	assert_true(strv_has(&f->image.skeletons, "/home/u/.local/share"));
}

static void a_name_that_is_not_there_makes_nothing(void **state)
{
	struct fixture *f = *state;

	compile_well(f);
	expect_nothing(f, "/home/u/.ssh");
	expect_nothing(f, "/home/u/.ssh/known_hosts");
	expect_nothing(f, "/home/u/.config");
}

static void a_hidden_link_hides_what_it_leads_to(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/dots/aws/credentials");
	add_file(f, "/home/u/dots/vimrc");
	add_file(f, "/data/keys/id_rsa");
	add_link(f, "dots/aws", "/home/u/.aws");
	add_link(f, "/data/keys/id_rsa", "/home/u/.ssh/id_rsa");
	compile_well(f);
	expect_unbound(f, "/home/u/dots/aws");
	expect_unbound(f, "/data/keys/id_rsa");
	expect_nothing(f, "/home/u/.aws");
	expect_nothing(f, "/home/u/.ssh/id_rsa");
	expect_host(f, "/home/u/dots/vimrc", false);
}

static void a_directory_that_is_a_link_is_followed(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/data/config/gh/hosts.yml");
	add_file(f, "/data/config/app/settings");
	add_file(f, "/data/ssh/id_rsa");
	add_file(f, "/data/ssh/known_hosts");
	add_link(f, "/data/config", "/home/u/.config");
	add_link(f, "../../data/ssh", "/home/u/.ssh");
	compile_well(f);
	expect_unbound(f, "/data/config/gh");
	expect_unbound(f, "/data/ssh/id_rsa");
	expect_link(f, "/home/u/.config");
	expect_host(f, "/data/config/app/settings", false);
	expect_host(f, "/data/ssh/known_hosts", false);
}

static void a_link_to_a_device_or_to_nothing_hides_nothing(void **state)
{
	struct fixture *f = *state;

	add_link(f, "/nowhere", "/home/u/.netrc");
	add_link(f, ".netrc", "/home/u/.npmrc");
	add_link(f, ".loop", "/home/u/.loop");
	add_link(f, ".loop/x", "/home/u/.config");
	compile_well(f);
	expect_nothing(f, "/home/u/.netrc");
	expect_host(f, "/usr/bin", false);
}

static void a_hidden_link_to_the_root_is_refused(void **state)
{
	struct fixture *f = *state;

	add_link(f, "/", "/home/u/.docker");
	assert_int_equal(compile(f), -EINVAL);
	assert_non_null(strstr(f->err.msg, "/home/u/.docker"));
}

static void both_homes_count(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/data/home/.netrc");
	add_file(f, "/data/home/file");
	add_file(f, "/home/u/.netrc");
	f->spec.env_home = copy("/data/home");
	compile_well(f);
	expect_unbound(f, "/data/home/.netrc");
	expect_unbound(f, "/home/u/.netrc");
	expect_host(f, "/data/home/file", false);
}

static void a_bind_mount_elsewhere_is_hidden_too(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.aws/credentials");
	add_file(f, "/mnt/home/u/.aws/credentials");
	add_file(f, "/mnt/home/u/notes");
	add_file(f, "/mnt/home/other/notes");
	add_file(f, "/mnt/aws/credentials");
	add_file(f, "/mnt/inner/x");
	add_mount(f, "8:1", "/", "/", "ext4");
	add_mount(f, "8:2", "/@home", "/home", "btrfs");
	add_mount(f, "8:2", "/@home", "/mnt/home", "btrfs");
	add_mount(f, "8:2", "/@home/u/.aws", "/mnt/aws", "btrfs");
	add_mount(f, "8:2", "/@home/u/.aws/sso", "/mnt/inner", "btrfs");
	compile_well(f);
	expect_unbound(f, "/mnt/home/u/.aws");
	expect_unbound(f, "/mnt/home/other");
	expect_unbound(f, "/mnt/aws");
	expect_unbound(f, "/mnt/inner");
	expect_host(f, "/mnt/home/u/notes", false);
}

static void mounts_of_the_kernel_are_hidden(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/srv/chroot/proc/1/environ");
	add_file(f, "/srv/chroot/etc/passwd");
	add_file(f, "/home/u/p/root/proc/1/environ");
	add_mount(f, "0:5", "/", "/srv/chroot/proc", "proc");
	add_mount(f, "0:5", "/", "/home/u/p/root/proc", "proc");
	compile_well(f);
	expect_unbound(f, "/srv/chroot/proc");
	expect_host(f, "/srv/chroot/etc/passwd", false);
	// In a project, which is bound whole, it is covered.
	expect_own(f, "/home/u/p/root/proc");
	expect_nothing(f, "/home/u/p/root/proc/1/environ");
}

static void sockets_of_the_host_are_left_out(void **state)
{
	struct fixture *f = *state;

	add_socket(f, "/srv/a/s");
	add_file(f, "/srv/a/file");
	add_socket(f, "/home/u/app/s");
	add_socket(f, "/home/u/p/s");
	add_socket(f, "/tmp/s");
	compile_well(f);
	expect_unbound(f, "/srv/a/s");
	expect_unbound(f, "/home/u/app/s");
	expect_host(f, "/srv/a/file", false);
	assert_true(strv_has(&f->image.skeletons, "/srv/a"));
	// In the project, which is bound whole, it is covered, once: a command may make one there.
	expect_own(f, "/home/u/p/s");
	assert_true(has_line(f, "bind     ro opt inside  /home/u/p/s <- "
				"/run/substrate/empty  [hide]"));
}

static void a_socket_behind_a_link_is_left_out(void **state)
{
	struct fixture *f = *state;

	add_socket(f, "/srv/a/s");
	add_link(f, "/srv/a", "/srv/b");
	free(f->host.sockets);
	f->host.sockets = copy("0: 2 0 10000 1 1 5 /srv/b/s\n0: 2 0 10000 1 1 5 /srv/none/s\n"
			       "0: 2 0 10000 1 1 5 @abstract\n0: 2 0 10000 1 1 5\nnonsense\n");
	compile_well(f);
	expect_unbound(f, "/srv/a/s");
	assert_false(strv_has(&f->image.skeletons, "/srv/none"));
}

static void a_socket_in_a_large_directory_is_covered(void **state)
{
	struct fixture *f = *state;

	add_many(f, "/srv/large", "", 1600);
	add_socket(f, "/srv/large/s");
	compile_well(f);
	assert_false(strv_has(&f->image.skeletons, "/srv/large"));
	expect_own(f, "/srv/large/s");
	assert_true(has_line(f, "bind     ro opt watch inside  /srv/large/s <- "
				"/run/substrate/empty  [hide]"));
}

static void a_flood_of_sockets_costs_their_directory(void **state)
{
	struct fixture *f = *state;

	add_many(f, "/srv/large", "", 1600);
	for (int i = 0; i < 80; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "/srv/large/s%d", i);
		add_socket(f, name);
	}
	compile_well(f);
	expect_unbound(f, "/srv/large");
}

/** A root daemon reads everything; what is closed to the world's user must not be opened by it. */
static void a_skeleton_opens_no_closed_directory(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *closed = real(f, "/srv/closed");

	add_file(f, "/srv/closed/file");
	add_socket(f, "/srv/closed/s");
	add_file(f, "/srv/open/file");
	add_socket(f, "/srv/open/s");
	must(chmod(closed, 0711));
	f->spec.user.uid = 4321;
	f->spec.user.gid = 4321;
	f->squash = false;
	compile_well(f);
	expect_unbound(f, "/srv/closed/file");
	expect_host(f, "/srv/open/file", false);
	f->spec.user.uid = getuid();
	f->spec.caches = SPEC_CACHES_SHARED;
	compile_well(f);
	expect_host(f, "/srv/closed/file", false);
}

/** `~/.ssh` may be a link to anywhere; that it has exceptions opens nothing there. */
static void an_exception_shows_nothing_that_another_rule_hides(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/root/.ssh/known_hosts");
	add_file(f, "/home/other/.ssh/config");
	add_link(f, "/root/.ssh", "/home/u/.ssh");
	compile_well(f);
	expect_unbound(f, "/root/.ssh/known_hosts");
}

static void a_second_name_of_the_home_stays(void **state)
{
	struct fixture *f = *state;

	add_dir(f, "/data/u");
	add_link(f, "/data/u", "/home/me");
	add_link(f, "/data", "/home/everybody");
	add_link(f, "/home/other", "/home/friend");
	free(f->spec.user.home);
	f->spec.user.home = copy("/data/u");
	compile_well(f);
	expect_link(f, "/home/me");
	expect_nothing(f, "/home/friend");
}

static void a_hidden_directory_seen_in_the_project_is_covered(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.aws/credentials");
	add_file(f, "/home/u/p/aws/credentials");
	add_mount(f, "8:1", "/", "/", "ext4");
	add_mount(f, "8:1", "/home/u/.aws", "/home/u/p/aws", "ext4");
	compile_well(f);
	expect_own(f, "/home/u/p/aws");
	expect_nothing(f, "/home/u/p/aws/credentials");
}

static void mail_is_hidden_from_all(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/var/mail/u");
	add_link(f, "../mail", "/var/spool/mail");
	add_file(f, "/var/spool/lpd/x");
	compile_well(f);
	expect_unbound(f, "/var/mail/u");
	expect_nothing(f, "/var/spool/mail");
	expect_host(f, "/var/spool/lpd/x", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(credentials_are_never_bound),
		TEST(what_may_appear_later_is_hidden_too),
		TEST(a_name_that_is_not_there_makes_nothing),
		TEST(a_hidden_link_hides_what_it_leads_to),
		TEST(a_directory_that_is_a_link_is_followed),
		TEST(a_link_to_a_device_or_to_nothing_hides_nothing),
		TEST(a_hidden_link_to_the_root_is_refused),
		TEST(both_homes_count),
		TEST(a_bind_mount_elsewhere_is_hidden_too),
		TEST(mounts_of_the_kernel_are_hidden),
		TEST(sockets_of_the_host_are_left_out),
		TEST(a_socket_behind_a_link_is_left_out),
		TEST(a_socket_in_a_large_directory_is_covered),
		TEST(a_flood_of_sockets_costs_their_directory),
		TEST(a_skeleton_opens_no_closed_directory),
		TEST(an_exception_shows_nothing_that_another_rule_hides),
		TEST(a_second_name_of_the_home_stays),
		TEST(a_hidden_directory_seen_in_the_project_is_covered),
		TEST(mail_is_hidden_from_all),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("world/hidden", tests, NULL, NULL);
}

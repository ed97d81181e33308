// SPDX-License-Identifier: Apache-2.0
/** Private caches. */
#include "image_fixture.h"

#define STORE "/sub/caches/default/human"

static void expect_cache(const struct fixture *f, const char *place, const char *name)
{
	AUTO(mem_free) char *source = str_format(STORE "/%s", name);
	AUTO(mem_free)
	char *line = str_format("bind     rw rec make  %s <- %s  [cache]", place, source);
	AUTO(mem_free) char *path = real(f, source);
	struct stat st;

	if (!has_line(f, line))
		fail_msg("no '%s' in:\n%s", line, f->text.data);
	must(lstat(path, &st));
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(st.st_uid, f->spec.user.uid);
}

static void the_hosts_cache_is_not_seen(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.cache/pip/wheel");
	own_home(f);
	compile_well(f);
	expect_cache(f, "/home/u/.cache", ".cache");
	expect_cache(f, "/home/u/go/pkg", "go+pkg");
	expect_unbound(f, "/home/u/.cache/pip/wheel");
	assert_true(has_line(f, "landlock rw  /home/u/.cache  [landlock]"));
	assert_true(strv_has(&f->image.skeletons, "/home/u"));
}

static void a_cache_has_its_place_where_the_host_has_a_link(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.aws/credentials");
	add_link(f, ".aws", "/home/u/.cache");
	own_home(f);
	compile_well(f);
	expect_cache(f, "/home/u/.cache", ".cache");
	expect_unbound(f, "/home/u/.aws");
}

static void a_link_out_of_the_home_leaves_the_cache_out(void **state)
{
	struct fixture *f = *state;

	add_dir(f, "/data/local/share");
	add_link(f, "/data/local", "/home/u/.local");
	add_dir(f, "/home/u/p/evil");
	add_link(f, "p/evil", "/home/u/go");
	own_home(f);
	compile_well(f);
	assert_null(strstr(f->text.data, "/data/local/share/pnpm"));
	assert_null(strstr(f->text.data, "/home/u/p/evil"));
	expect_cache(f, "/home/u/.cache", ".cache");
}

static void links_in_the_store_are_not_followed(void **state)
{
	struct fixture *f = *state;

	add_dir(f, STORE);
	add_link(f, "/home/u", STORE "/.cache");
	own_home(f);
	assert_true(compile(f) < 0);
	assert_non_null(strstr(f->err.msg, ".cache"));
}

static void a_name_that_leads_elsewhere_is_refused(void **state)
{
	struct fixture *f = *state;

	free(f->spec.agent);
	f->spec.agent = copy("..");
	assert_int_equal(compile(f), -EINVAL);
	free(f->spec.agent);
	f->spec.agent = copy("a/b");
	assert_int_equal(compile(f), -EINVAL);
}

static void programs_in_a_cache_are_the_hosts(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.cargo/bin/cargo");
	add_file(f, "/home/u/.cargo/registry/x");
	add_link(f, "/home/u/.ssh", "/home/u/.bun/bin");
	own_home(f);
	compile_well(f);
	expect_host(f, "/home/u/.cargo/bin/cargo", false);
	expect_unbound(f, "/home/u/.cargo/registry");
	assert_null(strstr(f->text.data, "/home/u/.bun/bin"));
}

/** A world may have put anything there; then its next world must still start. */
static void what_a_world_made_of_a_mount_point_stays(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.cargo/bin/cargo");
	add_file(f, "/home/u/.cargo/env");
	add_file(f, STORE "/.cargo/bin");
	add_link(f, "bin", STORE "/.cargo/env");
	own_home(f);
	compile_well(f);
	assert_null(strstr(f->text.data, "/home/u/.cargo/bin <-"));
	assert_null(strstr(f->text.data, "/home/u/.cargo/env <-"));
}

static void a_project_in_a_cache_is_found_there(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.cache/a/b/main.c");
	free(f->spec.project.root);
	f->spec.project.root = copy("/home/u/.cache/a/b");
	own_home(f);
	compile_well(f);
	expect_host(f, "/home/u/.cache/a/b/main.c", true);
	assert_true(has_line(f, "self     ro opt  /home/u/.cache/a"));
}

static void shared_caches_are_the_hosts(void **state)
{
	struct fixture *f = *state;

	add_file(f, "/home/u/.cache/pip/wheel");
	f->spec.caches = SPEC_CACHES_SHARED;
	own_home(f);
	compile_well(f);
	expect_host(f, "/home/u/.cache/pip/wheel", true);
	expect_nothing(f, "/home/u/.npm");
	f->spec.caches = SPEC_CACHES_PRIVATE;
	f->spec.guards_off = 1u << PLAN_GUARD_CACHE;
	compile_well(f);
	expect_host(f, "/home/u/.cache/pip/wheel", true);
}

static void a_home_of_somebody_else_gets_no_caches(void **state)
{
	struct fixture *f = *state;

	f->spec.user.uid = 4321;
	compile_well(f);
	assert_null(strstr(f->text.data, "[cache]"));
}

static void homes_below_tmp_have_caches(void **state)
{
	struct fixture *f = *state;

	add_dir(f, "/tmp/h/.config");
	free(f->spec.user.home);
	f->spec.user.home = copy("/tmp/h");
	own_home(f);
	compile_well(f);
	expect_cache(f, "/tmp/h/.cache", ".cache");
	assert_false(see(f, "/tmp/h").writable);
	assert_true(see(f, "/tmp/h/.cache").writable);
}

static void users_of_a_root_daemon_do_not_share(void **state)
{
	struct fixture *f = *state;

	if (f->spec.user.uid == 0)
		skip();
	f->squash = false;
	own_home(f);
	compile_well(f);

	AUTO(mem_free)
	char *line =
		str_format("bind     rw rec make  /home/u/.cache <- " STORE "+%u/.cache  [cache]",
			   f->spec.user.uid);

	assert_true(has_line(f, line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_hosts_cache_is_not_seen),
		TEST(a_cache_has_its_place_where_the_host_has_a_link),
		TEST(a_link_out_of_the_home_leaves_the_cache_out),
		TEST(links_in_the_store_are_not_followed),
		TEST(a_name_that_leads_elsewhere_is_refused),
		TEST(programs_in_a_cache_are_the_hosts),
		TEST(what_a_world_made_of_a_mount_point_stays),
		TEST(a_project_in_a_cache_is_found_there),
		TEST(shared_caches_are_the_hosts),
		TEST(a_home_of_somebody_else_gets_no_caches),
		TEST(homes_below_tmp_have_caches),
		TEST(users_of_a_root_daemon_do_not_share),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("world/cache", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** The host, looked at beneath a root that is not "/". */
#include "image_fixture.h"

static void links_are_resolved_within_the_root(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *found = NULL;
	AUTO(mem_free) char *above = NULL;
	char *none = NULL;

	add_file(f, "/a/b/file");
	add_link(f, "/a/b", "/link");
	add_link(f, "../../../../../a", "/a/up");
	add_link(f, "loop", "/loop");
	assert_int_equal(hostfs_real(&f->host, "/link/file", &found), 0);
	assert_string_equal(found, "/a/b/file");
	assert_int_equal(hostfs_real(&f->host, "/a/up", &above), 0);
	assert_string_equal(above, "/a");
	assert_int_equal(hostfs_real(&f->host, "/none", &none), -ENOENT);
	assert_int_equal(hostfs_real(&f->host, "/loop", &none), -ELOOP);
	assert_null(none);
}

static void a_stat_follows_nothing(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	add_file(f, "/a/file");
	add_link(f, "a", "/link");
	assert_int_equal(hostfs_stat(&f->host, "/link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(hostfs_stat(&f->host, "/link/file", &st), -ELOOP);
	assert_int_equal(hostfs_stat(&f->host, "/", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_true(hostfs_stat(&f->host, "/../etc", &st) < 0);
}

static void a_directory_is_listed_in_order(void **state)
{
	struct fixture *f = *state;
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};

	add_file(f, "/d/b");
	add_dir(f, "/d/a");
	add_link(f, "x", "/d/c");
	assert_int_equal(hostfs_list(&f->host, "/d", 3, &list), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.entries[0].name, "a");
	assert_true(S_ISDIR(list.entries[0].mode));
	assert_int_equal(list.entries[1].size, 2);
	assert_true(S_ISLNK(list.entries[2].mode));
	hostfs_dir_done(&list);
	assert_int_equal(hostfs_list(&f->host, "/d", 2, &list), -E2BIG);
	assert_int_equal(hostfs_list(&f->host, "/d/b", 2, &list), -ENOTDIR);
	add_link(f, "d", "/link");
	assert_true(hostfs_list(&f->host, "/link", 3, &list) < 0);
}

static void only_regular_files_are_read(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *fifo = real(f, "/fifo");
	size_t len = 0;

	add_file(f, "/file");
	add_link(f, "file", "/link");
	must(mkfifo(fifo, 0600));
	assert_int_equal(hostfs_read(&f->host, "/file", 2, &text, &len), 0);
	assert_int_equal(len, 2);
	assert_string_equal(text, "x\n");
	assert_int_equal(hostfs_read(&f->host, "/file", 1, &text, &len), -EINVAL);
	assert_int_equal(hostfs_read(&f->host, "/fifo", 9, &text, &len), -EINVAL);
	assert_int_equal(hostfs_read(&f->host, "/link", 9, &text, &len), -EINVAL);
}

static void a_link_has_a_text(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *text = NULL;
	char *none = NULL;

	add_link(f, "to/\xff", "/link");
	assert_int_equal(hostfs_link(&f->host, "/link", &text), 0);
	assert_string_equal(text, "to/\xff");
	assert_true(hostfs_link(&f->host, "/usr", &none) < 0);
	assert_null(none);
}

static void the_real_root_works_too(void **state)
{
	AUTO(hostfs_close) struct hostfs host = {.root_fd = -1};
	AUTO(mem_free) char *found = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(hostfs_open("/", &host, &err), 0);
	assert_int_equal(hostfs_read_tables(&host, &err), 0);
	assert_int_equal(hostfs_real(&host, "/usr/../usr/bin", &found), 0);
	assert_string_equal(found, "/usr/bin");
	assert_non_null(strstr(host.mounts, " - "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_are_resolved_within_the_root),
		TEST(a_stat_follows_nothing),
		TEST(a_directory_is_listed_in_order),
		TEST(only_regular_files_are_read),
		TEST(a_link_has_a_text),
		TEST(the_real_root_works_too),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("world/hostfs", tests, NULL, NULL);
}

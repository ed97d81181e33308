// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/path.h"
#include "unit.h"

#include <errno.h>

static void join_puts_one_slash_between(void **state)
{
	static const char *const rows[][3] = {
		{"a", "b", "a/b"}, {"/a/", "b", "/a/b"}, {"/", "b", "/b"},      {"/a", "/b", "/b"},
		{"", "b", "b"},    {"/a", "", "/a"},     {"a", "b/c", "a/b/c"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(mem_free) char *path = path_join(rows[i][0], rows[i][1]);

		assert_string_equal(path, rows[i][2]);
	}
}

static void parent_and_base_split_a_path(void **state)
{
	static const char *const rows[][3] = {
		{"/a/b", "/a", "b"},
		{"/a", "/", "a"},
		{"/", "/", ""},
		{"/a/b/c", "/a/b", "c"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(mem_free) char *parent = path_parent(rows[i][0]);

		assert_string_equal(parent, rows[i][1]);
		assert_string_equal(path_base(rows[i][0]), rows[i][2]);
	}
}

static void clean_paths_are_told_from_others(void **state)
{
	static const char *const good[] = {"/", "/a", "/a/b", "/...", "/.a", "/a..", "/..a/b."};
	static const char *const bad[] = {
		"", "a", ".", "//", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/..", "/./a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(path_is_clean(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(path_is_clean(bad[i]));
}

static void cleaning_resolves_dots_without_the_file_system(void **state)
{
	static const char *const rows[][2] = {
		{"/", "/"},
		{"//", "/"},
		{"/a/", "/a"},
		{"/a//b", "/a/b"},
		{"/a/./b/.", "/a/b"},
		{"/a/../b", "/b"},
		{"/..", "/"},
		{"/../../a", "/a"},
		{"/a/b/../../../c", "/c"},
		{"/a/b/..", "/a"},
		{"/a/..", "/"},
		{"/a/.../b", "/a/.../b"},
		{"/.a/..b/", "/.a/..b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(mem_free) char *path = path_clean(rows[i][0]);

		assert_string_equal(path, rows[i][1]);
		assert_true(path_is_clean(path));
	}
	assert_null(path_clean("a/b"));
	assert_null(path_clean(""));
}

static void within_compares_whole_components(void **state)
{
	(void)state;
	assert_true(path_within("/a", "/a"));
	assert_true(path_within("/a/b", "/a"));
	assert_false(path_within("/ab", "/a"));
	assert_false(path_within("/a", "/a/b"));
	assert_true(path_within("/", "/"));
	assert_true(path_within("/a", "/"));
	assert_true(path_below("/a/b", "/a"));
	assert_false(path_below("/a", "/a"));
	assert_false(path_below("/", "/"));
	assert_true(path_below("/a", "/"));
	assert_false(path_below("/ab", "/a"));
}

static void real_paths_have_no_links(void **state)
{
	AUTO(mem_free) char *path = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(path_real("/proc/self/../self/ns/../../..", &path, &err), 0);
	assert_string_equal(path, "/");

	char *other = NULL;

	assert_int_equal(path_real("/nonexistent/x", &other, &err), -ENOENT);
	assert_string_equal(err.msg, "/nonexistent/x: No such file or directory");
	assert_null(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(join_puts_one_slash_between),
		cmocka_unit_test(parent_and_base_split_a_path),
		cmocka_unit_test(clean_paths_are_told_from_others),
		cmocka_unit_test(cleaning_resolves_dots_without_the_file_system),
		cmocka_unit_test(within_compares_whole_components),
		cmocka_unit_test(real_paths_have_no_links),
	};

	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}

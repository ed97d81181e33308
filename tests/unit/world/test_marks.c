// SPDX-License-Identifier: Apache-2.0
#include "unit.h"
#include "world/marks.h"

static void places_are_found_again(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();

	(void)state;
	assert_non_null(marks_add(root, "/a/b/c", MARK_HIDE));
	assert_non_null(marks_add(root, "/a/b", MARK_SPLIT));
	assert_int_equal(marks_find(root, "/a/b/c")->bits, MARK_HIDE);
	assert_int_equal(marks_find(root, "/a/b")->bits, MARK_SPLIT);
	assert_ptr_equal(marks_find(root, "/"), root);
	assert_null(marks_find(root, "/a/bc"));
	assert_null(marks_find(root, "/a/b/c/d"));
	assert_null(marks_child(NULL, "a"));
}

static void children_are_sorted(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();
	const char *const names[] = {"/b", "/a", "/ab", "/c", "/aa"};
	const char *last = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(marks_add(root, names[i], 0));
	for (const struct mark *child = root->first; child; child = child->next) {
		assert_true(strcmp(last, child->name) < 0);
		last = child->name;
	}
	assert_string_equal(last, "c");
}

static void globs_hide_but_what_is_shown(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();
	const struct mark *dir;

	(void)state;
	assert_int_equal(marks_add_glob(root, "/h", "*_history"), 0);
	assert_int_equal(marks_add_glob(root, "/h", "x*y*z"), 0);
	assert_non_null(marks_add(root, "/h/my_history", MARK_SHOW));
	dir = marks_find(root, "/h");
	assert_true(marks_hides(dir, "bash_history"));
	assert_true(marks_hides(dir, "_history"));
	assert_true(marks_hides(dir, "xyz"));
	assert_true(marks_hides(dir, "xyyzyz"));
	assert_false(marks_hides(dir, "xzy"));
	assert_false(marks_hides(dir, "my_history"));
	assert_false(marks_hides(dir, "bash_history2"));
	assert_false(marks_hides(NULL, "x"));
}

static void what_forces_a_skeleton_is_known(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();

	(void)state;
	assert_non_null(marks_add(root, "/keep/x", MARK_KEEP));
	assert_non_null(marks_add(root, "/hide/x/y", MARK_HIDE));
	assert_non_null(marks_add(root, "/own", MARK_OWN));
	assert_non_null(marks_add(root, "/next/a", 0));
	assert_false(marks_splits(marks_find(root, "/keep")));
	assert_true(marks_splits(marks_find(root, "/hide")));
	assert_true(marks_splits(marks_find(root, "/hide/x")));
	assert_false(marks_splits(marks_find(root, "/hide/x/y")));
	assert_false(marks_splits(marks_find(root, "/own")));
	// A subtree is judged by itself, not by what follows it.
	assert_false(marks_splits(marks_find(root, "/next")));
	assert_true(marks_splits(root));
	assert_true(marks_keeps(marks_find(root, "/keep")));
	assert_false(marks_keeps(marks_find(root, "/own")));
	assert_true(marks_wants(marks_find(root, "/own")));
}

static void the_last_mark_on_the_way_decides(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();

	(void)state;
	assert_non_null(marks_add(root, "/tmp", MARK_OWN));
	assert_non_null(marks_add(root, "/tmp/h", MARK_SHOW));
	assert_non_null(marks_add(root, "/tmp/h/.aws", MARK_HIDE));
	assert_non_null(marks_add(root, "/tmp/h/p", MARK_KEEP));
	assert_int_equal(marks_add_glob(root, "/home", "*"), 0);
	assert_non_null(marks_add(root, "/home/u", MARK_SHOW));
	assert_int_equal(marks_state(root, "/usr"), 0);
	assert_int_equal(marks_state(root, "/tmp/x/y"), MARK_OWN);
	assert_int_equal(marks_state(root, "/tmp/h/x"), 0);
	assert_int_equal(marks_state(root, "/tmp/h/.aws/x"), MARK_HIDE);
	assert_int_equal(marks_state(root, "/tmp/h/p/x"), MARK_KEEP);
	assert_int_equal(marks_state(root, "/home"), 0);
	assert_int_equal(marks_state(root, "/home/v/x/y"), MARK_HIDE);
	assert_int_equal(marks_state(root, "/home/u/x"), 0);
}

static void the_first_hidden_path_below_is_named(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();

	(void)state;
	assert_non_null(marks_add(root, "/h/a/b", MARK_HIDE));
	assert_int_equal(marks_add_glob(root, "/i", "x*"), 0);

	AUTO(mem_free) char *hidden = marks_hidden_below(root, "/h");
	AUTO(mem_free) char *glob = marks_hidden_below(root, "/i");
	AUTO(mem_free) char *none = marks_hidden_below(root, "/h/a/b");
	AUTO(mem_free) char *other = marks_hidden_below(root, "/j");

	assert_string_equal(hidden, "/h/a/b");
	assert_string_equal(glob, "/i/x*");
	assert_null(none);
	assert_null(other);
}

static void a_place_knows_its_path(void **state)
{
	AUTO(marks_free) struct mark *root = marks_new();

	(void)state;

	AUTO(mem_free) char *path = marks_path(marks_add(root, "/a/b/c", 0));
	AUTO(mem_free) char *top = marks_path(root);

	assert_string_equal(path, "/a/b/c");
	assert_string_equal(top, "/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_found_again),
		cmocka_unit_test(children_are_sorted),
		cmocka_unit_test(globs_hide_but_what_is_shown),
		cmocka_unit_test(what_forces_a_skeleton_is_known),
		cmocka_unit_test(the_last_mark_on_the_way_decides),
		cmocka_unit_test(the_first_hidden_path_below_is_named),
		cmocka_unit_test(a_place_knows_its_path),
	};

	return cmocka_run_group_tests_name("world/marks", tests, NULL, NULL);
}

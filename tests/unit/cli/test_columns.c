// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "cli/columns.h"
#include "unit.h"
#include "json/value.h"

static void columns_are_aligned_without_blanks_at_the_end(void **state)
{
	AUTO(columns_done) struct columns table = {.count = 3};
	AUTO(buf_done) struct buf out = {0};

	(void)state;
	columns_add(&table, "A");
	columns_add(&table, "LONG");
	columns_add(&table, "C");
	columns_add(&table, "wide one");
	columns_add(&table, "b");
	columns_add(&table, "c");
	columns_add(&table, "");
	columns_add(&table, "d");
	columns_add(&table, "");
	columns_print(&table, &out);
	assert_string_equal(out.data, "A         LONG  C\n"
				      "wide one  b     c\n"
				      "          d\n");
}

static void width_is_counted_in_characters(void **state)
{
	AUTO(columns_done) struct columns table = {.count = 2};
	AUTO(buf_done) struct buf out = {0};

	(void)state;
	columns_add(&table, "\xc3\xa4\xc3\xb6"); // two characters, four bytes
	columns_add(&table, "x");
	columns_add(&table, "ab");
	columns_add(&table, "y");
	columns_print(&table, &out);
	assert_string_equal(out.data, "\xc3\xa4\xc3\xb6  x\nab  y\n");
}

static void members_are_escaped_and_cut(void **state)
{
	AUTO(columns_done) struct columns table = {.count = 3};
	AUTO(buf_done) struct buf out = {0};
	AUTO(value_free)
	json_t *object = json_pack("{s:s, s:s}", "evil", "\033[31mx\n", "long", "0123456789");

	(void)state;
	columns_member(&table, object, "evil", 100);
	columns_member(&table, object, "long", 6);
	columns_member(&table, object, "missing", 100);
	columns_print(&table, &out);
	assert_string_equal(out.data, "\\x1b[31mx\\x0a  012...  -\n");
}

static void a_missing_cell_makes_the_output_fail(void **state)
{
	AUTO(columns_done) struct columns table = {.count = 1};
	AUTO(buf_done) struct buf out = {0};

	(void)state;
	columns_take(&table, NULL);
	columns_print(&table, &out);
	assert_true(out.failed);
}

static void an_empty_table_prints_nothing(void **state)
{
	AUTO(columns_done) struct columns table = {.count = 2};
	AUTO(buf_done) struct buf out = {0};

	(void)state;
	columns_print(&table, &out);
	assert_int_equal(out.len, 0);
	assert_false(out.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_without_blanks_at_the_end),
		cmocka_unit_test(width_is_counted_in_characters),
		cmocka_unit_test(members_are_escaped_and_cut),
		cmocka_unit_test(a_missing_cell_makes_the_output_fail),
		cmocka_unit_test(an_empty_table_prints_nothing),
	};

	return cmocka_run_group_tests_name("cli/columns", tests, NULL, NULL);
}

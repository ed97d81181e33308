// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "unit.h"

static void pieces_are_appended_in_order(void **state)
{
	AUTO(buf_done) struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "one");
	buf_addc(&buf, ' ');
	buf_addf(&buf, "%d-%s", 2, "three");
	buf_add(&buf, "\0!", 2);
	assert_false(buf.failed);
	assert_int_equal(buf.len, 13);
	assert_memory_equal(buf.data, "one 2-three\0!", 14);
}

static void content_survives_growth_and_stays_terminated(void **state)
{
	AUTO(buf_done) struct buf buf = {0};

	(void)state;
	for (int i = 0; i < 100000; i++) {
		buf_addc(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.data[buf.len], '\0');
	}
	assert_int_equal(buf.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
}

static void room_is_counted_by_advance(void **state)
{
	AUTO(buf_done) struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "ab");

	char *at = buf_room(&buf, 1000);

	assert_ptr_equal(at, buf.data + 2);
	memset(at, 'c', 1000);
	buf_advance(&buf, 3);
	assert_string_equal(buf.data, "abccc");
	assert_int_equal(buf.len, 5);
}

static void consume_drops_from_the_front(void **state)
{
	AUTO(buf_done) struct buf buf = {0};

	(void)state;
	buf_consume(&buf, 5); // nothing there
	buf_adds(&buf, "abcdef");
	buf_consume(&buf, 0);
	assert_string_equal(buf.data, "abcdef");
	buf_consume(&buf, 2);
	assert_string_equal(buf.data, "cdef");
	buf_consume(&buf, 99);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
}

static void take_gives_text_and_empties(void **state)
{
	struct buf buf = {0};

	(void)state;
	char *empty = buf_take(&buf);

	assert_string_equal(empty, "");
	free(empty);
	buf_adds(&buf, "x");

	char *text = buf_take(&buf);

	assert_string_equal(text, "x");
	free(text);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.cap, 0);
}

static void failure_is_remembered_until_taken(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "kept");
	assert_null(buf_room(&buf, SIZE_MAX));
	assert_true(buf.failed);
	buf_adds(&buf, "not added");
	buf_addf(&buf, "%d", 1);
	buf_addc(&buf, 'c');
	assert_int_equal(buf.len, 4);
	assert_null(buf_take(&buf));
	assert_false(buf.failed);
	assert_null(buf.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_appended_in_order),
		cmocka_unit_test(content_survives_growth_and_stays_terminated),
		cmocka_unit_test(room_is_counted_by_advance),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(take_gives_text_and_empties),
		cmocka_unit_test(failure_is_remembered_until_taken),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}

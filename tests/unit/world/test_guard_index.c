// SPDX-License-Identifier: Apache-2.0
/** Reading a git index as git would. */
#include "unit.h"

#include "base/buf.h"
#include "world/guard_index.h"

#include <errno.h>

#define FILE_MODE 0100644U
#define LINK_MODE 0160000U
#define DIR_MODE 0040000U

static void add32(struct buf *buf, uint32_t value)
{
	const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
					(unsigned char)(value >> 8), (unsigned char)value};

	buf_add(buf, bytes, sizeof(bytes));
}

static void add16(struct buf *buf, unsigned value)
{
	buf_addc(buf, (char)(value >> 8));
	buf_addc(buf, (char)value);
}

static void add_zeros(struct buf *buf, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addc(buf, 0);
}

static void add_header(struct buf *buf, uint32_t version, uint32_t count)
{
	buf_add(buf, "DIRC", 4);
	add32(buf, version);
	add32(buf, count);
}

/** An entry of version 2 or 3 with a hash of `hash` bytes. */
static void add_entry(struct buf *buf, uint32_t mode, const char *path, size_t hash)
{
	size_t start = buf->len;
	size_t len = strlen(path);

	add_zeros(buf, 24);
	add32(buf, mode);
	add_zeros(buf, 12 + hash);
	add16(buf, len < 0xfff ? (unsigned)len : 0xfff);
	buf_add(buf, path, len);
	add_zeros(buf, 8 - (buf->len - start) % 8);
}

/** An entry of version 4: cut `strip` bytes of the path before, then add `text`. */
static void add_entry4(struct buf *buf, uint32_t mode, unsigned strip, const char *text,
		       size_t full_len)
{
	add_zeros(buf, 24);
	add32(buf, mode);
	add_zeros(buf, 12 + 20);
	add16(buf, (unsigned)full_len);
	buf_addc(buf, (char)strip);
	buf_add(buf, text, strlen(text) + 1);
}

static int parse(struct buf *buf, size_t hash, struct guard_index *ret)
{
	add_zeros(buf, hash);
	assert_false(buf->failed);
	return guard_index_parse(buf->data, buf->len, false, ret);
}

static void submodules_are_listed(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 2, 3);
	add_entry(&buf, FILE_MODE, "a", 20);
	add_entry(&buf, LINK_MODE, "lib/sub", 20);
	add_entry(&buf, FILE_MODE, "z", 20);
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_int_equal(index.links.count, 1);
	assert_string_equal(index.links.items[0], "lib/sub");
	assert_int_equal(index.dirs.count, 0);
}

static void a_sha256_index_is_read(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 2, 2);
	add_entry(&buf, FILE_MODE, "a", 32);
	add_entry(&buf, LINK_MODE, "sub", 32);
	assert_int_equal(parse(&buf, 32, &index), 0);
	assert_true(strv_has(&index.links, "sub"));
}

static void version_4_names_build_on_each_other(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 4, 3);
	add_entry4(&buf, FILE_MODE, 0, "lib/one", 7);
	add_entry4(&buf, LINK_MODE, 3, "sub", 7);
	add_entry4(&buf, LINK_MODE, 7, "x", 1);
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_int_equal(index.links.count, 2);
	assert_string_equal(index.links.items[0], "lib/sub");
	assert_string_equal(index.links.items[1], "x");
}

/** Git does not look at the number where there is no entry before. */
static void a_first_name_strips_nothing(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 4, 1);
	add_entry4(&buf, LINK_MODE, 9, "sub", 3);
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_true(strv_has(&index.links, "sub"));
}

static void sparse_directories_are_listed(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 2, 1);
	add_entry(&buf, DIR_MODE, "deep/", 20);
	buf_add(&buf, "sdir", 4);
	add32(&buf, 0);
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_string_equal(index.dirs.items[0], "deep/");
}

static void a_split_index_names_the_shared_one(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 2, 1);
	add_entry(&buf, LINK_MODE, "", 20);
	buf_add(&buf, "link", 4);
	add32(&buf, 20);
	for (int i = 0; i < 20; i++)
		buf_addc(&buf, (char)0xab);
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_string_equal(index.shared, "abababababababababababababababababababab");
	assert_true(index.nameless_links);
}

/** Git may read entries from where the offset table points, past those in sequence. */
static void entries_of_the_offset_table_count(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};
	uint32_t hidden;

	(void)state;
	add_header(&buf, 2, 1);
	add_entry(&buf, FILE_MODE, "a", 20);
	buf_add(&buf, "JUNK", 4);
	add32(&buf, 72);
	hidden = (uint32_t)buf.len;
	add_entry(&buf, LINK_MODE, "hidden", 20);
	add_zeros(&buf, hidden + 72 - buf.len);
	buf_add(&buf, "IEOT", 4);
	add32(&buf, 12);
	add32(&buf, 1);
	add32(&buf, hidden);
	add32(&buf, 1);
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_true(strv_has(&index.links, "hidden"));
}

static void what_git_refuses_is_refused(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	assert_int_equal(guard_index_parse("", 0, false, &index), -EINVAL);
	assert_int_equal(guard_index_parse("DIRC", 4, false, &index), -EINVAL);
	add_header(&buf, 9, 0);
	assert_int_equal(parse(&buf, 20, &index), -EINVAL);
	buf.len = 0;
	add_header(&buf, 2, 7); // more than there are
	assert_int_equal(parse(&buf, 20, &index), -EINVAL);
}

static void a_table_that_repeats_everything_is_bounded(void **state)
{
	AUTO(buf_done) struct buf buf = {0};
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)state;
	add_header(&buf, 2, 1);
	add_entry(&buf, FILE_MODE, "a", 20);
	buf_add(&buf, "IEOT", 4);
	add32(&buf, 4 + 8 * 100000);
	add32(&buf, 1);
	for (int i = 0; i < 100000; i++) {
		add32(&buf, 12);
		add32(&buf, 1);
	}
	assert_int_equal(parse(&buf, 20, &index), 0);
	assert_true(index.truncated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submodules_are_listed),
		cmocka_unit_test(a_sha256_index_is_read),
		cmocka_unit_test(version_4_names_build_on_each_other),
		cmocka_unit_test(a_first_name_strips_nothing),
		cmocka_unit_test(sparse_directories_are_listed),
		cmocka_unit_test(a_split_index_names_the_shared_one),
		cmocka_unit_test(entries_of_the_offset_table_count),
		cmocka_unit_test(what_git_refuses_is_refused),
		cmocka_unit_test(a_table_that_repeats_everything_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

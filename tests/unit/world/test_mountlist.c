// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world/mountlist.h"

#include <fcntl.h>

static const char text[] = "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
			   "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n"
			   "30 27 254:0 /home/a\\040b /mnt/x\\012y\\134 rw - ext4 /dev/vda rw\n"
			   "nonsense\n"
			   "31 27 0:5 /\n"
			   "32 27 0:6 / relative rw - tmpfs none rw\n"
			   "33 27 0:7 / /mnt rw - tmpfs none rw\n"
			   "34 27 0:8 / /mnt rw - xfs none rw";

static void lines_are_read(void **state)
{
	AUTO(mountlist_done) struct mountlist list = {0};

	(void)state;
	assert_int_equal(mountlist_parse(text, &list), 0);
	assert_int_equal(list.count, 5);
	assert_string_equal(list.entries[0].type, "proc");
	assert_string_equal(list.entries[1].device, "254:0");
	assert_string_equal(list.entries[2].root, "/home/a b");
	assert_string_equal(list.entries[2].point, "/mnt/x\ny\\");
	assert_string_equal(list.entries[4].type, "xfs");
}

static void the_topmost_mount_shows_a_path(void **state)
{
	AUTO(mountlist_done) struct mountlist list = {0};

	(void)state;
	assert_int_equal(mountlist_parse(text, &list), 0);
	assert_string_equal(mountlist_of(&list, "/mnt/a")->type, "xfs");
	assert_string_equal(mountlist_of(&list, "/mnt")->type, "xfs");
	assert_string_equal(mountlist_of(&list, "/mntx")->type, "ext4");
	assert_string_equal(mountlist_of(&list, "/proc/1")->type, "proc");
}

static void an_empty_table_has_no_mounts(void **state)
{
	AUTO(mountlist_done) struct mountlist list = {0};

	(void)state;
	assert_int_equal(mountlist_parse("", &list), 0);
	assert_null(mountlist_of(&list, "/"));
}

static void the_kernels_file_systems_are_known(void **state)
{
	AUTO(mountlist_done) struct mountlist list = {0};

	(void)state;
	assert_int_equal(mountlist_parse(text, &list), 0);
	assert_true(mountlist_is_kernel(&list.entries[0]));
	assert_false(mountlist_is_kernel(&list.entries[1]));
}

static void the_real_table_is_understood(void **state)
{
	AUTO(mountlist_done) struct mountlist list = {0};
	AUTO(mem_free) char *table = NULL;
	struct error err = {0};
	size_t len, lines = 0;

	(void)state;
	assert_int_equal(
		fd_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &table, &len, &err), 0);
	for (size_t i = 0; i < len; i++)
		lines += table[i] == '\n';
	assert_int_equal(mountlist_parse(table, &list), 0);
	assert_int_equal(list.count, lines);
	assert_non_null(mountlist_of(&list, "/proc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(the_topmost_mount_shows_a_path),
		cmocka_unit_test(an_empty_table_has_no_mounts),
		cmocka_unit_test(the_kernels_file_systems_are_known),
		cmocka_unit_test(the_real_table_is_understood),
	};

	return cmocka_run_group_tests_name("world/mountlist", tests, NULL, NULL);
}

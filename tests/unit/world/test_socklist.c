// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world/socklist.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void paths_are_read(void **state)
{
	AUTO(strv_done) struct strv list = {0};
	static const char text[] =
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 20001 /run/a b\n"
		"0000000000000000: 00000002 00000000 00000000 0002 01 20002\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 20003 @abstract\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 20004 relative/x\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 20005 /x/../y\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 20006 /run/a b\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 20007 /last";

	(void)state;
	assert_int_equal(socklist_parse(text, &list), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0], "/run/a b");
	assert_string_equal(list.items[2], "/last");
}

static void odd_text_is_no_path(void **state)
{
	AUTO(strv_done) struct strv list = {0};

	(void)state;
	assert_int_equal(socklist_parse("", &list), 0);
	assert_int_equal(socklist_parse("\n\n a b c\n /x /y\n1 2 3 4 5 6 7 \n", &list), 0);
	assert_int_equal(list.count, 0);
}

static void a_real_socket_is_listed(void **state)
{
	AUTO(strv_done) struct strv list = {0};
	AUTO(mem_free) char *table = NULL;
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error err = {0};
	size_t len;

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test-socklist-%d",
		       getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/net/unix", 16 << 20, &table, &len, &err), 0);
	(void)unlink(address.sun_path);
	assert_int_equal(socklist_parse(table, &list), 0);
	assert_true(strv_has(&list, address.sun_path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_read),
		cmocka_unit_test(odd_text_is_no_path),
		cmocka_unit_test(a_real_socket_is_listed),
	};

	return cmocka_run_group_tests_name("world/socklist", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "client/dial.h"

#include "base/error.h"
#include "base/fd.h"
#include "http/fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(void **state)
{
	static struct fixture fixture;

	fixture_start(&fixture, 10);
	*state = &fixture;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static void check_connection(int fd)
{
	struct answer answer = {0};

	fixture_say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
	fixture_answer(fd, &answer);
	assert_string_equal(answer.body.data, "hello");
	fixture_answer_done(&answer);
}

static void the_daemon_is_reached(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = {0};
	AUTO(fd_close) int fd = -1;

	assert_int_equal(dial_daemon(fixture->dir, &fd, &err), 0);
	check_connection(fd);
}

static void a_long_path_is_no_hindrance(void **state)
{
	const struct fixture *fixture = *state;
	AUTO(buf_done) struct buf home = {0};
	struct error err = {0};
	AUTO(fd_close) int fd = -1;

	// Another name for the directory, longer than a socket's address.
	buf_adds(&home, fixture->dir);
	for (int i = 0; i < 100; i++)
		buf_adds(&home, "/.");
	assert_int_equal(dial_daemon(home.data, &fd, &err), 0);
	check_connection(fd);
}

static void a_path_of_just_the_wrong_length_is_no_hindrance(void **state)
{
	const struct fixture *fixture = *state;

	for (size_t len = 88; len < 100; len++) {
		AUTO(buf_done) struct buf home = {0};
		struct error err = {0};
		AUTO(fd_close) int fd = -1;

		buf_adds(&home, fixture->dir);
		while (home.len < len)
			buf_addc(&home, '/');
		assert_int_equal(dial_daemon(home.data, &fd, &err), 0);
	}
}

static void nobody_is_told_from_a_dead_daemon(void **state)
{
	char dir[] = "/tmp/test-dial.XXXXXX";
	char path[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error err = {0};
	int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(dial_daemon("/nonexistent/home", &fd, &err), -ENOENT);
	assert_int_equal(dial_daemon(dir, &fd, &err), -ENOENT);
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(dial_daemon(dir, &fd, &err), -ENOENT);

	int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent.sock", path);
	assert_int_equal(bind(stale, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(stale);
	assert_int_equal(dial_daemon(dir, &fd, &err), -ECONNREFUSED);
	assert_int_equal(fd, -1);
	(void)unlink(address.sun_path);
	(void)rmdir(path);
	(void)rmdir(dir);
}

static void a_listener_of_another_uid_is_refused(void **state)
{
	char dir[] = "/tmp/test-dial.XXXXXX";
	char path[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error err = {0};
	int hold[2];
	int told[2];
	int fd = -1;
	char byte;

	(void)state;
	assert_non_null(mkdtemp(dir));
	if (chown(dir, 65534, 65534) < 0) {
		(void)rmdir(dir);
		skip(); // only root can make one, and not in a world
	}
	assert_int_equal(chown(dir, geteuid(), getegid()), 0);
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent.sock", path);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(told), 0);

	pid_t pid = fork();

	if (pid == 0) {
		int listener = socket(AF_UNIX, SOCK_STREAM, 0);

		(void)close(hold[1]);
		if (setuid(65534) < 0 ||
		    bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		    listen(listener, 1) < 0)
			_exit(1);
		(void)!write(told[1], "x", 1);
		(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	(void)close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(dial_daemon(dir, &fd, &err), -EACCES);
	assert_non_null(strstr(err.msg, "65534"));
	(void)close(hold[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)unlink(address.sun_path);
	(void)rmdir(path);
	(void)rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_daemon_is_reached),
		cmocka_unit_test(a_long_path_is_no_hindrance),
		cmocka_unit_test(a_path_of_just_the_wrong_length_is_no_hindrance),
		cmocka_unit_test(nobody_is_told_from_a_dead_daemon),
		cmocka_unit_test(a_listener_of_another_uid_is_refused),
	};

	return cmocka_run_group_tests_name("client/dial", tests, start, stop);
}

// SPDX-License-Identifier: Apache-2.0
#include "http/peer.h"

#include "base/error.h"
#include "base/fd.h"
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/** A listening socket with an address of the kernel's choice. */
static int listen_somewhere(struct sockaddr_un *address, socklen_t *size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	*size = sizeof(*address);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)address, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, size), 0);
	return fd;
}

/** What a child does before it connects; false: the system does not let it. */
typedef bool prepare_fn(void);

static bool nothing(void)
{
	return true;
}

static bool enter_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool become_nobody(void)
{
	return setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0;
}

/** Connect from a child; it lives until `hold` is closed.  Returns its pid. */
static pid_t connect_from_child(const struct sockaddr_un *address, socklen_t size,
				prepare_fn *prepare, int hold[2])
{
	pid_t pid = fork();
	char byte;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)close(hold[1]);

	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!prepare() || connect(fd, (const struct sockaddr *)address, size) < 0)
		_exit(1);
	(void)!read(hold[0], &byte, 1);
	_exit(0);
}

typedef int check_fn(const struct peer_self *self, int fd, struct peer *ret, struct error *err);

/** Judge a child's connection.  Returns 1 when the child could not be prepared. */
static int judge(prepare_fn *prepare, bool dead, check_fn *check, struct error *err)
{
	struct peer_self self;
	struct sockaddr_un address;
	socklen_t size;
	struct peer peer = {.pidfd = -1};
	int hold[2];
	int status;

	assert_int_equal(peer_self_read(&self, err), 0);
	assert_int_equal(pipe(hold), 0);

	AUTO(fd_close) int listener = listen_somewhere(&address, &size);
	pid_t pid = connect_from_child(&address, size, prepare, hold);

	(void)close(hold[0]);
	if (dead || prepare != nothing) {
		// A child that fails to prepare never connects, and accept() would wait for ever.
		(void)fd_set_nonblock(listener, 1);
	}

	int fd = -1;

	for (int i = 0; i < 2000 && fd < 0; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && waitpid(pid, &status, WNOHANG) == pid) {
			(void)close(hold[1]);
			return 1;
		}
		if (fd < 0)
			(void)usleep(1000);
	}
	assert_true(fd >= 0);
	if (dead) {
		(void)close(hold[1]);
		hold[1] = -1;
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}

	int r = check(&self, fd, &peer, err);

	if (r == 0) {
		assert_int_equal(peer.pid, pid);
		assert_int_equal(peer.uid, geteuid());
		assert_true(peer.pidfd >= 0);
	} else {
		assert_int_equal(peer.pidfd, -1);
	}
	peer_done(&peer);
	(void)close(fd);
	if (!dead) {
		(void)close(hold[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	return r;
}

static check_fn *const checks[] = {peer_check, peer_check_by_pid};

static void a_process_like_us_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct error err = {0};

		assert_int_equal(judge(nothing, false, checks[i], &err), 0);
	}
}

static void one_in_another_user_namespace_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct error err = {0};
		int r = judge(enter_user_namespace, false, checks[i], &err);

		if (r == 1)
			skip();
		assert_int_equal(r, -EACCES);
		assert_non_null(strstr(err.msg, "namespace"));
	}
}

static void one_of_another_uid_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct error err = {0};
		int r = judge(become_nobody, false, checks[i], &err);

		if (r == 1)
			skip();
		assert_int_equal(r, -EACCES);
		assert_non_null(strstr(err.msg, "uid 65534"));
	}
}

static void one_that_has_ended_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct error err = {0};

		assert_int_equal(judge(nothing, true, checks[i], &err), -EACCES);
	}
}

static void one_in_another_pid_namespace_is_refused(void **state)
{
	struct sockaddr_un address;
	socklen_t size;
	struct peer_self self;
	struct error err = {0};
	struct peer peer = {.pidfd = -1};
	int hold[2];
	int told[2];
	int status;
	char byte = 'x';

	(void)state;
	assert_int_equal(peer_self_read(&self, &err), 0);
	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(told), 0);

	AUTO(fd_close) int listener = listen_somewhere(&address, &size);
	pid_t outer = fork();

	if (outer == 0) {
		if (unshare(CLONE_NEWPID) < 0 || write(told[1], &byte, 1) != 1)
			_exit(2);
		(void)close(told[1]);

		pid_t pid = connect_from_child(&address, size, nothing, hold);

		(void)close(hold[0]);
		(void)close(hold[1]);
		_exit(waitpid(pid, &status, 0) == pid ? 0 : 1);
	}
	(void)close(hold[0]);
	(void)close(told[1]);
	if (read(told[0], &byte, 1) != 1) {
		(void)close(hold[1]);
		assert_int_equal(waitpid(outer, &status, 0), outer);
		skip(); // not allowed here
	}
	(void)close(told[0]);

	AUTO(fd_close) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	assert_int_equal(peer_check(&self, fd, &peer, &err), -EACCES);
	assert_non_null(strstr(err.msg, "pid namespace"));
	assert_int_equal(peer_check_by_pid(&self, fd, &peer, &err), -EACCES);
	(void)close(hold[1]);
	assert_int_equal(waitpid(outer, &status, 0), outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_like_us_is_accepted),
		cmocka_unit_test(one_in_another_user_namespace_is_refused),
		cmocka_unit_test(one_of_another_uid_is_refused),
		cmocka_unit_test(one_that_has_ended_is_refused),
		cmocka_unit_test(one_in_another_pid_namespace_is_refused),
	};

	return cmocka_run_group_tests_name("http/peer", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** Starting init: what is refused and why, what is left behind, what --probe says. */
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"
#include "world_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static int setup(void **state)
{
	fixture_dirs(&fixture, &(struct fixture_options){0});
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_stop(*state);
	return 0;
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

/** Start with a plan of these bytes; what init says.  The world is not kept. */
static int launch_bytes(const char *bytes, size_t size, bool seal, struct error *err)
{
	AUTO(fd_close) int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	siginfo_t info = {0};

	assert_int_equal(fd_write_full(fd, bytes, size), 0);
	if (seal)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK),
				 0);

	const struct launch_request req = {
		.init_path = fixture_init(&fixture),
		.plan_fd = fd,
	};
	int r = launch_start(&req, &fixture.launch, err);

	if (r < 0)
		return r;
	fixture_expect(&fixture, CONTROL_FAILED);
	memcpy(err, fixture.packet.data, sizeof(*err));
	assert_int_equal(waitid(P_PIDFD, (id_t)fixture.launch.pidfd, &info, WEXITED), 0);
	assert_int_not_equal(info.si_status, 0);
	fixture.launch.pidfd = fd_close(fixture.launch.pidfd);
	fixture.launch.control_fd = fd_close(fixture.launch.control_fd);
	return -err->code;
}

static void a_plan_that_is_none_is_refused(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(launch_bytes("garbage that is no plan", 23, true, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "not a plan"));
	assert_int_equal(launch_bytes("", 0, true, &err), -EINVAL);
}

static void a_plan_that_could_still_change_is_refused(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(launch_bytes("garbage", 7, false, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "not sealed"));
}

static void a_plan_that_never_enters_its_root_is_refused(void **state)
{
	const struct plan_header head = {
		.magic = PLAN_MAGIC, .version = PLAN_VERSION, .size = sizeof(head) + 8};
	char blob[sizeof(head) + 8] = {0};
	struct error err = {0};

	(void)state;
	memcpy(blob, &head, sizeof(head));
	assert_int_equal(launch_bytes(blob, sizeof(blob), true, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "never enters"));
}

static void a_missing_program_is_told_and_leaves_nothing(void **state)
{
	unsigned before = count_fds();
	const struct launch_request req = {.init_path = "/no/such/init", .plan_fd = 0};
	struct launch launch = {.pidfd = -7};
	struct error err = {0};

	(void)state;
	assert_int_equal(launch_start(&req, &launch, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/no/such/init"));
	assert_int_equal(launch.pidfd, -7);
	assert_int_equal(count_fds(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_world_leaves_nothing_behind(void **state)
{
	unsigned before = count_fds();
	struct error err = {0};

	(void)state;
	assert_int_equal(fixture_try(&fixture, &(struct fixture_options){0}, &err), 0);
	assert_int_equal(count_fds(), before + 2); // the pidfd and the control socket
	fixture_stop(&fixture);
	assert_int_equal(count_fds(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	fixture_dirs(&fixture, &(struct fixture_options){0});
}

/** A daemon: starts a world, hands its control socket to the test, and waits to be killed. */
static void be_daemon(int to_test)
{
	struct error err = {0};
	const struct control_message msg = {
		.header = {.kind = CONTROL_GO},
		.fds = &fixture.launch.control_fd,
		.nfds = 1,
	};

	if (fixture_try(&fixture, &(struct fixture_options){0}, &err) < 0)
		_exit(1);
	if (control_send(to_test, &msg, &err) < 0)
		_exit(2);
	for (;;)
		(void)pause();
}

static void init_dies_with_the_daemon_though_its_socket_lives(void **state)
{
	struct fixture *f = *state;
	int pair[2];
	struct pollfd wait = {.events = 0}; // only POLLHUP

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);

	pid_t pid = fork();

	if (pid == 0)
		be_daemon(pair[1]);
	(void)close(pair[1]);
	f->launch.control_fd = pair[0];
	fixture_expect(f, CONTROL_GO);
	wait.fd = f->packet.fds[0];
	assert_int_equal(poll(&wait, 1, 0), 0); // it lives
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(poll(&wait, 1, 60000), 1);
	assert_true(wait.revents & POLLHUP);
	(void)close(wait.fd);
}

/** In a user namespace that allows no further one; exits 0 when the message says so. */
static void launch_where_none_is_allowed(void)
{
	const struct launch_request req = {.init_path = "/bin/true", .plan_fd = 0};
	struct launch launch;
	struct error err = {0};
	int fd;

	if (unshare(CLONE_NEWUSER) < 0)
		_exit(2);
	fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(3);
	if (launch_start(&req, &launch, &err) >= 0)
		_exit(4);
	if (!strstr(err.msg, "user.max_user_namespaces is 0") || !strstr(err.msg, "sysctl"))
		_exit(5);
	_exit(0);
}

static void a_host_without_user_namespaces_is_explained(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		launch_where_none_is_allowed();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void run_init(const char *arg, int out)
{
	const char *init = fixture_init(&fixture);

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execl(init, "substrate-init", arg, (char *)NULL);
	_exit(127);
}

static int output_of(const char *arg, char *ret, size_t size)
{
	int pair[2];
	int status = 0;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);

	pid_t pid = fork();

	if (pid == 0)
		run_init(arg, pair[1]);
	(void)close(pair[1]);

	ssize_t n = fd_read_full(pair[0], ret, size - 1);

	(void)close(pair[0]);
	assert_true(n >= 0);
	ret[n] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void the_probe_tells_each_mechanism(void **state)
{
	static const char *const names[] = {
		"userns",
		"mountns",
		"pidns",
		"netns",
		"ipcns",
		"utsns",
		"cgroupns",
		"proc",
		"seccomp",
		"landlock",
		"max_user_namespaces",
		"pid_max",
	};
	char out[4096];

	(void)state;
	assert_int_equal(output_of("--probe", out, sizeof(out)), 0);
	assert_memory_equal(out, "{\"version\": 1,", 14);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char member[64];

		(void)snprintf(member, sizeof(member), "\"%s\": {\"works\": ", names[i]);
		assert_non_null(strstr(out, member));
	}
	assert_string_equal(out + strlen(out) - 3, "}}\n");
}

static void init_started_by_hand_says_what_it_is_for(void **state)
{
	char out[1024];

	(void)state;
	assert_int_equal(output_of(NULL, out, sizeof(out)), 2);
	assert_non_null(strstr(out, "usage: substrate-init --probe"));
	assert_int_equal(output_of("--what", out, sizeof(out)), 2);
}

#define LAUNCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LAUNCH_TEST(a_plan_that_is_none_is_refused),
		LAUNCH_TEST(a_plan_that_could_still_change_is_refused),
		LAUNCH_TEST(a_plan_that_never_enters_its_root_is_refused),
		LAUNCH_TEST(a_missing_program_is_told_and_leaves_nothing),
		LAUNCH_TEST(a_world_leaves_nothing_behind),
		LAUNCH_TEST(init_dies_with_the_daemon_though_its_socket_lives),
		LAUNCH_TEST(a_host_without_user_namespaces_is_explained),
		LAUNCH_TEST(the_probe_tells_each_mechanism),
		LAUNCH_TEST(init_started_by_hand_says_what_it_is_for),
	};

	unit_needs_host();
	if (fixture_main(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests_name("sandbox/launch", tests, NULL, NULL);
}

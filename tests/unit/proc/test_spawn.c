// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "proc/spawn.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 8192

static char *const no_env[] = {NULL};

/** Reap; returns the exit status, or 1000 + the signal. */
static int reap(int pidfd)
{
	siginfo_t info = {0};

	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	return info.si_code == CLD_EXITED ? info.si_status : 1000 + info.si_status;
}

/** Start `req` with a pipe for descriptor 1, and read that until its end.  Returns as reap(). */
static int run_request(struct spawn_request *req, int *fds, char ret[static OUTPUT_MAX])
{
	struct error err = {0};
	AUTO(fd_close) int pidfd = -1;
	int pipefd[2];
	pid_t pid = 0;

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	fds[1] = pipefd[1];
	req->fds = fds;

	int r = spawn_start(req, &pid, &pidfd, &err);

	(void)close(pipefd[1]);
	if (r < 0) {
		(void)close(pipefd[0]);
		print_message("%s\n", err.msg);
		return r;
	}
	assert_true(pid > 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);

	ssize_t n = fd_read_full(pipefd[0], ret, OUTPUT_MAX - 1);

	(void)close(pipefd[0]);
	assert_true(n >= 0);
	ret[n] = '\0';
	return reap(pidfd);
}

/** The value of a "Name:\tvalue" line of /proc/PID/status, as a number in the given base. */
static unsigned long long status_value(const char *text, const char *name, int base)
{
	const char *line = strstr(text, name);

	assert_non_null(line);
	return strtoull(line + strlen(name), NULL, base);
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

/** execve() takes pointers to strings that are not const, but does not write through them. */
static char *const *as_argv(const char *const *list)
{
	char *const *argv;

	memcpy(&argv, &list, sizeof(argv));
	return argv;
}

#define ARGV(...) as_argv((const char *const[]){__VA_ARGS__, NULL})

static void arguments_and_environment_arrive(void **state)
{
	int fds[] = {-1, -1, -1};
	char output[OUTPUT_MAX];
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("name", "-c", "printf '%s|%s|%s' \"$0\" \"$1\" \"$VAR\"; exit 7",
			     "zero", "one two"),
		.envp = ARGV("VAR=value"),
		.nfds = 3,
	};

	(void)state;
	assert_int_equal(run_request(&req, fds, output), 7);
	assert_string_equal(output, "zero|one two|value");
}

static void only_the_given_descriptors_arrive(void **state)
{
	int fds[] = {-1, -1, -1, -1};
	char output[OUTPUT_MAX];
	AUTO(fd_close) int stray = open("/proc/version", O_RDONLY); // not CLOEXEC on purpose
	AUTO(fd_close) int high = fcntl(stray, F_DUPFD, 200);
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("sh", "-c", "readlink /proc/$$/fd/3; exec ls /proc/self/fd"),
		.envp = ARGV("PATH=/bin:/usr/bin"),
		.nfds = 4,
	};

	(void)state;
	assert_true(stray >= 0 && high >= 200);
	assert_int_equal(run_request(&req, fds, output), 0);
	assert_string_equal(output,
			    "/dev/null\n0\n1\n2\n3\n4\n"); // 4 is the directory that ls reads
}

static void descriptors_may_trade_places(void **state)
{
	char output[OUTPUT_MAX];
	int saved[2] = {fcntl(0, F_DUPFD_CLOEXEC, 10), fcntl(2, F_DUPFD_CLOEXEC, 10)};
	int a = memfd_create("first", MFD_CLOEXEC), b = memfd_create("second", MFD_CLOEXEC);
	int fds[] = {2, -1, 0, 2, a};
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("sh", "-c", "for i in 0 2 3 4; do readlink /proc/$$/fd/$i; done"),
		.envp = ARGV("PATH=/bin:/usr/bin"),
		.nfds = 5,
	};

	(void)state;
	assert_true(saved[0] >= 0 && saved[1] >= 0);
	(void)dup2(a, 0);
	(void)dup2(b, 2);

	int r = run_request(&req, fds, output);

	(void)dup2(saved[0], 0);
	(void)dup2(saved[1], 2);
	for (size_t i = 0; i < 2; i++)
		(void)close(saved[i]);
	(void)close(a);
	(void)close(b);
	assert_int_equal(r, 0);
	assert_string_equal(output, "/memfd:second (deleted)\n/memfd:first (deleted)\n"
				    "/memfd:second (deleted)\n/memfd:first (deleted)\n");
}

static void on_usr1(int signo)
{
	(void)signo;
}

static void signals_are_as_after_a_login(void **state)
{
	int fds[] = {-1, -1, -1};
	char output[OUTPUT_MAX];
	sigset_t set, saved, after;
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("sh", "-c", "exec cat /proc/self/status"),
		.envp = ARGV("PATH=/bin:/usr/bin"),
		.nfds = 3,
	};

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMIN);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &saved), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, on_usr1);

	int r = run_request(&req, fds, output);

	assert_int_equal(sigprocmask(SIG_SETMASK, &saved, &after), 0);
	assert_true(signal(SIGPIPE, SIG_DFL) == SIG_IGN); // the parent keeps its own
	assert_true(signal(SIGUSR1, SIG_DFL) == on_usr1);
	assert_true(sigismember(&after, SIGTERM) && !sigismember(&after, SIGINT));
	assert_int_equal(r, 0);
	assert_int_equal(status_value(output, "\nSigBlk:", 16), 0);
	assert_int_equal(status_value(output, "\nSigIgn:", 16), 0);
	assert_int_equal(status_value(output, "\nSigCgt:", 16), 0);
}

static void a_new_session_is_led_by_the_child(void **state)
{
	int fds[] = {-1, -1, -1};
	char output[OUTPUT_MAX];
	int pid = 0, pgrp = 0, session = 0;
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("sh", "-c", "read -r a b c d e f g </proc/$$/stat; echo $$ $e $f"),
		.envp = no_env,
		.nfds = 3,
		.new_session = true,
	};

	(void)state;
	assert_int_equal(run_request(&req, fds, output), 0);
	assert_int_equal(sscanf(output, "%d %d %d", &pid, &pgrp, &session), 3);
	assert_int_equal(pgrp, pid);
	assert_int_equal(session, pid);

	req.new_session = false;
	assert_int_equal(run_request(&req, fds, output), 0);
	assert_int_equal(sscanf(output, "%d %d %d", &pid, &pgrp, &session), 3);
	assert_int_equal(session, getsid(0));
}

static void capabilities_survive_in_a_new_user_namespace(void **state)
{
	int fds[] = {-1, -1, -1};
	char output[OUTPUT_MAX];
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("sh", "-c", "exec cat /proc/self/status"),
		.envp = ARGV("PATH=/bin:/usr/bin"),
		.nfds = 3,
		.clone_flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS,
		.keep_caps = true,
	};
	int r;

	(void)state;
	r = run_request(&req, fds, output);
	if (r == -EPERM || r == -ENOSPC) {
		print_message("user namespaces are not available here\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_true(status_value(output, "\nCapEff:", 16) & 1U << 21); // CAP_SYS_ADMIN
	assert_true(status_value(output, "\nCapAmb:", 16) == status_value(output, "\nCapEff:", 16));

	req.keep_caps = false;
	assert_int_equal(run_request(&req, fds, output), 0);
	assert_int_equal(status_value(output, "\nCapEff:", 16), 0);
}

/** In a child of the test: start a program tied to this process, then end. */
static void start_and_die(int out, int in)
{
	int fds[] = {in, out, -1};
	struct spawn_request req = {
		.path = "/bin/sh",
		.argv = ARGV("sh", "-c", "echo started; read -r line; echo survived"),
		.envp = no_env,
		.fds = fds,
		.nfds = 3,
		.die_with_parent = SIGKILL,
	};
	struct error err = {0};
	pid_t pid;
	int pidfd;

	_exit(spawn_start(&req, &pid, &pidfd, &err) == 0 ? 0 : 1);
}

static void a_tied_program_dies_with_its_parent(void **state)
{
	int out[2], in[2], status = 0;
	char output[64] = "";

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);

	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		start_and_die(out[1], in[0]);
	(void)close(out[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	// The program waits for a line that is never written, so only its death ends its output.
	assert_true(fd_read_full(out[0], output, sizeof(output) - 1) >= 0);
	assert_true(output[0] == '\0' || strcmp(output, "started\n") == 0);
	(void)close(out[0]);
	(void)close(in[0]);
	(void)close(in[1]);
}

static void a_failing_step_is_named_and_leaves_nothing(void **state)
{
	static const int fds[] = {-1, -1, -1};
	const int bad_fds[] = {-1, 987, -1};
	struct spawn_request req = {
		.path = "/nonexistent/program",
		.argv = ARGV("program"),
		.envp = no_env,
		.fds = fds,
		.nfds = 3,
	};
	struct error err = {0};
	pid_t pid = 12345;
	int pidfd = -1;
	size_t before = count_fds();

	(void)state;
	assert_int_equal(spawn_start(&req, &pid, &pidfd, &err), -ENOENT);
	assert_string_equal(err.msg,
			    "start /nonexistent/program: execve: No such file or directory");
	req.path = "/etc";
	assert_int_equal(spawn_start(&req, &pid, &pidfd, &err), -EACCES);
	req.path = "/bin/true";
	req.fds = bad_fds;
	assert_int_equal(spawn_start(&req, &pid, &pidfd, &err), -EBADF);
	assert_string_equal(err.msg, "start /bin/true: pass descriptors: Bad file descriptor");
	req.fds = fds;
	req.die_with_parent = 99;
	assert_int_equal(spawn_start(&req, &pid, &pidfd, &err), -EINVAL);
	assert_string_equal(err.msg, "start /bin/true: set death signal: Invalid argument");

	assert_int_equal(pid, 12345);
	assert_int_equal(pidfd, -1);
	assert_int_equal(count_fds(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_request_that_makes_no_sense_is_refused(void **state)
{
	const int fds[] = {-1, -1, -1}, negative[] = {-1, -2, -1};
	const struct spawn_request good = {
		.path = "/bin/true", .argv = ARGV("true"), .envp = no_env, .fds = fds, .nfds = 3};
	struct spawn_request bad[] = {good, good, good, good, good};
	struct error err = {0};
	pid_t pid;
	int pidfd = -1;

	(void)state;
	bad[0].path = "bin/true";
	bad[1].nfds = 2;
	bad[2].fds = negative;
	bad[3].clone_flags = CLONE_FILES;
	bad[4].clone_flags = CLONE_NEWTIME;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(spawn_start(&bad[i], &pid, &pidfd, &err), -EINVAL);
		assert_int_equal(pidfd, -1);
	}
	assert_int_equal(spawn_start(&good, &pid, &pidfd, &err), 0);
	assert_int_equal(reap(pidfd), 0);
	(void)close(pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_and_environment_arrive),
		cmocka_unit_test(only_the_given_descriptors_arrive),
		cmocka_unit_test(descriptors_may_trade_places),
		cmocka_unit_test(signals_are_as_after_a_login),
		cmocka_unit_test(a_new_session_is_led_by_the_child),
		cmocka_unit_test(capabilities_survive_in_a_new_user_namespace),
		cmocka_unit_test(a_tied_program_dies_with_its_parent),
		cmocka_unit_test(a_failing_step_is_named_and_leaves_nothing),
		cmocka_unit_test(a_request_that_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("proc/spawn", tests, NULL, NULL);
}

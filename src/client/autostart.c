// SPDX-License-Identifier: Apache-2.0
/**
 * Starting the daemon.
 *
 * How it works: the daemon gets a pipe as descriptor 3 and writes one line to it: "ok" when it
 * listens, "running PID" when another one has the lock, or why it cannot start.  It closes the pipe
 * in any case, also when it dies.
 */
#include "client/autostart.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/program.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_SIZE 512

/** The variables that the daemon gets. */
static int make_environment(const char *home, struct strv *env)
{
	static const char *const names[] = {"HOME", "SUBSTRATE_IDLE_EXIT", "PATH",
					    "XDG_RUNTIME_DIR", "LANG"};
	int r = strv_env_set(env, "SUBSTRATE_HOME", home);

	for (size_t i = 0; i < ARRAY_LEN(names) && r == 0; i++) {
		const char *value = getenv(names[i]);

		if (value)
			r = strv_env_set(env, names[i], value);
	}
	return r;
}

/** Start it.  The caller owns the read end of the pipe and the pidfd. */
static int start(const char *home, int *ret_ready, int *ret_pidfd, struct error *err)
{
	AUTO(mem_free) char *path = NULL;
	AUTO(strv_done) struct strv env = {0};
	int ends[2];
	pid_t pid;
	int r = program_find("substrated", &path, err);

	if (r < 0)
		return r;
	if (make_environment(home, &env) < 0)
		return error_oom(err);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "pipe2");

	AUTO(fd_close) int reader = ends[0];
	AUTO(fd_close) int writer = ends[1];
	const int fds[] = {-1, -1, STDERR_FILENO, writer};
	char *argv[] = {path, (char[]){"--ready-fd"}, (char[]){"3"}, NULL};
	const struct spawn_request request = {.path = path,
					      .argv = argv,
					      .envp = env.items,
					      .fds = fds,
					      .nfds = ARRAY_LEN(fds),
					      .new_session = true};

	r = spawn_start(&request, &pid, ret_pidfd, err);
	if (r < 0)
		return error_wrap(err, r, "start the daemon");
	*ret_ready = TAKE_FD(reader);
	return 0;
}

/** Milliseconds until `due_ns`, at least 0. */
static int remaining_ms(uint64_t due_ns)
{
	uint64_t now = clock_mono_ns();

	return now >= due_ns ? 0 : (int)((due_ns - now) / 1000000U) + 1;
}

/** Read what the daemon says, up to its end of line or the end of the pipe. */
static int read_line(int fd, uint64_t due_ns, char line[static LINE_MAX_SIZE], struct error *err)
{
	size_t len = 0;

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int ready = poll(&poll_fd, 1, remaining_ms(due_ns));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return error_errno(err, "wait for the daemon");
		if (ready == 0)
			return error_set(err, ETIMEDOUT, "the daemon does not get ready");

		ssize_t n = read(fd, line + len, LINE_MAX_SIZE - 1 - len);

		if (n < 0)
			return error_errno(err, "wait for the daemon");
		len += (size_t)n;
		line[len] = '\0';

		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (end || n == 0 || len == LINE_MAX_SIZE - 1)
			return 0;
	}
}

/** A daemon that did not stay ends at once; one that hangs is left to init. */
static void reap(int pidfd, uint64_t due_ns)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	siginfo_t info;

	if (poll(&poll_fd, 1, remaining_ms(due_ns)) > 0)
		(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
}

int autostart_daemon(const char *home, int timeout_ms, long *ret_holder, struct error *err)
{
	uint64_t due_ns = clock_mono_ns() + (uint64_t)timeout_ms * 1000000U;
	AUTO(fd_close) int ready = -1;
	AUTO(fd_close) int pidfd = -1;
	char line[LINE_MAX_SIZE] = "";
	int r = start(home, &ready, &pidfd, err);

	if (r == 0)
		r = read_line(ready, due_ns, line, err);
	if (r < 0)
		return r;
	if (str_same(line, "ok"))
		return 0;
	reap(pidfd, due_ns);
	if (str_starts(line, "running ")) {
		// A number that cannot be read is only missing in a message.
		if (str_to_long(line + strlen("running "), 0, INT_MAX, ret_holder) < 0)
			*ret_holder = 0;
		return AUTOSTART_RUNNING;
	}
	if (line[0] == '\0')
		return error_set(err, EIO,
				 "the daemon ended before it was ready; see %s/daemon.log", home);
	return error_set(err, EIO, "the daemon cannot start: %s", line);
}

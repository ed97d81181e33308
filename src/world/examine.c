// SPDX-License-Identifier: Apache-2.0
/** A child, a pipe, and at most 64 KiB of what it says. */
#include "world/examine.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MAX (64u << 10)
#define LIMIT_MS 10000

struct examine {
	struct loop_source source;
	struct timer timer;
	int pipe_fd, pidfd;
	struct buf text;
	void (*done)(const char *text, size_t len, const struct error *err, void *owner);
	void *owner;
};

static void examine_free(struct examine *examine)
{
	loop_remove(&examine->source);
	timer_stop(&examine->timer);
	(void)fd_close(examine->pipe_fd);
	(void)fd_close(examine->pidfd);
	buf_done(&examine->text);
	free(examine);
}

/** End the child, tell the owner, forget. */
static void examine_finish(struct examine *examine, const struct error *err)
{
	siginfo_t info;

	if (err)
		(void)pidfd_send_signal(examine->pidfd, SIGKILL, NULL, 0);
	(void)waitid(P_PIDFD, (id_t)examine->pidfd, &info, WEXITED);
	examine->done(examine->text.data, examine->text.len, err, examine->owner);
	examine_free(examine);
}

static void examine_late(struct timer *timer)
{
	struct examine *examine = container_of(timer, struct examine, timer);
	struct error err = {0};

	(void)error_set(&err, ETIMEDOUT, "the probe did not answer");
	examine_finish(examine, &err);
}

static int examine_readable(struct loop_source *src, uint32_t events, struct error *unused)
{
	struct examine *examine = container_of(src, struct examine, source);
	char *room = buf_room(&examine->text, 4096);
	ssize_t n = room ? read(examine->pipe_fd, room, 4096) : 0;
	struct error err = {0};

	(void)events;
	(void)unused;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && examine->text.len + (size_t)n < TEXT_MAX) {
		examine->text.len += (size_t)n;
		return 0;
	}
	if (n != 0 || examine->text.len == 0) {
		(void)error_set(&err, EPROTO, "the probe said nothing that can be read");
		examine_finish(examine, &err);
	} else {
		buf_addc(&examine->text, '\0');
		examine->text.len--;
		examine_finish(examine, NULL);
	}
	return 0;
}

int examine_start(struct loop *loop, const char *init_path,
		  void (*done)(const char *text, size_t len, const struct error *err, void *owner),
		  void *owner, struct error *err)
{
	char *argv[] = {(char[]){"substrate-init"}, (char[]){"--probe"}, NULL};
	char *envp[] = {NULL};
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "pipe");

	AUTO(fd_close) int reader = ends[0];
	AUTO(fd_close) int writer = ends[1];
	AUTO(fd_close) int pidfd = -1;
	const int fds[] = {-1, writer, 2};
	const struct spawn_request req = {
		.path = init_path, .argv = argv, .envp = envp, .fds = fds, .nfds = 3};
	struct examine *examine = calloc(1, sizeof(*examine));
	int r = examine ? spawn_start(&req, &pid, &pidfd, err) : error_oom(err);

	if (r < 0) {
		free(examine);
		return r;
	}
	*examine = (struct examine){
		.pipe_fd = TAKE_FD(reader), .pidfd = TAKE_FD(pidfd), .done = done, .owner = owner};
	r = loop_add(loop, &examine->source, examine->pipe_fd, EPOLLIN, examine_readable, err);
	if (r < 0) {
		(void)pidfd_send_signal(examine->pidfd, SIGKILL, NULL, 0);
		examine_free(examine);
		return r;
	}
	timer_start(loop, &examine->timer, LIMIT_MS, examine_late);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The parent's side of a start.
 *
 * How it works: clone() with CLONE_VFORK suspends this thread until the child has called
 * execve() or ended, so when it returns the child's report in struct spawn_child is final.  All
 * signals are blocked meanwhile: a handler must not run in the child, on memory it shares with
 * the parent.
 */
#include "proc/spawn.h"

#include "base/error.h"
#include "base/fd.h"
#include "proc/spawn_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE 65536U
#define SIGSET_BYTES 8 /**< The kernel's sigset_t. */
#define NAMESPACE_FLAGS \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | \
	 CLONE_NEWUSER | CLONE_NEWUTS)

static const char *const step_names[] = {
	[SPAWN_STEP_SIGNALS] = "reset signals",         [SPAWN_STEP_SESSION] = "setsid",
	[SPAWN_STEP_CAPS] = "keep capabilities",        [SPAWN_STEP_FDS] = "pass descriptors",
	[SPAWN_STEP_DEATH_SIGNAL] = "set death signal", [SPAWN_STEP_EXEC] = "execve",
};

static int check_request(const struct spawn_request *req, struct error *err)
{
	if (req->path[0] != '/')
		return error_set(err, EINVAL, "start %s: not an absolute path", req->path);
	if (req->nfds < 3 || req->nfds > INT_MAX / 2)
		return error_set(err, EINVAL, "start %s: %zu descriptors", req->path, req->nfds);
	if (req->clone_flags & ~(uint64_t)NAMESPACE_FLAGS)
		return error_set(err, EINVAL, "start %s: not a namespace flag", req->path);
	for (size_t i = 0; i < req->nfds; i++) {
		if (req->fds[i] < -1)
			return error_set(err, EINVAL, "start %s: descriptor %d", req->path,
					 req->fds[i]);
	}
	return 0;
}

/** Copy the wanted descriptors, /dev/null for -1; it is opened into *null_fd when needed. */
static int copy_fds(const struct spawn_request *req, int *fds, int *null_fd, struct error *err)
{
	for (size_t i = 0; i < req->nfds; i++) {
		fds[i] = req->fds[i];
		if (fds[i] >= 0)
			continue;
		if (*null_fd < 0)
			*null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (*null_fd < 0)
			return error_errno(err, "open /dev/null");
		fds[i] = *null_fd;
	}
	return 0;
}

/** clone() with every signal blocked, the two that glibc keeps for itself included. */
static pid_t run_child(struct spawn_child *child, char *stack, int *ret_pidfd)
{
	const uint64_t all = UINT64_MAX;
	uint64_t saved = 0;
	uint64_t flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | child->req->clone_flags;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &saved, SIGSET_BYTES) < 0)
		return -1;

	pid_t pid = clone(spawn_child_main, stack + STACK_SIZE, (int)flags, child, ret_pidfd);
	int code = errno;

	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &saved, NULL, SIGSET_BYTES);
	errno = code;
	return pid;
}

/** Reap the child that failed before or in execve(). */
static void reap(int pidfd)
{
	siginfo_t info;

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
}

int spawn_start(const struct spawn_request *req, pid_t *ret_pid, int *ret_pidfd, struct error *err)
{
	int r = check_request(req, err);

	if (r < 0)
		return r;

	AUTO(mem_free) int *fds = calloc(req->nfds, sizeof(*fds));
	AUTO(mem_free) char *stack = aligned_alloc(16, STACK_SIZE);
	AUTO(fd_close) int null_fd = -1;
	AUTO(fd_close) int pidfd = -1;

	if (!fds || !stack)
		return error_oom(err);
	r = copy_fds(req, fds, &null_fd, err);
	if (r < 0)
		return r;

	struct spawn_child child = {.req = req, .fds = fds, .parent = getpid()};
	pid_t pid = run_child(&child, stack, &pidfd);

	if (pid < 0)
		return error_errno(err, "start %s: clone", req->path);
	if (child.code != 0) {
		reap(pidfd);
		return error_set(err, child.code, "start %s: %s: %s", req->path,
				 step_names[child.step], strerror(child.code));
	}
	*ret_pid = pid;
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}

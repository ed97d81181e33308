// SPDX-License-Identifier: Apache-2.0
/**
 * Cloning a host tree for a living world.
 *
 * How it works: a mount can enter a namespace only as a detached tree that was made under the
 * same user namespace.  So a child joins the world's user namespace, takes a mount namespace
 * of its own (a copy of the daemon's, owned by the world's user namespace), and clones the
 * tree there.  It shares our memory and our descriptor table (CLONE_VM, CLONE_FILES), so the
 * descriptor is ours the moment it exists; nothing has to be passed.
 *
 * The child: Must: raw system calls only, end by _exit().  Must not: allocate, lock, log.
 */
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 32768U
#define CHILD_CODE __attribute__((no_sanitize("address", "thread")))

/** Shared with the child. */
struct clone_job {
	int pidfd;
	const char *source;
	const char *step; /**< What failed. */
	int code;         /**< Its errno, 0: nothing. */
	int tree;
};

CHILD_CODE static int fail(struct clone_job *job, const char *step)
{
	job->step = step;
	job->code = errno;
	return 1;
}

CHILD_CODE static int clone_child(void *arg)
{
	struct clone_job *job = arg;
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (syscall(SYS_setns, job->pidfd, CLONE_NEWUSER) < 0)
		return fail(job, "join the world's user namespace");
	if (syscall(SYS_unshare, CLONE_NEWNS) < 0)
		return fail(job, "copy the mount namespace");

	int fd = (int)syscall(SYS_openat2, AT_FDCWD, job->source, &how, sizeof(how));

	if (fd < 0)
		return fail(job, "open");
	job->tree =
		(int)syscall(SYS_open_tree, fd, "",
			     AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	int r = job->tree < 0 ? fail(job, "clone the tree") : 0;

	(void)syscall(SYS_close, fd);
	return r;
}

int launch_clone_tree(const struct launch *launch, const char *source, int *ret_tree_fd,
		      struct error *err)
{
	AUTO(mem_free) char *stack = aligned_alloc(16, STACK_BYTES);
	struct clone_job job = {.pidfd = launch->pidfd, .source = source, .tree = -1};
	int dumpable = prctl(PR_GET_DUMPABLE);
	sigset_t all, saved;

	if (!stack)
		return error_oom(err);
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &saved); // no handler of ours runs in the child

	pid_t pid = clone(clone_child, stack + STACK_BYTES,
			  CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &job);
	int code = errno;

	(void)sigprocmask(SIG_SETMASK, &saved, NULL);
	if (pid < 0)
		return error_set(err, code, "start a helper for %s: %s", source, strerror(code));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	// New credentials in the child reset this for the memory that it shared with us.
	if (dumpable == 1)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (job.code != 0)
		return error_set(err, job.code, "%s: %s: %s", source, job.step, strerror(job.code));
	if (job.tree < 0)
		return error_set(err, EINTR, "%s: the helper was killed", source);
	*ret_tree_fd = job.tree;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Between clone() and execve(), on the parent's memory.
 *
 * How it works: each step is a function that returns 0 or a positive errno value.  errno itself
 * is the parent's too, which is why the parent saves what it needs.  The handler table is a copy
 * (no CLONE_SIGHAND), the descriptor table as well (no CLONE_FILES).
 */
#include "proc/spawn_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_FAILED 127
#define SIGSET_BYTES 8 /**< The kernel's sigset_t. */
#define SIGNALS_MAX 64

/** The sanitizers would mark this frame's memory, which execve() never lets it clean up. */
#define CHILD_CODE __attribute__((no_sanitize("address", "thread")))

/** The kernel's struct sigaction; all zero means SIG_DFL. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

/** A raw call: 0 or more, or -errno. */
#define CALL(...) raw_result(syscall(__VA_ARGS__))

CHILD_CODE static long raw_result(long r)
{
	return r < 0 ? -errno : r;
}

/** Defaults for every signal, ignored ones included. */
CHILD_CODE static int reset_handlers(const struct spawn_child *child)
{
	const struct kernel_sigaction initial = {0};

	(void)child;
	// Refused for SIGKILL and SIGSTOP, which cannot have a handler anyway.
	for (int sig = 1; sig <= SIGNALS_MAX; sig++)
		(void)syscall(SYS_rt_sigaction, sig, &initial, NULL, SIGSET_BYTES);
	return 0;
}

CHILD_CODE static int start_session(const struct spawn_child *child)
{
	long r = child->req->new_session ? CALL(SYS_setsid) : 0;

	return r < 0 ? (int)-r : 0;
}

/** Make the permitted capabilities inheritable, then ambient, so that execve() keeps them. */
CHILD_CODE static int keep_caps(const struct spawn_child *child)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	long r = 0;

	if (!child->req->keep_caps)
		return 0;
	r = CALL(SYS_capget, &head, data);
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = data[i].permitted;
	if (r >= 0)
		r = CALL(SYS_capset, &head, data);
	for (unsigned cap = 0; r >= 0 && cap < 32 * _LINUX_CAPABILITY_U32S_3; cap++) {
		if (data[cap / 32].permitted & 1U << cap % 32)
			r = CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
	return r < 0 ? (int)-r : 0;
}

/**
 * Put fds[i] on descriptor i and close everything above.  Those that stand on a wanted number
 * are moved up first, so no copy overwrites one that is still needed.
 */
CHILD_CODE static int place_fds(const struct spawn_child *child)
{
	int count = (int)child->req->nfds;
	long r = 0;

	for (int i = 0; i < count && r >= 0; i++) {
		if (child->fds[i] >= count)
			continue;
		r = CALL(SYS_fcntl, child->fds[i], F_DUPFD_CLOEXEC, count);
		child->fds[i] = (int)r;
	}
	for (int i = 0; i < count && r >= 0; i++)
		r = CALL(SYS_dup3, child->fds[i], i, 0);
	if (r >= 0)
		r = CALL(SYS_close_range, count, UINT_MAX, 0);
	return r < 0 ? (int)-r : 0;
}

CHILD_CODE static int tie_to_parent(const struct spawn_child *child)
{
	if (child->req->die_with_parent == 0)
		return 0;

	long r = CALL(SYS_prctl, PR_SET_PDEATHSIG, child->req->die_with_parent, 0, 0, 0);

	if (r < 0)
		return (int)-r;
	// A parent that died before the call sends nothing.  In a new PID namespace it has no
	// number.
	if (!(child->req->clone_flags & CLONE_NEWPID) && CALL(SYS_getppid) != child->parent)
		return ESRCH;
	return 0;
}

CHILD_CODE static int exec_program(const struct spawn_child *child)
{
	const struct spawn_request *req = child->req;
	const uint64_t none = 0;

	// Last, because a stop signal that got through earlier would stall the parent.
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SIGSET_BYTES);
	return (int)-CALL(SYS_execve, req->path, req->argv, req->envp);
}

static int (*const steps[])(const struct spawn_child *child) = {
	[SPAWN_STEP_SIGNALS] = reset_handlers,
	[SPAWN_STEP_SESSION] = start_session,
	[SPAWN_STEP_CAPS] = keep_caps,
	[SPAWN_STEP_FDS] = place_fds,
	[SPAWN_STEP_DEATH_SIGNAL] = tie_to_parent,
	[SPAWN_STEP_EXEC] = exec_program,
};

CHILD_CODE int spawn_child_main(void *arg)
{
	struct spawn_child *child = arg;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		child->step = (enum spawn_step)i;

		int code = steps[i](child);

		if (code != 0) {
			child->code = code;
			break;
		}
	}
	return EXIT_FAILED;
}

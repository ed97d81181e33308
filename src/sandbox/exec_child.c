// SPDX-License-Identifier: Apache-2.0
/**
 * From clone() to execve(), on init's memory and with a command's credentials.
 *
 * The program is looked up as execvp() does it, but a directory of PATH is asked with
 * faccessat() first: an execve() of what is not there costs more.  No shell is tried for a file
 * without an interpreter line.
 */
#include "sandbox/exec_child_priv.h"

#include "sandbox/control.h"
#include "sandbox/job_priv.h"
#include "sandbox/terminal_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_FAILED 127
#define SIGSET_BYTES 8 /**< The kernel's sigset_t. */

/** The sanitizers would mark this frame's memory, which execve() never lets it clean up. */
#define CHILD_CODE __attribute__((no_sanitize("address", "thread")))

CHILD_CODE static int fail(struct job *job, enum control_step step, int code)
{
	job->step = step;
	job->code = code;
	return -1;
}

/**
 * A session of its own; on a terminal, whose session the holder leads, a process group of its own
 * in the foreground.  SIGTTOU is blocked, so the kernel lets us.
 */
CHILD_CODE static int lead(struct job *job)
{
	if (!job->terminal)
		return syscall(SYS_setsid) < 0 ? fail(job, CONTROL_STEP_SETUP, errno) : 0;
	if (syscall(SYS_setpgid, 0, 0) < 0)
		return fail(job, CONTROL_STEP_SETUP, errno);

	pid_t group = (pid_t)syscall(SYS_getpid);

	if (syscall(SYS_ioctl, job->fds[0], TIOCSPGRP, &group) < 0)
		return fail(job, CONTROL_STEP_SETUP, errno);

	const struct terminal_answer answer = {.pid = group};

	(void)!syscall(SYS_write, job->answer_fd, &answer, sizeof(answer));
	return 0;
}

/** fds[i] becomes i.  They are above 2 all: init's own 0 to 2 are never closed. */
CHILD_CODE static int place_fds(struct job *job)
{
	for (int i = 0; i < JOB_FDS; i++) {
		if (syscall(SYS_dup3, job->fds[job->terminal ? 0 : i], i, 0) < 0)
			return fail(job, CONTROL_STEP_SETUP, errno);
	}
	if (!job->keep_fds && syscall(SYS_close_range, JOB_FDS, ~0U, 0) < 0)
		return fail(job, CONTROL_STEP_SETUP, errno);
	return 0;
}

/** The descriptor goes with the child. */
CHILD_CODE static bool is_directory(const char *path)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC) >= 0;
}

/** execve(); an ENOENT of a file that is there means its interpreter, an EACCES maybe EISDIR. */
CHILD_CODE static int run(struct job *job, const char *path)
{
	const uint64_t none = 0;

	// When the program runs, nothing may be left of a candidate that did not.
	job->step = CONTROL_STEP_NONE;
	job->code = 0;
	// Last, because a stop signal that got through earlier would hold init's spawner up.
	(void)syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, SIGSET_BYTES);
	(void)syscall(SYS_execve, path, job->argv, job->envp);

	int code = errno;
	bool gone = (code == ENOENT || code == ENOTDIR) &&
		    syscall(SYS_faccessat, AT_FDCWD, path, F_OK) < 0;

	if (code == EACCES && is_directory(path))
		code = EISDIR;
	return fail(job, gone ? CONTROL_STEP_LOOKUP : CONTROL_STEP_EXEC, code);
}

/** "dir/name" into job->path.  False when it is too long. */
CHILD_CODE static bool join(struct job *job, const char *dir, size_t dir_len, const char *name,
			    size_t name_len)
{
	size_t at = 0;

	if (dir_len + name_len + 2 > sizeof(job->path))
		return false;
	for (size_t i = 0; i < dir_len; i++)
		job->path[at++] = dir[i];
	if (dir_len > 0)
		job->path[at++] = '/'; // an empty entry of PATH is the working directory
	for (size_t i = 0; i <= name_len; i++)
		job->path[at++] = name[i];
	return true;
}

/** Try job->path.  EACCES and ENOENT: the search goes on; anything else has ended it. */
CHILD_CODE static int try_candidate(struct job *job)
{
	if (syscall(SYS_faccessat, AT_FDCWD, job->path, X_OK) < 0)
		return errno == EACCES ? EACCES : ENOENT;
	(void)run(job, job->path);
	if (job->step == CONTROL_STEP_LOOKUP)
		return ENOENT;
	return job->code == EACCES || job->code == EISDIR ? EACCES : EINTR;
}

/** Look the name up in PATH.  A candidate that may not be executed is remembered, as EACCES. */
CHILD_CODE static int search(struct job *job)
{
	const char *name = job->argv[0];
	size_t name_len = strlen(name);
	bool denied = false;

	for (const char *dir = job->search; name_len > 0 && dir;) {
		size_t len = strcspn(dir, ":");
		int code = join(job, dir, len, name, name_len) ? try_candidate(job) : ENOENT;

		if (code == EINTR)
			return -1;
		denied = denied || code == EACCES;
		dir = dir[len] ? dir + len + 1 : NULL;
	}
	if (denied)
		return fail(job, CONTROL_STEP_EXEC, EACCES);
	return fail(job, CONTROL_STEP_LOOKUP, ENOENT);
}

CHILD_CODE int exec_child_main(void *arg)
{
	struct job *job = arg;

	if (lead(job) < 0 || place_fds(job) < 0)
		return EXIT_FAILED;
	(void)syscall(SYS_umask, job->umask);
	if (syscall(SYS_chdir, job->cwd) < 0)
		(void)fail(job, CONTROL_STEP_CWD, errno);
	else if (strchr(job->argv[0], '/'))
		(void)run(job, job->argv[0]);
	else
		(void)search(job);
	return EXIT_FAILED;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Terminals.
 *
 * How it works: the holder is a fork of init, so it is not dumpable: no process of the world can
 * trace it or open its descriptors.  It blocks all signals, keeps the slave and the pipe and closes
 * everything else, and starts the command with the spawner's own code.  A pipe of this job alone
 * brings the answer and ends when the program is executed.  From then on the holder only waits.
 *
 * At the end it takes the foreground back, so that the SIGHUP which the kernel sends when a session
 * leader ends reaches nobody: what the command left running stays, as after any command.
 *
 * Must: raw system calls only in the holder; it shares locks in unknown states with nobody.
 */
#include "sandbox/terminal_priv.h"

#include "base/fd.h"
#include "sandbox/control.h"
#include "sandbox/exec_child_priv.h"
#include "sandbox/job_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/** As in exec_child.c: this code runs in a process that no sanitizer knows of. */
#define HOLDER_CODE __attribute__((no_sanitize("address", "thread", "undefined")))

static int fail(struct job *job, int code)
{
	job->step = CONTROL_STEP_SETUP;
	job->code = code;
	return -1;
}

/* The holder --------------------------------------------------------------------------- */

/** Close all but three descriptors above 2. */
HOLDER_CODE static void close_others(int a, int b, int c)
{
	unsigned next = 3;

	while (next < ~0U) {
		unsigned kept = ~0U;

		if ((unsigned)a >= next)
			kept = (unsigned)a;
		if ((unsigned)b >= next && (unsigned)b < kept)
			kept = (unsigned)b;
		if ((unsigned)c >= next && (unsigned)c < kept)
			kept = (unsigned)c;
		if (kept > next)
			(void)syscall(SYS_close_range, next, kept == ~0U ? kept : kept - 1, 0);
		next = kept == ~0U ? kept : kept + 1;
	}
}

HOLDER_CODE static void take_foreground(int slave)
{
	pid_t group = (pid_t)syscall(SYS_getpid); // a session leader leads its group too

	(void)syscall(SYS_ioctl, slave, TIOCSPGRP, &group);
}

/** Start the command.  Returns its pid, or 0 with the job's step and code set. */
HOLDER_CODE static pid_t start_command(struct job *job, char *stack_top)
{
	if (syscall(SYS_setsid) < 0 || syscall(SYS_ioctl, job->fds[0], TIOCSCTTY, 0) < 0) {
		job->step = CONTROL_STEP_SETUP;
		job->code = errno;
		return 0;
	}

	pid_t pid = clone(exec_child_main, stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, job);

	if (pid < 0) {
		job->step = CONTROL_STEP_CLONE;
		job->code = errno;
		return 0;
	}
	return pid;
}

/** Tell init of each stop, and of the end. */
HOLDER_CODE static void wait_for_command(pid_t pid, int slave, int report_fd)
{
	struct terminal_report report = {.holder = (pid_t)syscall(SYS_getpid)};

	for (;;) {
		long got =
			syscall(SYS_wait4, pid, &report.status, WUNTRACED | __WALL, &report.usage);

		if (got < 0 && errno != EINTR)
			return;
		if (got < 0)
			continue;

		bool stopped = WIFSTOPPED(report.status);

		if (!stopped)
			take_foreground(slave);
		(void)!syscall(SYS_write, report_fd, &report, sizeof(report));
		if (!stopped)
			return;
	}
}

HOLDER_CODE static void hold(struct job *job, int report_fd, char *stack_top)
{
	int slave = job->fds[0];

	if (!job->keep_fds)
		close_others(slave, job->answer_fd, report_fd);

	pid_t pid = start_command(job, stack_top);
	const struct terminal_answer failure = {.step = job->step, .code = job->code};

	if (failure.step != CONTROL_STEP_NONE)
		(void)!syscall(SYS_write, job->answer_fd, &failure, sizeof(failure));
	(void)syscall(SYS_close, job->answer_fd);
	if (failure.step == CONTROL_STEP_NONE)
		wait_for_command(pid, slave, report_fd);
	(void)syscall(SYS_exit_group, 0);
}

/* The spawner -------------------------------------------------------------------------- */

/** The world's /dev/ptmx, as a command would open it: the slave belongs to its user. */
static int open_terminal(struct job *job)
{
	const struct winsize size = {.ws_row = job->rows, .ws_col = job->cols};
	int unlock = 0;

	job->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (job->master < 0 || ioctl(job->master, TIOCSPTLCK, &unlock) < 0)
		return fail(job, errno);
	job->fds[0] = ioctl(job->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (job->fds[0] < 0 || ioctl(job->master, TIOCSWINSZ, &size) < 0)
		return fail(job, errno);
	return 0;
}

/** Read the answer, to the end of the pipe.  A holder that was killed too early gives none. */
static void take_answer(struct job *job, int fd)
{
	struct terminal_answer answer;

	(void)fail(job, ESRCH);
	for (;;) {
		ssize_t n = read(fd, &answer, sizeof(answer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(answer))
			return;
		job->step = answer.step;
		job->code = answer.code;
		__atomic_store_n(&job->pid, answer.pid, __ATOMIC_RELEASE);
	}
}

void terminal_spawn(struct job *job, int report_fd, char *stack_top)
{
	int ends[2];

	if (open_terminal(job) < 0)
		return;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)fail(job, errno);
		return;
	}

	job->answer_fd = ends[1];
	// A fork: the library's own would take locks and run handlers.
	long pid = syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, NULL, &job->holder, NULL, 0);

	if (pid == 0)
		hold(job, report_fd, stack_top); // never returns
	(void)close(ends[1]);
	if (pid < 0) {
		job->step = CONTROL_STEP_CLONE;
		job->code = errno;
	} else {
		take_answer(job, ends[0]);
	}
	(void)close(ends[0]);
	job->fds[0] = fd_close(job->fds[0]);
}

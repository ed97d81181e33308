// SPDX-License-Identifier: Apache-2.0
/** Attacks that are system calls: namespaces, other processes, the kernel, terminals. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Namespaces --------------------------------------------------------------------------- */

/** What a clone returned: the child ends, the parent waits for it. */
static int after_clone(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -1;
	return waitpid((pid_t)pid, NULL, 0) < 0 ? -1 : 0;
}

static int clone_user(char **args)
{
	(void)args;
	return after_clone(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int clone3_user(char **args)
{
	struct clone_args how = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};

	(void)args;
	return after_clone(syscall(SYS_clone3, &how, sizeof(how)));
}

static int unshare_user(char **args)
{
	(void)args;
	return unshare(CLONE_NEWUSER);
}

static int unshare_mount(char **args)
{
	(void)args;
	return unshare(CLONE_NEWNS);
}

static int setns_path(char **args)
{
	int fd = open(args[0], O_RDONLY);

	return fd < 0 ? -1 : setns(fd, 0);
}

/* Other processes ---------------------------------------------------------------------- */

static int pidfd_getfd_of(char **args)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(args[0]), 0);

	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, atoi(args[1]), 0);
}

static int ptrace_pid(char **args)
{
	pid_t pid = atoi(args[0]);

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return -1;
	return (int)ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 && errno != ESRCH ? -1 : 0;
}

/** Leave a process with its limit of descriptors as it is, but set it. */
static int limit_pid(char **args)
{
	struct rlimit limit;
	pid_t pid = atoi(args[0]);

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		return -1;
	return prlimit(pid, RLIMIT_NOFILE, &limit, NULL);
}

/* The kernel --------------------------------------------------------------------------- */

static int io_uring(char **args)
{
	struct io_uring_params params = {0};

	(void)args;
	return (int)syscall(SYS_io_uring_setup, 4, &params);
}

static int user_fault(char **args)
{
	const int user_mode_only = 1;

	(void)args;
	return (int)syscall(SYS_userfaultfd, user_mode_only);
}

static int add_key(char **args)
{
	const int process_keyring = -2;

	return syscall(SYS_add_key, "user", args[0], "x", 1, process_keyring) < 0 ? -1 : 0;
}

/** getpid() through another table of system calls; the kernel may not have it. */
static int x32(char **args)
{
	(void)args;
#ifdef __x86_64__
	return syscall(0x40000000 + SYS_getpid) < 0 ? -1 : 0;
#else
	errno = ENOSYS;
	return -1;
#endif
}

static int i386(char **args)
{
	(void)args;
#ifdef __x86_64__
	long result = 20; // getpid() of i386

	signal(SIGSEGV, SIG_DFL); // a kernel without that table faults; a sanitizer would exit
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	if (result > 0)
		return 0;
	errno = (int)-result;
#else
	errno = ENOSYS;
#endif
	return -1;
}

/* Terminals ---------------------------------------------------------------------------- */

/** Type a text on a terminal. */
static int tiocsti(char **args)
{
	int fd = open(args[0], O_RDWR | O_NOCTTY);

	if (fd < 0)
		return -1;
	for (const char *at = args[1]; *at; at++) {
		if (ioctl(fd, TIOCSTI, at) < 0)
			return -1;
	}
	return 0;
}

const struct attack attack_calls[] = {
	{"clone-user", 0, clone_user},
	{"clone3-user", 0, clone3_user},
	{"unshare-user", 0, unshare_user},
	{"unshare-mount", 0, unshare_mount},
	{"setns", 1, setns_path},
	{"pidfd-getfd", 2, pidfd_getfd_of},
	{"ptrace", 1, ptrace_pid},
	{"limit", 1, limit_pid},
	{"io-uring", 0, io_uring},
	{"userfaultfd", 0, user_fault},
	{"add-key", 1, add_key},
	{"x32", 0, x32},
	{"i386", 0, i386},
	{"tiocsti", 2, tiocsti},
	{NULL, 0, NULL},
};

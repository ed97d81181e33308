// SPDX-License-Identifier: Apache-2.0
/**
 * Probing by trying.
 *
 * How it works: each attempt runs in a child, inside the namespaces it needs, with the id maps
 * that a world would have; the child reports an errno value by a pipe and ends, and with it all
 * that it made.
 */
#include "sandbox/probe.h"

#include "base/compiler.h"
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/landlock_priv.h"
#include "sandbox/launch_priv.h"
#include "sandbox/mounting_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNPRIVILEGED_UID 65534

/** One attempt: 0, or an errno value.  Runs in a child. */
typedef int attempt_fn(void);

/** What a child and its parent have between them. */
struct channel {
	int child, parent;
};

static int errno_of(long r)
{
	return r < 0 ? errno : 0;
}

/* Attempts ----------------------------------------------------------------------------- */

static int try_nothing(void)
{
	return 0;
}

static int try_mount(void)
{
	if (mounting_make_private() < 0)
		return errno;

	AUTO(fd_close) int tree = mounting_new("tmpfs", NULL, 0, 0);

	return errno_of(tree);
}

static int try_proc(void)
{
	AUTO(fd_close) int tree = mounting_new("proc", NULL, 0, 0);

	return errno_of(tree);
}

static int try_seccomp(void)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {.len = ARRAY_LEN(allow), .filter = allow};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return errno;
	return errno_of(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static int try_landlock(void)
{
	int abi = landlock_abi();

	if (abi == 0)
		return errno;

	AUTO(fd_close) int ruleset = landlock_new(abi);

	if (ruleset < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return errno;
	return errno_of(landlock_enter(ruleset));
}

/** As in build_state.c: not as the host's root, whom the mode of the file would let in. */
static int write_sysctl(const char *path, const char *value)
{
	if (geteuid() == 0 && (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0 ||
			       syscall(SYS_setresuid, -1, UNPRIVILEGED_UID, -1) < 0))
		return errno;

	AUTO(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? errno : errno_of(write(fd, value, strlen(value)));
}

static int try_max_user_namespaces(void)
{
	return write_sysctl("/proc/sys/user/max_user_namespaces", "0");
}

static int try_pid_max(void)
{
	return write_sysctl("/proc/sys/kernel/pid_max", "4096");
}

/* Running them ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int namespaces; /**< CLONE_NEW*, 0: none. */
	attempt_fn *attempt;
} attempts[] = {
	{"userns", CLONE_NEWUSER, try_nothing},
	{"mountns", CLONE_NEWUSER | CLONE_NEWNS, try_mount},
	{"pidns", CLONE_NEWUSER | CLONE_NEWPID, try_nothing},
	{"netns", CLONE_NEWUSER | CLONE_NEWNET, try_nothing},
	{"ipcns", CLONE_NEWUSER | CLONE_NEWIPC, try_nothing},
	{"utsns", CLONE_NEWUSER | CLONE_NEWUTS, try_nothing},
	{"cgroupns", CLONE_NEWUSER | CLONE_NEWCGROUP, try_nothing},
	{"proc", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, try_proc},
	{"seccomp", 0, try_seccomp},
	{"landlock", 0, try_landlock},
	{"max_user_namespaces", CLONE_NEWUSER, try_max_user_namespaces},
	{"pid_max", CLONE_NEWUSER | CLONE_NEWPID, try_pid_max},
};

/** The errno value that a process ended with, by its exit status. */
static int wait_code(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/** A new PID namespace is entered by a child only. */
static int run_below(attempt_fn *attempt)
{
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(attempt());
	return wait_code(pid);
}

/** The child: make the namespaces, have the maps written, try. */
static int run_child(int namespaces, attempt_fn *attempt, int parent)
{
	char byte = 0;

	if (namespaces && unshare(namespaces) < 0)
		return errno;
	if (namespaces && (write(parent, &byte, 1) != 1 || read(parent, &byte, 1) != 1))
		return EPERM; // the parent could not write the maps
	return namespaces & CLONE_NEWPID ? run_below(attempt) : attempt();
}

/** Errno values are below 256, so the exit status can carry one. */
static int run(int namespaces, attempt_fn *attempt)
{
	struct channel channel;
	struct error map_error = {0};
	int pair[2];
	char byte = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	channel = (struct channel){.parent = pair[0], .child = pair[1]};

	pid_t pid = fork();

	if (pid == 0) {
		(void)fd_close(channel.child);
		_exit(run_child(namespaces, attempt, channel.parent));
	}

	int code = errno;

	(void)fd_close(channel.parent);
	if (pid > 0 && read(channel.child, &byte, 1) == 1 &&
	    launch_maps_write(pid, &map_error) == 0)
		(void)send(channel.child, &byte, 1, MSG_NOSIGNAL);
	(void)fd_close(channel.child);
	if (pid < 0)
		return code;
	code = wait_code(pid);
	return code && map_error.code ? map_error.code : code;
}

static void print_code(char *text, size_t size, int code)
{
#ifdef __GLIBC__
	const char *name = strerrorname_np(code);
#else
	const char *name = NULL;
#endif

	(void)snprintf(text, size, "{\"works\": false, \"error\": \"%s\", \"reason\": \"%s\"}",
		       name ? name : "?", strerror(code));
}

int probe_run(int fd, struct error *err)
{
	int abi = landlock_abi();
	bool failed = dprintf(fd, "{\"version\": 1") < 0;

	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		char text[192];
		int code = run(attempts[i].namespaces, attempts[i].attempt);

		if (code != 0)
			print_code(text, sizeof(text), code);
		else if (attempts[i].attempt == try_landlock)
			(void)snprintf(text, sizeof(text), "{\"works\": true, \"abi\": %d}", abi);
		else
			(void)snprintf(text, sizeof(text), "{\"works\": true}");
		failed = failed || dprintf(fd, ",\n \"%s\": %s", attempts[i].name, text) < 0;
	}
	failed = failed || dprintf(fd, "}\n") < 0;
	return failed ? error_errno(err, "write") : 0;
}

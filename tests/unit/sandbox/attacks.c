// SPDX-License-Identifier: Apache-2.0
#include "attacks.h"

#include "base/compiler.h"

#include <asm/unistd.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int verdict(int got, const char *what)
{
	if (got)
		printf("GOT %s\n", what);
	else
		printf("refused\n");
	return 0;
}

/** Any hold over a process that shares init's memory. */
static const char *grab(pid_t pid)
{
	char byte[8];
	char path[64];
	struct iovec mine = {byte, sizeof(byte)};
	struct iovec theirs = {(void *)0x400000, sizeof(byte)};

	if (process_vm_readv(pid, &mine, 1, &theirs, 1, 0) >= 0 || errno == EFAULT)
		return "process_vm_readv";
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (open(path, O_RDWR | O_CLOEXEC) >= 0)
		return "mem";
	(void)snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	if (access(path, F_OK) == 0)
		return "root";
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/3", pid);
	if (open(path, O_RDWR | O_CLOEXEC) >= 0 || errno == ENXIO)
		return "fd";
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (open(path, O_RDONLY | O_CLOEXEC) >= 0)
		return "ns";
	return NULL;
}

static int attack_init(void)
{
	const char *got = grab(1);

	if (!got)
		got = grab(2); // the spawner
	if (!got &&
	    (ptrace(PTRACE_SEIZE, 1, NULL, NULL) == 0 || ptrace(PTRACE_SEIZE, 2, NULL, NULL) == 0))
		got = "ptrace";
	return verdict(got != NULL, got);
}

/** Is this a child of init that still has init's program? */
static int is_unborn(pid_t pid)
{
	char path[64];
	char comm[16] = {0};
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	(void)fclose(file);
	return strncmp(comm, "init", 4) == 0;
}

/** Watch for commands that are about to be executed, as fast as it goes, until stdin ends. */
static int attack_unborn(void)
{
	unsigned seen = 0;
	const char *got = NULL;
	char byte;

	(void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	printf("ready\n");
	(void)fflush(stdout);
	while (!got && read(STDIN_FILENO, &byte, 1) != 0) {
		DIR *dir = opendir("/proc");

		for (struct dirent *entry; dir && !got && (entry = readdir(dir));) {
			pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

			if (pid < 2 || pid == getpid() || !is_unborn(pid))
				continue;
			seen++;
			got = grab(pid);
			if (got && !is_unborn(pid))
				got = NULL; // it was executed meanwhile: fair game
		}
		if (dir)
			(void)closedir(dir);
	}
	printf("seen %s\n", seen ? "some" : "none");
	return verdict(got != NULL, got);
}

static int attack_kill(void)
{
	static const int signals[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGTERM, SIGCHLD, SIGHUP};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		(void)kill(1, signals[i]);
		(void)syscall(SYS_tgkill, 1, 1, signals[i]);
		(void)syscall(SYS_tgkill, 1, 2, signals[i]);
	}
	return verdict(0, "");
}

static int attack_limits(void)
{
	const struct rlimit few = {256, 256}; // init lives on

	return verdict(prlimit(1, RLIMIT_NOFILE, &few, NULL) == 0 ||
			       prlimit(2, RLIMIT_NOFILE, &few, NULL) == 0,
		       "a limit of init's");
}

static int attack_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	(void)syscall(SYS_capget, &head, data);

	uint32_t any = data[0].effective | data[1].effective | data[0].permitted |
		       data[1].permitted | data[0].inheritable | data[1].inheritable;

	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			any |= 1;
	}
	return verdict(any != 0, "a capability");
}

static int attack_mount(void)
{
	int got = mount("x", "/tmp", "tmpfs", 0, NULL) == 0 ||
		  mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 ||
		  umount2("/proc/sys", MNT_DETACH) == 0 || chroot("/tmp") == 0 ||
		  syscall(SYS_fsopen, "tmpfs", 0) >= 0 || syscall(SYS_pivot_root, ".", ".") == 0;

	return verdict(got, "a mount");
}

/** The kernel's struct clone_args, as far as it is needed. */
struct clone_request {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static int attack_namespaces(void)
{
	struct clone_request request = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	long pid;

	if (unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
		return verdict(1, "a user namespace by unshare");
	pid = syscall(SYS_clone3, &request, sizeof(request));
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		return verdict(1, "a user namespace by clone3");
	pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return verdict(pid > 0, "a user namespace by clone");
}

static int attack_keys(void)
{
	long ring = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user",
			    "substrate-test", 0);

	return verdict(ring >= 0, "a key of the daemon's session");
}

/** Open for writing only: what is the host's must not change if it is got. */
static int attack_core_pattern(void)
{
	return verdict(open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC) >= 0,
		       "core_pattern");
}

/** Another command of this world, started by the test: its pid is what the name ends with. */
static int attack_neighbour(const char *pid)
{
	pid_t other = (pid_t)strtol(pid, NULL, 10);

	if (ptrace(PTRACE_SEIZE, other, NULL, NULL) < 0)
		return verdict(0, "");
	if (kill(other, SIGTERM) < 0)
		return verdict(0, "");
	return verdict(1, "the neighbour");
}

static int attack_write(const char *path)
{
	return verdict(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) >= 0, path);
}

static const struct {
	const char *name;
	int (*run)(void);
} attacks[] = {
	{"init", attack_init},
	{"unborn", attack_unborn},
	{"kill", attack_kill},
	{"limits", attack_limits},
	{"capabilities", attack_capabilities},
	{"mount", attack_mount},
	{"namespaces", attack_namespaces},
	{"keys", attack_keys},
	{"core_pattern", attack_core_pattern},
};

int attacks_main(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "attack") != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		if (strcmp(attacks[i].name, argv[2]) == 0)
			return attacks[i].run();
	}
	if (strcmp(argv[2], "neighbour") == 0)
		return attack_neighbour(argv[3]);
	if (strcmp(argv[2], "write") == 0)
		return attack_write(argv[3]);
	printf("no attack is called %s\n", argv[2]);
	return 1;
}

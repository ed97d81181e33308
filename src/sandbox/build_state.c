// SPDX-License-Identifier: Apache-2.0
/** The operations on what is no file: kernel values, names, the network, users, confinement. */
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/build_priv.h"
#include "sandbox/landlock_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNPRIVILEGED_UID 65534

/** Open a value below /proc/sys for writing: of the world's procfs, else of the host's. */
static int open_sysctl(const struct build *build, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", name);

	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 || build->proc < 0)
		return fd;
	return openat(build->proc, path + strlen("/proc/"), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
}

/**
 * Must: open as a uid that is not the host's root.  The file of a value that this kernel does
 * not keep per namespace belongs to the host's root and its mode lets root write, whatever
 * the capabilities: `kernel.pid_max` before 6.14 would change the host.  As anybody else only
 * a capability over the world's own namespaces opens it.
 */
static int open_as_nobody(const struct build *build, const char *name)
{
	if (geteuid() != 0)
		return open_sysctl(build, name);
	// The capabilities stay: SECBIT_NO_SETUID_FIXUP is set.  Per thread, so by raw call.
	if (syscall(SYS_setresuid, -1, UNPRIVILEGED_UID, -1) < 0) {
		// Only root has a number here.  The values below user/ are always the namespace's
		// own.
		return strncmp(name, "user/", 5) == 0 ? open_sysctl(build, name) : -1;
	}

	int fd = open_sysctl(build, name);
	int code = errno;

	if (syscall(SYS_setresuid, -1, 0, -1) < 0 || syscall(SYS_setfsuid, build->uid) < 0) {
		(void)fd_close(fd);
		return -1;
	}
	errno = code;
	return fd;
}

int build_state_sysctl(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *name = plan_string(build->plan, op->path);
	AUTO(fd_close) int fd = open_as_nobody(build, name);

	if (fd < 0)
		return error_errno(err, "open");
	if (write(fd, build->plan->data + op->data, op->data_len) != (ssize_t)op->data_len)
		return error_errno(err, "write");
	if (strcmp(name, "kernel/pid_max") == 0)
		build->pids = true;
	return 0;
}

int build_state_hostname(struct build *build, const struct plan_op *op, struct error *err)
{
	if (sethostname(build->plan->data + op->data, op->data_len) < 0)
		return error_errno(err, "sethostname");
	return 0;
}

int build_state_loopback(struct build *build, const struct plan_op *op, struct error *err)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	AUTO(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)build;
	(void)op;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return error_errno(err, "bring lo up");
	return 0;
}

int build_state_user(struct build *build, const struct plan_op *op, struct error *err)
{
	// These two report no error: they return the value before, so ask once more.
	(void)syscall(SYS_setfsgid, op->gid);
	(void)syscall(SYS_setfsuid, op->uid);
	if (syscall(SYS_setfsgid, -1) != (long)op->gid ||
	    syscall(SYS_setfsuid, -1) != (long)op->uid)
		return error_set(err, EINVAL, "%u:%u has no number in this user namespace", op->uid,
				 op->gid);
	build->uid = op->uid;
	build->gid = op->gid;
	// A descriptor of a mount is O_PATH, which fchown() does not take.
	if (fchownat(build->root, "", op->uid, op->gid, AT_EMPTY_PATH) < 0)
		return error_errno(err, "chown the new root");
	return 0;
}

int build_state_landlock(struct build *build, const struct plan_op *op, struct error *err)
{
	AUTO(fd_close) int fd = build_open(build, plan_string(build->plan, op->path), O_PATH);

	if (fd < 0)
		return error_errno(err, "open");
	if (build->abi == 0)
		return 0; // reported in struct control_ready
	if (build->ruleset < 0)
		build->ruleset = landlock_new(build->abi);
	if (build->ruleset < 0)
		return error_errno(err, "make a ruleset");
	if (landlock_allow(build->ruleset, build->abi, fd, op->flags & PLAN_RW) < 0)
		return error_errno(err, "add a rule");
	return 0;
}

int build_state_seccomp(struct build *build, const struct plan_op *op, struct error *err)
{
	// The spawner loads it, last of all.
	free(build->filter);
	build->filter = malloc(op->data_len);
	if (!build->filter)
		return error_oom(err);
	memcpy(build->filter, build->plan->data + op->data, op->data_len);
	build->filter_bytes = op->data_len;
	return 0;
}

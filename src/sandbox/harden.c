// SPDX-License-Identifier: Apache-2.0
/**
 * Privileges of init's two threads.
 *
 * Credentials are per thread in the kernel; glibc's wrappers would change all of them, so every
 * call here is raw.
 *
 * Must: clear "dumpable" after every change of credentials, which may set it again, because the
 * child between clone and exec has init's memory and a command's uid: another command could
 * trace it.  The same changes clear the parent-death signal, so it is set again as well.
 * Must not: give the spawner anything back; the filter is loaded last, it may forbid the rest.
 */
#include "sandbox/harden_priv.h"

#include "base/error.h"
#include "sandbox/control.h"
#include "sandbox/landlock_priv.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/** For init: set*id leaves capabilities alone, ambient ones cannot be raised again. */
#define INIT_SECUREBITS \
	(SECBIT_NO_SETUID_FIXUP | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/** For commands: uid 0 is a number like any other. */
#define COMMAND_SECUREBITS \
	(INIT_SECUREBITS | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | \
	 SECBIT_KEEP_CAPS_LOCKED)

/** What mounting again, killing and opening below a user's directories take. */
#define MAIN_CAPS \
	(1ULL << CAP_SYS_ADMIN | 1ULL << CAP_KILL | 1ULL << CAP_DAC_OVERRIDE | \
	 1ULL << CAP_DAC_READ_SEARCH)

static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted = (uint32_t)(caps >> 32 * i);
		data[i].effective = data[i].permitted;
	}
	return (int)syscall(SYS_capset, &head, data);
}

/** Not dumpable; SIGKILL when the thread of the daemon that started us ends. */
static int set_process(struct error *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, "make init untraceable");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_errno(err, "tie init to the daemon");
	return 0;
}

int harden_begin(int keep_fd, struct error *err)
{
	// A daemon that is gone already is noticed at the control socket.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_errno(err, "tie init to the daemon");
	if (syscall(SYS_close_range, (unsigned)keep_fd + 1, UINT_MAX, 0) < 0)
		return error_errno(err, "close what was inherited");
	(void)umask(0);
	return 0;
}

int harden_init(struct error *err)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_errno(err, "clear the ambient capabilities");
	if (prctl(PR_SET_SECUREBITS, INIT_SECUREBITS, 0, 0, 0) < 0)
		return error_errno(err, "set the secure bits");
	// The keys in the daemon's session keyring are not the world's.  Where a container forbids
	// the call, it forbids it to the commands too.
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	return set_process(err);
}

int harden_bounding(struct error *err)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL && cap > CAP_AUDIT_READ)
			return 0; // past the last capability of this kernel
		return error_errno(err, "drop capability %lu from the bounding set", cap);
	}
	return 0;
}

int harden_main(struct error *err)
{
	if (set_caps(MAIN_CAPS) < 0)
		return error_errno(err, "drop init's capabilities");
	return set_process(err);
}

static int become_user(const struct harden *harden, struct error *err)
{
	// An unprivileged user's namespace denies setgroups(): the groups are their own then.
	if (syscall(SYS_setgroups, 1, &harden->gid) < 0 &&
	    (errno != EPERM || harden->uid != getuid()))
		return error_errno(err, "setgroups");
	if (syscall(SYS_setresgid, harden->gid, harden->gid, harden->gid) < 0)
		return error_errno(err, "setresgid");
	if (syscall(SYS_setresuid, harden->uid, harden->uid, harden->uid) < 0)
		return error_errno(err, "setresuid");
	return 0;
}

static int drop_caps(struct error *err)
{
	int r = harden_bounding(err);

	if (r < 0)
		return r;
	if (prctl(PR_SET_SECUREBITS, COMMAND_SECUREBITS, 0, 0, 0) < 0)
		return error_errno(err, "lock the secure bits");
	if (set_caps(0) < 0)
		return error_errno(err, "drop all capabilities");
	return 0;
}

static int load_filter(const struct harden *harden, struct error *err)
{
	struct sock_fprog program = {
		.len = (unsigned short)(harden->filter_bytes / sizeof(struct sock_filter)),
		.filter = harden->filter,
	};

	if (!harden->filter)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return error_errno(err, "load the system call filter");
	return 0;
}

int harden_spawner(const struct harden *harden, struct error *err)
{
	bool bare = harden->off & CONTROL_NO_NEW_PRIVS;
	int r = 0;

	if (!bare && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "set no_new_privs");
	if (harden->ruleset >= 0 && landlock_enter(harden->ruleset) < 0)
		return error_errno(err, "enter the Landlock domain");
	// Without no_new_privs a filter takes a capability to load.
	if (bare)
		r = load_filter(harden, err);
	if (r == 0)
		r = become_user(harden, err);
	if (r == 0 && !(harden->off & CONTROL_DROP_CAPS))
		r = drop_caps(err);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = error_errno(err, "make init untraceable");
	return r == 0 && !bare ? load_filter(harden, err) : r;
}

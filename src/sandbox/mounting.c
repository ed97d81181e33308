// SPDX-License-Identifier: Apache-2.0
/**
 * Mounting by descriptor, so that no path is looked up twice.
 *
 * Must: set attributes while a tree is detached, so nothing is ever visible with more rights
 * than it shall have.  Must not: clear an attribute (a submount keeps its own read-only flag).
 */
#include "sandbox/mounting_priv.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t mounting_attrs(uint32_t flags)
{
	uint64_t attrs = MOUNT_ATTR_NOSUID;

	if (!(flags & PLAN_RW))
		attrs |= MOUNT_ATTR_RDONLY;
	if (!(flags & PLAN_DEV))
		attrs |= MOUNT_ATTR_NODEV;
	if (flags & PLAN_NOEXEC)
		attrs |= MOUNT_ATTR_NOEXEC;
	return attrs;
}

int mounting_open_source(const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

int mounting_clone(int fd, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;

	return (int)syscall(SYS_open_tree, fd, "", recursive ? flags | AT_RECURSIVE : flags);
}

int mounting_narrow(int fd, uint64_t attrs, bool recursive)
{
	struct mount_attr attr = {.attr_set = attrs, .propagation = MS_PRIVATE};
	unsigned flags = AT_EMPTY_PATH;

	return (int)syscall(SYS_mount_setattr, fd, "", recursive ? flags | AT_RECURSIVE : flags,
			    &attr, sizeof(attr));
}

int mounting_attach(int tree, int target)
{
	return (int)syscall(SYS_move_mount, tree, "", target, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int mounting_new(const char *type, const struct mounting_option *options, size_t count,
		 uint64_t attrs)
{
	AUTO(fd_close) int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	long r = fs;

	for (size_t i = 0; i < count && r >= 0; i++)
		r = syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[i].key, options[i].value,
			    0);
	if (r >= 0)
		r = syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? -1 : (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
}

int mounting_make_private(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int mounting_enter(int root, struct error *err)
{
	if (fchdir(root) < 0)
		return error_errno(err, "enter the new root");
	// Both roots at one place: the old one ends on top of the new one, and goes.
	if (syscall(SYS_pivot_root, ".", ".") < 0) {
		if (errno == EINVAL)
			return error_set(
				err, EINVAL,
				"pivot_root: the root of this mount namespace is no mount "
				"point that can be left (an initial ramdisk, or a chroot)");
		return error_errno(err, "pivot_root");
	}
	if (umount2(".", MNT_DETACH) < 0)
		return error_errno(err, "detach the old root");
	return chdir("/") < 0 ? error_errno(err, "chdir to the new root") : 0;
}

int mounting_detach(int parent, const char *name)
{
	// umount2() takes only paths: one component, from where no link leads away.
	if (fchdir(parent) < 0)
		return -1;

	int r = umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW);
	int code = errno;

	if (chdir("/") < 0)
		return -1;
	errno = code;
	return r;
}

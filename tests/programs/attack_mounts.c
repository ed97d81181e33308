// SPDX-License-Identifier: Apache-2.0
/** Attacks on the mount table, by the old calls and by the new ones. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> do not go together in older headers.
#define UMOUNT_DETACH 2

static int mount_old(char **args)
{
	return (int)syscall(SYS_mount, "escape", args[0], "tmpfs", 0, NULL);
}

static int mount_bind(char **args)
{
	return (int)syscall(SYS_mount, args[0], args[1], NULL, MS_BIND | MS_REC, NULL);
}

static int attach(int tree, const char *target)
{
	if (tree < 0)
		return -1;
	return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

static int mount_new(char **args)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", 0);

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return attach((int)syscall(SYS_fsmount, context, 0, 0), args[0]);
}

static int mount_tree(char **args)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, args[0], OPEN_TREE_CLONE);

	return attach(tree, args[1]);
}

static int unmount(char **args)
{
	return (int)syscall(SYS_umount2, args[0], UMOUNT_DETACH);
}

static int remount_old(char **args)
{
	return (int)syscall(SYS_mount, NULL, args[0], NULL, MS_REMOUNT | MS_BIND, NULL);
}

static int remount_new(char **args)
{
	struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, args[0], 0, &attr, sizeof(attr));
}

static int change_root(char **args)
{
	return chroot(args[0]);
}

const struct attack attack_mounts[] = {
	{"mount-old", 1, mount_old},
	{"mount-new", 1, mount_new},
	{"mount-bind", 2, mount_bind},
	{"mount-tree", 2, mount_tree},
	{"unmount", 1, unmount},
	{"remount-old", 1, remount_old},
	{"remount-new", 1, remount_new},
	{"chroot", 1, change_root},
	{NULL, 0, NULL},
};

// SPDX-License-Identifier: Apache-2.0
/** Attacks by files: set-id bits by every call that sets a mode, file capabilities, devices. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define SET_ID_MODE (S_ISUID | 0755U)

/** Open for writing and nothing else: what is in the file stays. */
static int open_write(char **args)
{
	return open(args[0], O_WRONLY | O_NOCTTY);
}

static int open_read(char **args)
{
	char byte;
	int fd = open(args[0], O_RDONLY | O_NOCTTY | O_NONBLOCK);

	return fd < 0 || read(fd, &byte, 1) < 0 ? -1 : 0;
}

static int plain_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0644);
}

static int by_chmod(char **args)
{
	return plain_file(args[0]) < 0 ? -1 : chmod(args[0], SET_ID_MODE);
}

static int by_fchmod(char **args)
{
	int fd = plain_file(args[0]);

	return fd < 0 ? -1 : fchmod(fd, SET_ID_MODE);
}

static int by_fchmodat(char **args)
{
	return plain_file(args[0]) < 0 ? -1 : fchmodat(AT_FDCWD, args[0], SET_ID_MODE, 0);
}

static int by_fchmodat2(char **args)
{
	if (plain_file(args[0]) < 0)
		return -1;
	return (int)syscall(SYS_fchmodat2, AT_FDCWD, args[0], SET_ID_MODE, 0);
}

/** The kernel reads modes as shorts, so bits above them must not hide the low ones. */
static int by_high_bits(char **args)
{
	if (plain_file(args[0]) < 0)
		return -1;
	return (int)syscall(SYS_fchmodat, AT_FDCWD, args[0], 0x7fffffff00000000UL | SET_ID_MODE);
}

static int by_open(char **args)
{
#ifdef SYS_open
	return (int)syscall(SYS_open, args[0], O_WRONLY | O_CREAT, SET_ID_MODE);
#else
	return open(args[0], O_WRONLY | O_CREAT, SET_ID_MODE);
#endif
}

static int by_openat(char **args)
{
	return openat(AT_FDCWD, args[0], O_WRONLY | O_CREAT | O_EXCL, SET_ID_MODE);
}

static int by_creat(char **args)
{
	return creat(args[0], SET_ID_MODE);
}

static int by_openat2(char **args)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = SET_ID_MODE};

	return (int)syscall(SYS_openat2, AT_FDCWD, args[0], &how, sizeof(how));
}

/** A file without a name that gets one later. */
static int by_tmpfile(char **args)
{
	char name[64];
	int fd = open(".", O_TMPFILE | O_WRONLY, SET_ID_MODE);

	if (fd < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, name, AT_FDCWD, args[0], AT_SYMLINK_FOLLOW);
}

static int by_mknod(char **args)
{
	return mknod(args[0], S_IFREG | SET_ID_MODE, 0);
}

/** A set-group-id bit; it counts where the group of the file is one of the host's. */
static int by_setgid(char **args)
{
	return plain_file(args[0]) < 0 ? -1 : chmod(args[0], S_ISGID | 0755U);
}

/** CAP_SYS_ADMIN for whoever runs the file. */
static int file_capability(char **args)
{
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1U << CAP_SYS_ADMIN,
	};

	if (plain_file(args[0]) < 0)
		return -1;
	return setxattr(args[0], "security.capability", &data, sizeof(data), 0);
}

static int null_device(char **args)
{
	return mknod(args[0], S_IFCHR | 0666, makedev(1, 3));
}

const struct attack attack_files[] = {
	{"open-write", 1, open_write},
	{"open-read", 1, open_read},
	{"setid-chmod", 1, by_chmod},
	{"setid-fchmod", 1, by_fchmod},
	{"setid-fchmodat", 1, by_fchmodat},
	{"setid-fchmodat2", 1, by_fchmodat2},
	{"setid-high-bits", 1, by_high_bits},
	{"setid-open", 1, by_open},
	{"setid-openat", 1, by_openat},
	{"setid-openat2", 1, by_openat2},
	{"setid-creat", 1, by_creat},
	{"setid-tmpfile", 1, by_tmpfile},
	{"setid-mknod", 1, by_mknod},
	{"setgid", 1, by_setgid},
	{"file-capability", 1, file_capability},
	{"null-device", 1, null_device},
	{NULL, 0, NULL},
};

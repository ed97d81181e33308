// SPDX-License-Identifier: Apache-2.0
/**
 * The system call filter of a world, compiled to bytes in the daemon.
 *
 * An allow-list of names from data/syscalls.list; what it does not name is ENOSYS (so libc
 * falls back), what is dangerous is EPERM, a foreign architecture is killed.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct error;

/** Families of refused calls.  Tests leave one out to show that it bites. */
enum filter_family {
	FILTER_MOUNT = 1 << 0, /**< mount, umount2, open_tree, fsopen, pivot_root, chroot, ... */
	FILTER_NAMESPACE = 1 << 1, /**< setns, unshare, clone with CLONE_NEW*. */
	FILTER_KERNEL =
		1 << 2, /**< bpf, perf_event_open, kexec, modules, io_uring, limits of init. */
	FILTER_KEYS = 1 << 3,   /**< keyctl, add_key, request_key. */
	FILTER_SOCKET = 1 << 4, /**< Families outside UNIX, INET, INET6, NETLINK_ROUTE. */
	FILTER_SETUID = 1 << 5, /**< Set-id bits in chmod, open with O_CREAT, mknod, mkdir. */
	FILTER_TTY = 1 << 6,    /**< ioctl TIOCSTI, TIOCLINUX. */
	FILTER_FD = 1 << 7,     /**< pidfd_getfd. */
	FILTER_ARCH = 1 << 8,   /**< x32 and i386. */
};
#define FILTER_ALL 0x1ffu

struct filter_options {
	uint32_t families; /**< enum filter_family bits that are refused; FILTER_ALL outside tests.
			    */
	bool setgid;       /**< Refuse the set-group-id bit too (group 0 is mapped). */
};

/** Append the compiled program (struct sock_filter array) to *ret. */
int filter_compile(const struct filter_options *options, struct buf *ret, struct error *err);

/** The bits of a comma-separated list of family names ("mount,socket"); -EINVAL names the bad one.
 */
int filter_parse_families(const char *text, uint32_t *ret, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/**
 * What is refused, and the checks of arguments.
 *
 * Must: look only at what the kernel looks at.  The kernel takes an int argument from the low
 * half of the register, so the checks compare 32 bits and the high half cannot hide a value.
 * Must not: look through pointers; memory may change after the check.
 */
#include "base/compiler.h"
#include "filter/filter_priv.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define ALLOW SECCOMP_RET_ALLOW

#define JUMP_EQUAL (BPF_JMP | BPF_JEQ | BPF_K)
#define JUMP_SET (BPF_JMP | BPF_JSET | BPF_K)

/** Of the type argument of socket(): without SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define SOCKET_TYPE_MASK 0xfU

/** __O_TMPFILE, without the O_DIRECTORY that is part of O_TMPFILE. */
#define TMPFILE_BIT ((unsigned)O_TMPFILE & ~(unsigned)O_DIRECTORY)

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/** Not CLONE_NEWTIME: in clone() that bit is part of the exit signal. */
#define CLONE_NEW \
	((unsigned)CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | \
	 CLONE_NEWUTS | CLONE_NEWCGROUP)

static uint32_t set_id_bits(const struct filter_options *options)
{
	return options->setgid ? S_ISUID | S_ISGID : S_ISUID;
}

/** Refuse when any of these bits is set in args[0]. */
static void refuse_bits(struct filter_code *code, unsigned arg, uint32_t bits)
{
	filter_code_load_arg(code, arg);
	(void)filter_code_jump(code, JUMP_SET, bits, 1, 0);
	filter_code_return(code, ALLOW);
	filter_code_return(code, REFUSE);
}

static void check_clone(struct filter_code *code, const struct filter_options *options,
			const unsigned *args)
{
	(void)options;
	refuse_bits(code, args[0], CLONE_NEW);
}

static void check_unshare(struct filter_code *code, const struct filter_options *options,
			  const unsigned *args)
{
	(void)options;
	refuse_bits(code, args[0], CLONE_NEW | CLONE_NEWTIME);
}

static void check_mode(struct filter_code *code, const struct filter_options *options,
		       const unsigned *args)
{
	refuse_bits(code, args[0], set_id_bits(options));
}

/** args: the flags and the mode, which counts only where a file may be made. */
static void check_open(struct filter_code *code, const struct filter_options *options,
		       const unsigned *args)
{
	filter_code_load_arg(code, args[0]);
	(void)filter_code_jump(code, JUMP_SET, (uint32_t)O_CREAT | TMPFILE_BIT, 1, 0);
	filter_code_return(code, ALLOW);
	refuse_bits(code, args[1], set_id_bits(options));
}

static void check_ioctl(struct filter_code *code, const struct filter_options *options,
			const unsigned *args)
{
	(void)options;
	filter_code_load_arg(code, args[0]);
	(void)filter_code_jump(code, JUMP_EQUAL, TIOCSTI, 2, 0);
	(void)filter_code_jump(code, JUMP_EQUAL, TIOCLINUX, 1, 0);
	filter_code_return(code, ALLOW);
	filter_code_return(code, REFUSE);
}

static void check_socketpair(struct filter_code *code, const struct filter_options *options,
			     const unsigned *args)
{
	(void)options;
	filter_code_load_arg(code, args[0]);
	(void)filter_code_jump(code, JUMP_EQUAL, AF_UNIX, 0, 1);
	filter_code_return(code, ALLOW);
	filter_code_return(code, REFUSE);
}

/** The protocol argument is 0 or this one, else refused. */
static void allow_protocol(struct filter_code *code, uint32_t protocol)
{
	filter_code_load_arg(code, 2);
	(void)filter_code_jump(code, JUMP_EQUAL, 0, 1, 0);
	(void)filter_code_jump(code, JUMP_EQUAL, protocol, 0, 1);
	filter_code_return(code, ALLOW);
	filter_code_return(code, REFUSE);
}

#define PROTOCOL_SIZE 5U /**< Instructions of allow_protocol(). */

/**
 * UNIX of any type; INET and INET6 as TCP or UDP, so neither raw, SCTP, ping nor MPTCP (which
 * the filters of egress could not judge); NETLINK for routes, which getaddrinfo() asks.
 */
static void check_socket(struct filter_code *code, const struct filter_options *options,
			 const unsigned *args)
{
	(void)options;
	filter_code_load_arg(code, args[0]);
	(void)filter_code_jump(code, JUMP_EQUAL, AF_INET, 5, 0);
	(void)filter_code_jump(code, JUMP_EQUAL, AF_INET6, 4, 0);
	(void)filter_code_jump(code, JUMP_EQUAL, AF_UNIX, 0, 1);
	filter_code_return(code, ALLOW);
	(void)filter_code_jump(code, JUMP_EQUAL, AF_NETLINK, 6 + 2 * PROTOCOL_SIZE, 0);
	filter_code_return(code, REFUSE);
	// INET, INET6
	filter_code_load_arg(code, 1);
	(void)filter_code_add(code, BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK);
	(void)filter_code_jump(code, JUMP_EQUAL, SOCK_STREAM, 2, 0);
	(void)filter_code_jump(code, JUMP_EQUAL, SOCK_DGRAM, 1 + PROTOCOL_SIZE, 0);
	filter_code_return(code, REFUSE);
	allow_protocol(code, IPPROTO_TCP);
	allow_protocol(code, IPPROTO_UDP);
	// NETLINK: NETLINK_ROUTE is 0
	allow_protocol(code, NETLINK_ROUTE);
}

/** The threads of init: PID 1 and the spawner, which is the first thread that it makes. */
#define INIT_PID 1U
#define SPAWNER_TID 2U

/**
 * A limit of init's may be read, not set: init has a command's uid, and with no descriptors or
 * no CPU time left the world ends.  The pointer is tested whole: it is no int.
 */
static void check_prlimit(struct filter_code *code, const struct filter_options *options,
			  const unsigned *args)
{
	(void)options;
	filter_code_load_arg(code, args[0]);
	(void)filter_code_jump(code, JUMP_EQUAL, INIT_PID, 2, 0);
	(void)filter_code_jump(code, JUMP_EQUAL, SPAWNER_TID, 1, 0);
	filter_code_return(code, ALLOW);
	filter_code_load_arg(code, args[1]);
	(void)filter_code_jump(code, JUMP_EQUAL, 0, 0, 3);
	filter_code_load_high(code, args[1]);
	(void)filter_code_jump(code, JUMP_EQUAL, 0, 0, 1);
	filter_code_return(code, ALLOW);
	filter_code_return(code, REFUSE);
}

/** The number of a call; some exist on one architecture only, some after the oldest headers. */
#define NR(name) __NR_##name
#ifdef __x86_64__
#define NR_OLD(name) __NR_##name
#else
#define NR_OLD(name) (-1)
#endif
#define NR_FCHMODAT2 452
#define NR_OPEN_TREE_ATTR 467

/** A call that is refused whatever its arguments are. */
#define REFUSED(number, group) \
	{ \
		.nr = (number), .family = (group) \
	}

const struct filter_rule filter_rules[] = {
	REFUSED(NR(mount), FILTER_MOUNT),
	REFUSED(NR(umount2), FILTER_MOUNT),
	REFUSED(NR(open_tree), FILTER_MOUNT),
	REFUSED(NR_OPEN_TREE_ATTR, FILTER_MOUNT),
	REFUSED(NR(move_mount), FILTER_MOUNT),
	REFUSED(NR(mount_setattr), FILTER_MOUNT),
	REFUSED(NR(fsopen), FILTER_MOUNT),
	REFUSED(NR(fsconfig), FILTER_MOUNT),
	REFUSED(NR(fsmount), FILTER_MOUNT),
	REFUSED(NR(fspick), FILTER_MOUNT),
	REFUSED(NR(pivot_root), FILTER_MOUNT),
	REFUSED(NR(chroot), FILTER_MOUNT),

	REFUSED(NR(setns), FILTER_NAMESPACE),
	{NR(unshare), FILTER_NAMESPACE, check_unshare, {0}},
	{NR(clone), FILTER_NAMESPACE, check_clone, {0}},

	REFUSED(NR(bpf), FILTER_KERNEL),
	REFUSED(NR(perf_event_open), FILTER_KERNEL),
	REFUSED(NR(userfaultfd), FILTER_KERNEL),
	REFUSED(NR(io_uring_setup), FILTER_KERNEL),
	REFUSED(NR(io_uring_enter), FILTER_KERNEL),
	REFUSED(NR(io_uring_register), FILTER_KERNEL),
	REFUSED(NR(kexec_load), FILTER_KERNEL),
	REFUSED(NR(kexec_file_load), FILTER_KERNEL),
	REFUSED(NR(init_module), FILTER_KERNEL),
	REFUSED(NR(finit_module), FILTER_KERNEL),
	REFUSED(NR(delete_module), FILTER_KERNEL),
	REFUSED(NR(reboot), FILTER_KERNEL),
	REFUSED(NR(swapon), FILTER_KERNEL),
	REFUSED(NR(swapoff), FILTER_KERNEL),
	REFUSED(NR(acct), FILTER_KERNEL),
	REFUSED(NR(quotactl), FILTER_KERNEL),
	REFUSED(NR(quotactl_fd), FILTER_KERNEL),
	REFUSED(NR(syslog), FILTER_KERNEL),
	REFUSED(NR(settimeofday), FILTER_KERNEL),
	REFUSED(NR(clock_settime), FILTER_KERNEL),
	REFUSED(NR(vhangup), FILTER_KERNEL),
	REFUSED(NR(fanotify_init), FILTER_KERNEL),
	REFUSED(NR(fanotify_mark), FILTER_KERNEL),
	REFUSED(NR(open_by_handle_at), FILTER_KERNEL),
	REFUSED(NR_OLD(iopl), FILTER_KERNEL),
	REFUSED(NR_OLD(ioperm), FILTER_KERNEL),

	{NR(prlimit64), FILTER_KERNEL, check_prlimit, {0, 2}},

	REFUSED(NR(add_key), FILTER_KEYS),
	REFUSED(NR(request_key), FILTER_KEYS),
	REFUSED(NR(keyctl), FILTER_KEYS),

	{NR(socket), FILTER_SOCKET, check_socket, {0}},
	{NR(socketpair), FILTER_SOCKET, check_socketpair, {0}},

	{NR_OLD(chmod), FILTER_SETUID, check_mode, {1}},
	{NR(fchmod), FILTER_SETUID, check_mode, {1}},
	{NR(fchmodat), FILTER_SETUID, check_mode, {2}},
	{NR_FCHMODAT2, FILTER_SETUID, check_mode, {2}},
	{NR_OLD(creat), FILTER_SETUID, check_mode, {1}},
	{NR_OLD(mkdir), FILTER_SETUID, check_mode, {1}},
	{NR(mkdirat), FILTER_SETUID, check_mode, {2}},
	{NR_OLD(mknod), FILTER_SETUID, check_mode, {1}},
	{NR(mknodat), FILTER_SETUID, check_mode, {2}},
	{NR_OLD(open), FILTER_SETUID, check_open, {1, 2}},
	{NR(openat), FILTER_SETUID, check_open, {2, 3}},

	{NR(ioctl), FILTER_TTY, check_ioctl, {1}},

	REFUSED(NR(pidfd_getfd), FILTER_FD),
};

const size_t filter_rules_count = ARRAY_LEN(filter_rules);

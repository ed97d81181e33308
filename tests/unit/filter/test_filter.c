// SPDX-License-Identifier: Apache-2.0
/**
 * The filter, judged by the kernel that runs it.
 *
 * Each call is made raw in a child under the compiled program, in which EPERM and ENOSYS are
 * replaced by two values that no call returns: so a refusal of the filter cannot be mistaken for
 * the kernel's own.  The arguments are such that the kernel does nothing when it is reached.
 */
#include "base/buf.h"
#include "base/error.h"
#include "filter/filter.h"
#include "unit.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED 200 /**< Instead of EPERM. */
#define UNKNOWN 201 /**< Instead of ENOSYS. */
#define THROUGH 0   /**< Whatever the kernel said. */
#define KILLED 202

#define BAD ((long)-4096) /**< A pointer that nothing is behind. */
#define HIGH (1L << 32)   /**< A bit that the kernel does not look at in an int. */
#define X32 0x40000000L

struct call {
	const char *name;
	enum filter_family family;
	long nr;
	long args[5];
};

static struct buf compile(const struct filter_options *options)
{
	struct buf program = {0};
	struct error err = {0};

	assert_int_equal(filter_compile(options, &program, &err), 0);
	return program;
}

/** Put the two marks into a compiled program. */
static void mark(struct buf *program)
{
	struct sock_filter *insns = (struct sock_filter *)(void *)program->data;

	for (size_t i = 0; i < program->len / sizeof(*insns); i++) {
		if (insns[i].code != (BPF_RET | BPF_K))
			continue;
		if (insns[i].k == (SECCOMP_RET_ERRNO | EPERM))
			insns[i].k = SECCOMP_RET_ERRNO | REFUSED;
		if (insns[i].k == (SECCOMP_RET_ERRNO | ENOSYS))
			insns[i].k = SECCOMP_RET_ERRNO | UNKNOWN;
	}
}

static void run_child(const struct buf *program, const struct call *call)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(program->len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)program->data,
	};

	(void)setsid(); // vhangup() finds no terminal
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		_exit(1);

	const long *a = call->args;
	long r = syscall(call->nr, a[0], a[1], a[2], a[3], a[4]);

	_exit(r < 0 && (errno == REFUSED || errno == UNKNOWN) ? errno : THROUGH);
}

/** What the program says to a call. */
static int judge(const struct filter_options *options, const struct call *call)
{
	struct buf program = compile(options);
	int status = 0;

	mark(&program);

	pid_t pid = fork();

	if (pid == 0)
		run_child(&program, call);
	buf_done(&program);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -1;
	return WEXITSTATUS(status);
}

static void expect(const struct filter_options *options, const struct call *call, int wanted)
{
	int said = judge(options, call);

	if (said != wanted)
		fail_msg("%s: %d instead of %d (families %x)", call->name, said, wanted,
			 options->families);
}

/* Refusals ------------------------------------------------------------------------------- */

static const struct call refused[] = {
	{"mount", FILTER_MOUNT, __NR_mount, {BAD, BAD, BAD, 0, BAD}},
	{"umount2", FILTER_MOUNT, __NR_umount2, {BAD, -1}},
	{"open_tree", FILTER_MOUNT, __NR_open_tree, {-1, BAD, -1}},
	{"open_tree_attr", FILTER_MOUNT, 467, {-1, BAD, -1}},
	{"move_mount", FILTER_MOUNT, __NR_move_mount, {-1, BAD, -1, BAD, -1}},
	{"mount_setattr", FILTER_MOUNT, __NR_mount_setattr, {-1, BAD, -1, BAD, 0}},
	{"fsopen", FILTER_MOUNT, __NR_fsopen, {BAD, -1}},
	{"fsconfig", FILTER_MOUNT, __NR_fsconfig, {-1, 99, BAD, BAD, 0}},
	{"fsmount", FILTER_MOUNT, __NR_fsmount, {-1, -1, -1}},
	{"fspick", FILTER_MOUNT, __NR_fspick, {-1, BAD, -1}},
	{"pivot_root", FILTER_MOUNT, __NR_pivot_root, {BAD, BAD}},
	{"chroot", FILTER_MOUNT, __NR_chroot, {BAD}},
	{"setns", FILTER_NAMESPACE, __NR_setns, {-1, 0}},
	{"unshare user", FILTER_NAMESPACE, __NR_unshare, {CLONE_NEWUSER | 1}},
	{"unshare time", FILTER_NAMESPACE, __NR_unshare, {0x80 | 1}},
	{"unshare mounts", FILTER_NAMESPACE, __NR_unshare, {CLONE_NEWNS | 1}},
	{"clone user", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWUSER | CLONE_FS | CLONE_THREAD}},
	{"clone mounts", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWNS | CLONE_FS}},
	{"clone pid", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWPID | CLONE_THREAD}},
	{"clone net", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWNET | CLONE_THREAD}},
	{"clone ipc", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_THREAD}},
	{"clone uts", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWUTS | CLONE_THREAD}},
	{"clone cgroup", FILTER_NAMESPACE, __NR_clone, {CLONE_NEWCGROUP | CLONE_THREAD}},
	{"bpf", FILTER_KERNEL, __NR_bpf, {-1, BAD, 0}},
	{"perf_event_open", FILTER_KERNEL, __NR_perf_event_open, {BAD, -1, -1, -1, -1}},
	{"userfaultfd", FILTER_KERNEL, __NR_userfaultfd, {-1}},
	{"io_uring_setup", FILTER_KERNEL, __NR_io_uring_setup, {0, BAD}},
	{"io_uring_enter", FILTER_KERNEL, __NR_io_uring_enter, {-1, 0, 0, -1}},
	{"io_uring_register", FILTER_KERNEL, __NR_io_uring_register, {-1, -1, BAD}},
	{"kexec_load", FILTER_KERNEL, __NR_kexec_load, {0, -1, BAD, -1}},
	{"kexec_file_load", FILTER_KERNEL, __NR_kexec_file_load, {-1, -1, 0, BAD, -1}},
	{"init_module", FILTER_KERNEL, __NR_init_module, {BAD, 1, BAD}},
	{"finit_module", FILTER_KERNEL, __NR_finit_module, {-1, BAD, -1}},
	{"delete_module", FILTER_KERNEL, __NR_delete_module, {BAD, 0}},
	{"reboot", FILTER_KERNEL, __NR_reboot, {0, 0, 0}},
	{"swapon", FILTER_KERNEL, __NR_swapon, {BAD, -1}},
	{"swapoff", FILTER_KERNEL, __NR_swapoff, {BAD}},
	{"acct", FILTER_KERNEL, __NR_acct, {BAD}},
	{"quotactl", FILTER_KERNEL, __NR_quotactl, {-1, BAD, 0, BAD}},
	{"quotactl_fd", FILTER_KERNEL, __NR_quotactl_fd, {-1, -1, 0, BAD}},
	{"syslog", FILTER_KERNEL, __NR_syslog, {-1, BAD, -1}},
	{"settimeofday", FILTER_KERNEL, __NR_settimeofday, {BAD, 0}},
	{"clock_settime", FILTER_KERNEL, __NR_clock_settime, {-1, BAD}},
	{"vhangup", FILTER_KERNEL, __NR_vhangup, {0}},
	{"fanotify_init", FILTER_KERNEL, __NR_fanotify_init, {-1, -1}},
	{"fanotify_mark", FILTER_KERNEL, __NR_fanotify_mark, {-1, -1, -1, -1, BAD}},
	{"open_by_handle_at", FILTER_KERNEL, __NR_open_by_handle_at, {-1, BAD, 0}},
	{"prlimit of init", FILTER_KERNEL, __NR_prlimit64, {1, -1, BAD, 0}},
	{"prlimit of the spawner", FILTER_KERNEL, __NR_prlimit64, {2, -1, BAD, 0}},
	{"prlimit, high bit", FILTER_KERNEL, __NR_prlimit64, {HIGH | 1, -1, HIGH, 0}},
	{"add_key", FILTER_KEYS, __NR_add_key, {BAD, BAD, BAD, 0, 0}},
	{"request_key", FILTER_KEYS, __NR_request_key, {BAD, BAD, BAD, 0}},
	{"keyctl", FILTER_KEYS, __NR_keyctl, {999}},
	{"packet", FILTER_SOCKET, __NR_socket, {AF_PACKET, 99, 0}},
	{"vsock", FILTER_SOCKET, __NR_socket, {40, 99, 0}},
	{"alg", FILTER_SOCKET, __NR_socket, {38, 99, 0}},
	{"raw", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_RAW, 99999}},
	{"raw 6", FILTER_SOCKET, __NR_socket, {AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 99999}},
	{"seqpacket", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_SEQPACKET, 132}},
	{"sctp", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_STREAM, 132}},
	{"mptcp", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 262}},
	{"ping", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}},
	{"ping 6", FILTER_SOCKET, __NR_socket, {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6}},
	{"tcp as dgram", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_DGRAM, IPPROTO_TCP}},
	{"netfilter", FILTER_SOCKET, __NR_socket, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
	{"generic netlink", FILTER_SOCKET, __NR_socket, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},
	{"alg, high bit", FILTER_SOCKET, __NR_socket, {HIGH | 38, 99, 0}},
	{"raw, high bit", FILTER_SOCKET, __NR_socket, {AF_INET, HIGH | SOCK_RAW, 99999}},
	{"mptcp, high bit", FILTER_SOCKET, __NR_socket, {AF_INET, SOCK_STREAM, HIGH | 262}},
	{"socketpair", FILTER_SOCKET, __NR_socketpair, {AF_INET, SOCK_STREAM, 0, BAD}},
	{"fchmod", FILTER_SETUID, __NR_fchmod, {-1, 04755}},
	{"fchmod, high bit", FILTER_SETUID, __NR_fchmod, {-1, HIGH | 04755}},
	{"fchmodat", FILTER_SETUID, __NR_fchmodat, {-1, BAD, 04000}},
	{"fchmodat2", FILTER_SETUID, 452, {-1, BAD, 04111, 0}},
	{"mkdirat", FILTER_SETUID, __NR_mkdirat, {-1, BAD, 04755}},
	{"mknodat", FILTER_SETUID, __NR_mknodat, {-1, BAD, S_IFREG | 04755, 0}},
	{"openat", FILTER_SETUID, __NR_openat, {-1, BAD, O_CREAT | O_WRONLY, 04755}},
	{"openat tmpfile", FILTER_SETUID, __NR_openat, {-1, BAD, O_TMPFILE | O_RDWR, 04755}},
	{"TIOCSTI", FILTER_TTY, __NR_ioctl, {-1, TIOCSTI, BAD}},
	{"TIOCSTI, high bit", FILTER_TTY, __NR_ioctl, {-1, HIGH | TIOCSTI, BAD}},
	{"TIOCLINUX", FILTER_TTY, __NR_ioctl, {-1, TIOCLINUX, BAD}},
	{"pidfd_getfd", FILTER_FD, __NR_pidfd_getfd, {-1, -1, 0}},
#ifdef __x86_64__
	{"chmod", FILTER_SETUID, __NR_chmod, {BAD, 04755}},
	{"creat", FILTER_SETUID, __NR_creat, {BAD, 04755}},
	{"mkdir", FILTER_SETUID, __NR_mkdir, {BAD, 04755}},
	{"mknod", FILTER_SETUID, __NR_mknod, {BAD, S_IFREG | 04755, 0}},
	{"open", FILTER_SETUID, __NR_open, {BAD, O_CREAT, 04755}},
	{"iopl", FILTER_KERNEL, __NR_iopl, {99}},
	{"ioperm", FILTER_KERNEL, __NR_ioperm, {-1, 1, 1}},
#endif
};

static void each_refusal_bites_and_only_by_its_family(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct filter_options all = {.families = FILTER_ALL};
		const struct filter_options without = {.families = FILTER_ALL & ~refused[i].family};
		const struct filter_options alone = {.families = refused[i].family};

		expect(&all, &refused[i], REFUSED);
		expect(&alone, &refused[i], REFUSED);
		expect(&without, &refused[i], THROUGH);
	}
}

/* What must work ------------------------------------------------------------------------- */

static const struct call allowed[] = {
	{"openat without O_CREAT", 0, __NR_openat, {-1, BAD, O_RDONLY, 04755}},
	{"openat O_CREAT", 0, __NR_openat, {-1, BAD, O_CREAT, 0644}},
	{"openat directory", 0, __NR_openat, {-1, BAD, O_DIRECTORY, 06000}},
	{"fchmod", 0, __NR_fchmod, {-1, 01777}},
	{"fchmod, other high bits", 0, __NR_fchmod, {-1, HIGH | 0644}},
	{"setgid directory", 0, __NR_fchmod, {-1, 02775}},
	{"unix", 0, __NR_socket, {AF_UNIX, SOCK_SEQPACKET, 0}},
	{"tcp", 0, __NR_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0}},
	{"tcp 6", 0, __NR_socket, {AF_INET6, SOCK_STREAM, IPPROTO_TCP}},
	{"udp", 0, __NR_socket, {AF_INET, SOCK_DGRAM, 0}},
	{"udp 6", 0, __NR_socket, {AF_INET6, SOCK_DGRAM, IPPROTO_UDP}},
	{"routes", 0, __NR_socket, {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}},
	{"socketpair", 0, __NR_socketpair, {AF_UNIX, SOCK_STREAM, 0, BAD}},
	{"TCGETS", 0, __NR_ioctl, {-1, TCGETS, BAD}},
	{"unshare files", 0, __NR_unshare, {CLONE_FILES}},
	{"clone exit signal", 0, __NR_clone, {0x80 | CLONE_THREAD}},
	{"ptrace", 0, __NR_ptrace, {-1, -1, 0, 0}},
	{"process_vm_readv", 0, __NR_process_vm_readv, {-1, BAD, 0, BAD, 0}},
	{"seccomp", 0, __NR_seccomp, {-1, 0, 0}},
	{"landlock", 0, __NR_landlock_create_ruleset, {BAD, 8, 0}},
	{"prctl", 0, __NR_prctl, {-1}},
	{"prlimit64", 0, __NR_prlimit64, {0, -1, BAD, 0}},
	{"prlimit64 of another", 0, __NR_prlimit64, {3, -1, BAD, 0}},
	{"prlimit64 reads init's", 0, __NR_prlimit64, {1, -1, 0, 0}},
	{"skipped by a tracer", 0, -1, {0}},
};

static void what_programs_need_passes(void **state)
{
	const struct filter_options all = {.families = FILTER_ALL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		expect(&all, &allowed[i], THROUGH);
}

static void the_unknown_is_enosys(void **state)
{
	static const struct call unknown[] = {
		{"clone3", 0, __NR_clone3, {BAD, 88}},
		{"openat2", 0, __NR_openat2, {-1, BAD, BAD, 24}},
		{"number 500", 0, 500, {0}},
		{"number 1023", 0, 1023, {0}},
		{"number 1024", 0, 1024, {0}},
		{"the last before x32", 0, X32 - 1, {0}},
	};
	const struct filter_options all = {.families = FILTER_ALL};
	const struct filter_options none = {.families = 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		expect(&all, &unknown[i], UNKNOWN);
		expect(&none, &unknown[i], UNKNOWN);
	}
}

static void the_group_bit_is_refused_where_asked(void **state)
{
	static const struct call calls[] = {
		{"fchmod", 0, __NR_fchmod, {-1, 02755}},
		{"openat", 0, __NR_openat, {-1, BAD, O_CREAT, 02755}},
		{"mkdirat", 0, __NR_mkdirat, {-1, BAD, 02755}},
	};
	const struct filter_options with = {.families = FILTER_ALL, .setgid = true};
	const struct filter_options without = {.families = FILTER_ALL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		expect(&with, &calls[i], REFUSED);
		expect(&without, &calls[i], THROUGH);
	}
}

#ifdef __x86_64__
/** True when the call kills even without a filter of ours. */
static bool dies_anyway(const struct call *call)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)syscall(call->nr);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

static void a_foreign_system_call_table_kills(void **state)
{
	const struct call x32 = {"x32 getpid", 0, X32 | __NR_getpid, {0}};
	const struct call x32_mount = {"x32 mount", 0, X32 | __NR_mount, {BAD, BAD, BAD, 0, BAD}};
	const struct filter_options all = {.families = FILTER_ALL};
	const struct filter_options without = {.families = FILTER_ALL & ~(uint32_t)FILTER_ARCH};

	(void)state;
	expect(&all, &x32, KILLED);
	expect(&all, &x32_mount, KILLED);
	// In a world such a call is killed by the filter of the world.
	if (dies_anyway(&x32))
		skip();
	expect(&without, &x32, THROUGH);
}

/** What the program returns for i386, by reading it: not every machine can make the call. */
static void another_architecture_is_killed_before_all_else(void **state)
{
	const struct filter_options all = {.families = FILTER_ALL};
	AUTO(buf_done) struct buf program = compile(&all);
	const struct sock_filter *insn = (const void *)program.data;

	(void)state;
	assert_int_equal(insn[0].k, offsetof(struct seccomp_data, arch));
	assert_int_equal(insn[1].k, AUDIT_ARCH_X86_64);
	assert_int_equal(insn[1].jf, 0);
	assert_int_equal(insn[2].code, BPF_RET | BPF_K);
	assert_int_equal(insn[2].k, SECCOMP_RET_KILL_PROCESS);
}
#endif

static void the_program_is_short(void **state)
{
	const struct filter_options all = {.families = FILTER_ALL, .setgid = true};
	AUTO(buf_done) struct buf program = compile(&all);

	(void)state;
	assert_true(program.len / sizeof(struct sock_filter) < 400);
}

static void families_are_parsed_by_name(void **state)
{
	uint32_t bits = 77;
	struct error err = {0};

	(void)state;
	assert_int_equal(filter_parse_families("mount,fd", &bits, &err), 0);
	assert_int_equal(bits, FILTER_MOUNT | FILTER_FD);
	assert_int_equal(
		filter_parse_families("mount,namespace,kernel,keys,socket,setuid,tty,fd,arch",
				      &bits, &err),
		0);
	assert_int_equal(bits, FILTER_ALL);
	assert_int_equal(filter_parse_families("", &bits, &err), 0);
	assert_int_equal(bits, 0);
	bits = 77;
	assert_int_equal(filter_parse_families("mount,moun", &bits, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'moun'"));
	assert_int_equal(bits, 77);
	assert_int_equal(filter_parse_families("mount,,fd", &bits, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_refusal_bites_and_only_by_its_family),
		cmocka_unit_test(what_programs_need_passes),
		cmocka_unit_test(the_unknown_is_enosys),
		cmocka_unit_test(the_group_bit_is_refused_where_asked),
#ifdef __x86_64__
		cmocka_unit_test(a_foreign_system_call_table_kills),
		cmocka_unit_test(another_architecture_is_killed_before_all_else),
#endif
		cmocka_unit_test(the_program_is_short),
		cmocka_unit_test(families_are_parsed_by_name),
	};

	return cmocka_run_group_tests_name("filter/filter", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * PID 1 of a world.
 *
 * How it works: the main thread keeps the capabilities that mounting takes and serves the control
 * socket; the spawner (spawner.c) gave everything away and starts the commands.  Neither can be
 * killed, traced or stopped from inside: signals to PID 1 without a handler are dropped, and it
 * is not dumpable.  When the daemon is gone, init ends, and with it the kernel ends every
 * process of the namespace.
 *
 * Must: touch nothing of the world's files except beneath its root and through no symlink.
 * Must not: run anything with privileges; the main thread never executes a program.
 */
#include "sandbox/init.h"

#include "base/error.h"
#include "base/fd.h"
#include "sandbox/build_priv.h"
#include "sandbox/init_priv.h"
#include "sandbox/job_priv.h"
#include "sandbox/reaping_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKETS_MAX 16 /**< Taken before children are looked at again. */
#define STUCK_MS 1000  /**< A start that takes longer is looked after. */
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

typedef int handler_fn(struct init *init, struct error *err);

/** By enum control_kind; NULL: not for init. */
static handler_fn *const handlers[CONTROL_END] = {
	[CONTROL_SPAWN] = command_spawn_queue, [CONTROL_SIGNAL] = steering_signal,
	[CONTROL_CHECK] = remount_check,       [CONTROL_MOUNT] = remount_tree,
	[CONTROL_LIST] = steering_list,
};

/* Start -------------------------------------------------------------------------------- */

/** Block everything (children and threads inherit it); SIGCHLD arrives as a descriptor. */
static int open_signals(struct init *init, struct error *err)
{
	sigset_t set;

	sigfillset(&set);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return error_errno(err, "block signals");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	init->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return init->signals < 0 ? error_errno(err, "signalfd") : 0;
}

static int wait_readable(int fd, struct error *err)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	while (poll(&wait, 1, -1) < 0) {
		if (errno != EINTR)
			return error_errno(err, "poll");
	}
	return 0;
}

/** Map the plan; it is sealed, so it cannot change after the check. */
static int open_plan(int fd, struct plan *ret, struct error *err)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return error_set(err, EINVAL, "the plan is not sealed");
	if (fstat(fd, &st) < 0)
		return error_errno(err, "stat the plan");
	if (st.st_size <= 0 || st.st_size > (off_t)PLAN_SIZE_MAX)
		return error_set(err, EINVAL, "a plan of %lld bytes", (long long)st.st_size);

	void *blob = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);

	if (blob == MAP_FAILED)
		return error_errno(err, "map the plan");
	return plan_open(blob, (size_t)st.st_size, ret, err); // mapped for as long as init lives
}

/** Wait for CONTROL_GO and open the plan that comes with it. */
static int wait_go(struct init *init, struct plan *ret, struct error *err)
{
	struct control_go go;
	int r = wait_readable(init->control, err);

	if (r == 0)
		r = control_recv(init->control, &init->packet, err);
	if (r < 0)
		return r;
	if (r == 0 || init->packet.header.kind != CONTROL_GO || init->packet.size != sizeof(go) ||
	    init->packet.nfds != 1)
		return error_set(err, EBADMSG, "the first packet is not CONTROL_GO with a plan");
	memcpy(&go, init->packet.data, sizeof(go));
	if (go.version != CONTROL_VERSION)
		return error_set(err, EPROTO, "the daemon speaks version %u, init %u: restart it",
				 go.version, CONTROL_VERSION);
	init->harden_off = go.guards_off;
	r = open_plan(init->packet.fds[0], ret, err);
	control_packet_done(&init->packet);
	return r;
}

/** The pipe of the terminals' holders.  Their writes block, our reads do not. */
static int open_reports(struct init *init, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "pipe2");
	init->reports = ends[0];
	init->spawner.report_fd = ends[1];
	return fd_set_nonblock(ends[0], 1) < 0 ? error_errno(err, "set a pipe non-blocking") : 0;
}

/** Build, confine, and say that the world stands. */
static int start_world(struct init *init, struct build *build, struct error *err)
{
	int r = build_run(build, err);

	if (r < 0)
		return r;

	const struct harden harden = {
		.off = init->harden_off,
		.uid = build->uid,
		.gid = build->gid,
		.ruleset = build->ruleset,
		.filter = build->filter,
		.filter_bytes = build->filter_bytes,
	};

	r = open_reports(init, err);
	if (r == 0)
		r = spawner_start(&init->spawner, &harden, err);
	if (r == 0)
		r = harden_main(err);
	if (r < 0)
		return r;
	init->root = TAKE_FD(build->root);
	init->proc = TAKE_FD(build->proc);

	const struct control_ready ready = {
		.landlock_abi = build->ruleset >= 0 ? build->abi : 0,
		.seccomp = build->filter != NULL,
		.pids = build->pids,
	};

	return answering_send(init, CONTROL_READY, 0,
			      &(struct answering_body){&ready, sizeof(ready)}, err);
}

static int start(struct init *init, struct error *err)
{
	struct plan plan = {0};
	int r = harden_begin(init->control, err);

	if (r == 0)
		r = open_signals(init, err);
	if (r == 0)
		r = wait_go(init, &plan, err);
	if (r == 0)
		r = harden_init(err);
	if (r < 0)
		return r;

	struct build build = {.plan = &plan, .watches = &init->watches};

	r = start_world(init, &build, err);
	build_done(&build);
	return r;
}

/* Loop --------------------------------------------------------------------------------- */

static int take_packets(struct init *init, struct error *err)
{
	for (int i = 0; i < PACKETS_MAX; i++) {
		int r = control_recv(init->control, &init->packet, err);

		if (r <= 0)
			return r;

		uint32_t kind = init->packet.header.kind;
		handler_fn *handler = kind < CONTROL_END ? handlers[kind] : NULL;

		r = handler ? handler(init, err)
			    : error_set(err, EBADMSG, "a control packet of unknown kind %u", kind);
		control_packet_done(&init->packet);
		if (r < 0)
			return r;
	}
	return 0;
}

static void drain(int fd)
{
	struct signalfd_siginfo info[4];

	(void)!read(fd, info, sizeof(info)); // all SIGCHLD; the children tell the rest
}

static int serve(struct init *init, struct error *err)
{
	struct pollfd fds[] = {
		{.fd = init->control, .events = POLLIN},
		{.fd = init->spawner.done_fd, .events = POLLIN},
		{.fd = init->signals, .events = POLLIN},
		{.fd = init->reports, .events = POLLIN},
	};

	for (;;) {
		int timeout_ms = init->more ? 0 : init->spawner.job ? STUCK_MS : -1;
		int r = poll(fds, ARRAY_LEN(fds), timeout_ms);

		if (r < 0 && errno != EINTR)
			return error_errno(err, "poll");
		if (r == 0 && !init->more)
			command_spawn_nudge(init);
		r = 0;
		if (fds[0].revents)
			r = take_packets(init, err);
		// Before the children, so that a command is reported as started before as ended.
		if (r == 0 && fds[1].revents)
			r = command_spawn_done(init, err);
		if (r == 0 && fds[3].revents)
			r = reaping_take_reports(init, err);
		if (fds[2].revents)
			drain(init->signals);
		if (r == 0 && (fds[2].revents || init->more))
			r = reaping_run(init, err);
		if (r < 0)
			return r;
	}
}

int init_run(int control, struct error *err)
{
	// Large (a packet), and the process ends with it.
	struct init *init = malloc(sizeof(*init));

	if (!init)
		return error_oom(err);
	memset(init, 0, offsetof(struct init, packet));
	init->control = control;
	init->root = -1;
	init->proc = -1;
	init->reports = -1;
	init->jobs_end = &init->jobs;

	int r = start(init, err);

	if (r < 0) {
		struct error unsent = {0};

		(void)answering_send(init, CONTROL_FAILED, 0,
				     &(struct answering_body){err, sizeof(*err)}, &unsent);
		return r;
	}
	r = serve(init, err);
	return r == -EPIPE ? 0 : r;
}

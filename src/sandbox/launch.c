// SPDX-License-Identifier: Apache-2.0
/**
 * Starting substrate-init.
 *
 * How it works: init runs as nobody in its new user namespace until the maps are written, and
 * touches nothing before CONTROL_GO; it keeps its capabilities over exec only because the
 * ambient set has them.  The control socket is descriptor 3; it is all that init gets.
 */
#include "sandbox/launch.h"

#include "base/error.h"
#include "base/fd.h"
#include "proc/spawn.h"
#include "sandbox/control.h"
#include "sandbox/launch_priv.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORLD_NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP)

/** Kill and reap an init that got no further; the pidfd is not reaped yet, so it is its own. */
static void abandon(int pidfd)
{
	siginfo_t info;

	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
}

static int start_init(const char *path, int control, pid_t *ret_pid, int *ret_pidfd,
		      struct error *err)
{
	char name[] = "substrate-init";
	char *const argv[] = {name, NULL};
	char *const envp[] = {NULL};
	const int fds[] = {-1, -1, -1, control};
	const struct spawn_request req = {
		.path = path,
		.argv = argv,
		.envp = envp,
		.fds = fds,
		.nfds = ARRAY_LEN(fds),
		.clone_flags = WORLD_NAMESPACES,
		.new_session = true,
		.keep_caps = true,
	};
	int r = spawn_start(&req, ret_pid, ret_pidfd, err);

	return r == -EPERM || r == -ENOSPC || r == -EUSERS ? launch_explain_refusal(r, err) : r;
}

static int send_go(const struct launch_request *req, int control, struct error *err)
{
	const struct control_go go = {
		.version = CONTROL_VERSION,
		.guards_off = req->harden_off,
	};
	const struct control_message msg = {
		.header = {.kind = CONTROL_GO},
		.body = &go,
		.body_size = sizeof(go),
		.fds = &req->plan_fd,
		.nfds = 1,
	};

	return control_send(control, &msg, err);
}

int launch_start(const struct launch_request *req, struct launch *ret, struct error *err)
{
	int pair[2];
	pid_t pid = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return error_errno(err, "socketpair");

	AUTO(fd_close) int ours = pair[0];
	AUTO(fd_close) int theirs = pair[1];
	AUTO(fd_close) int pidfd = -1;
	int r = start_init(req->init_path, theirs, &pid, &pidfd, err);

	if (r < 0)
		return r;
	theirs = fd_close(theirs); // else init's end would never be closed
	r = launch_maps_write(pid, err);
	if (r == 0)
		r = send_go(req, ours, err);
	if (r < 0) {
		abandon(pidfd);
		return r == -EPERM ? launch_explain_refusal(r, err) : r;
	}
	*ret = (struct launch){
		.pid = pid,
		.pidfd = TAKE_FD(pidfd),
		.control_fd = TAKE_FD(ours),
	};
	return 0;
}

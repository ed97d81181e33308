// SPDX-License-Identifier: Apache-2.0
/**
 * Peers of the socket.
 *
 * How it works: the kernel says who called connect() (SO_PEERCRED) and gives a pidfd of that
 * process (SO_PEERPIDFD).  The namespaces are read by pid number afterwards, then the pidfd is
 * asked whether its process still exists.  If it does, the number belonged to it all the while.
 */
#include "http/peer.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Headers of older systems lack it; the number is the same on every architecture we build for.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define STAT_SIZE_MAX 4096
#define STAT_STARTTIME 22 // field of /proc/PID/stat, counted from 1

/** The identity of a namespace link. */
static int read_ns(const char *path, struct peer_ns *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_errno(err, "%s", path);
	*ret = (struct peer_ns){st.st_dev, st.st_ino};
	return 0;
}

int peer_self_read(struct peer_self *ret, struct error *err)
{
	struct peer_self self = {.uid = geteuid()};
	int r = read_ns("/proc/self/ns/user", &self.user, err);

	if (r == 0)
		r = read_ns("/proc/self/ns/pid", &self.pid, err);
	if (r == 0)
		*ret = self;
	return r;
}

/** Is the process in our namespace of this kind? */
static int check_ns(pid_t pid, const char *kind, const struct peer_ns *own, struct error *err)
{
	char path[64];
	struct peer_ns ns = {0};

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);

	int r = read_ns(path, &ns, err);

	if (r < 0)
		return error_set(err, EACCES, "the namespaces of process %d cannot be read",
				 (int)pid);
	if (ns.dev != own->dev || ns.ino != own->ino)
		return error_set(err, EACCES, "process %d is in another %s namespace", (int)pid,
				 kind);
	return 0;
}

/** Who connected; refused by uid here. */
static int read_credentials(const struct peer_self *self, int fd, struct peer *peer,
			    struct error *err)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return error_errno(err, "credentials of the peer");
	if (cred.pid <= 0)
		return error_set(err, EACCES,
				 "the peer is in a PID namespace that is not seen here");
	if (cred.uid != self->uid)
		return error_set(err, EACCES, "uid %u is not the daemon's", (unsigned)cred.uid);
	*peer = (struct peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid, .pidfd = -1};
	return 0;
}

/** Both namespaces, then: does the pidfd's process still exist? */
static int check_process(const struct peer_self *self, const struct peer *peer, struct error *err)
{
	int r = check_ns(peer->pid, "user", &self->user, err);

	if (r == 0)
		r = check_ns(peer->pid, "pid", &self->pid, err);
	if (r < 0)
		return r;
	// No wrapper in older libcs.
	if (syscall(SYS_pidfd_send_signal, peer->pidfd, 0, NULL, 0) < 0)
		return error_set(err, EACCES, "process %d has ended", (int)peer->pid);
	return 0;
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold anything, so count from its end. */
static int read_start_time(pid_t pid, unsigned long long *ret, struct error *err)
{
	AUTO(mem_free) char *text = NULL;
	char path[64];
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);

	int r = fd_read_file(AT_FDCWD, path, STAT_SIZE_MAX, &text, &len, err);

	if (r < 0)
		return error_set(err, EACCES, "process %d cannot be identified", (int)pid);

	char *at = strrchr(text, ')');

	for (int field = 2; at && field < STAT_STARTTIME; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return error_set(err, EACCES, "process %d cannot be identified", (int)pid);
	*ret = strtoull(at + 1, NULL, 10);
	return 0;
}

/** Why there is no pidfd, from errno: our want of descriptors is no fault of the peer's. */
static int no_pidfd(const struct peer *peer, struct error *err)
{
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return error_errno(err, "identify process %d", (int)peer->pid);
	return error_set(err, EACCES, "process %d has ended", (int)peer->pid);
}

int peer_check_by_pid(const struct peer_self *self, int fd, struct peer *ret, struct error *err)
{
	struct peer peer = {.pidfd = -1};
	unsigned long long before = 0;
	unsigned long long after = 0;
	int r = read_credentials(self, fd, &peer, err);

	if (r == 0)
		r = read_start_time(peer.pid, &before, err);
	if (r < 0)
		return r;

	AUTO(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);

	if (pidfd < 0)
		return no_pidfd(&peer, err);
	peer.pidfd = pidfd;
	r = read_start_time(peer.pid, &after, err);
	if (r < 0)
		return r;
	if (before != after)
		return error_set(err, EACCES, "process %d has ended", (int)peer.pid);
	r = check_process(self, &peer, err);
	if (r < 0)
		return r;
	*ret = peer;
	ret->pidfd = TAKE_FD(pidfd);
	return 0;
}

int peer_check(const struct peer_self *self, int fd, struct peer *ret, struct error *err)
{
	struct peer peer = {.pidfd = -1};
	int pidfd_raw = -1;
	socklen_t size = sizeof(pidfd_raw);
	int r = read_credentials(self, fd, &peer, err);

	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd_raw, &size) < 0) {
		if (errno == ENOPROTOOPT)
			return peer_check_by_pid(self, fd, ret, err);
		return no_pidfd(&peer, err);
	}

	AUTO(fd_close) int pidfd = pidfd_raw;

	peer.pidfd = pidfd;
	r = check_process(self, &peer, err);
	if (r < 0)
		return r;
	*ret = peer;
	ret->pidfd = TAKE_FD(pidfd);
	return 0;
}

void peer_done(struct peer *peer)
{
	peer->pidfd = fd_close(peer->pidfd);
}

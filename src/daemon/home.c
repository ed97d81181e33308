// SPDX-License-Identifier: Apache-2.0
/** The daemon's directory, its lock and its socket. */
#include "daemon/home.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define LOG_MAX (1 << 20) // a longer log starts anew with the next daemon

static int home_name(char **ret, struct error *err)
{
	const char *set = getenv("SUBSTRATE_HOME");

	if (set && set[0] != '\0') {
		*ret = path_clean(set);
		return *ret ? 0
			    : error_set(err, EINVAL, "SUBSTRATE_HOME '%s' is not absolute", set);
	}

	const char *base = getenv("HOME");
	const struct passwd *entry = base && base[0] == '/' ? NULL : getpwuid(getuid());

	if (!base || base[0] != '/')
		base = entry ? entry->pw_dir : NULL;
	if (!base || base[0] != '/')
		return error_set(err, ENOENT, "neither SUBSTRATE_HOME nor HOME is set");

	AUTO(mem_free) char *joined = path_join(base, ".substrate");

	*ret = joined ? path_clean(joined) : NULL;
	return *ret ? 0 : error_oom(err);
}

/** A parent is good when nobody but its owner (us or root) can replace what is in it. */
static int check_parent(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return error_errno(err, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ENOTDIR, "%s is not a directory", path);
	if (st.st_uid != getuid() && st.st_uid != 0)
		return error_set(err, EPERM, "%s belongs to uid %u: it could replace what is in it",
				 path, st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
		return error_set(err, EPERM,
				 "%s can be written by others (mode %04o); use chmod go-w", path,
				 st.st_mode & 07777);
	return 0;
}

/** All directories above `real`. */
static int check_parents(const char *real, struct error *err)
{
	AUTO(mem_free) char *at = path_parent(real);

	while (at) {
		int r = check_parent(at, err);

		if (r < 0)
			return r;
		if (at[1] == '\0')
			return 0;

		char *up = path_parent(at);

		free(at);
		at = up;
	}
	return error_oom(err);
}

static int check_home(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "%s", path);
	if (st.st_uid != getuid())
		return error_set(err, EPERM, "SUBSTRATE_HOME %s belongs to uid %u, not to %u", path,
				 st.st_uid, getuid());
	if ((st.st_mode & 0777) != 0700)
		return error_set(err, EPERM, "%s has mode %04o: use chmod 700 %s", path,
				 st.st_mode & 07777, path);
	return 0;
}

/** Make it where it may be: a place that is refused stays as it is. */
static int make_home(const char *name, struct error *err)
{
	AUTO(mem_free) char *parent = path_parent(name);
	AUTO(mem_free) char *real = NULL;
	struct stat st;

	if (!parent || lstat(name, &st) == 0)
		return 0; // "/", or there already: it is judged later
	if (errno != ENOENT)
		return error_errno(err, "SUBSTRATE_HOME %s", name);

	int r = path_real(parent, &real, err);

	if (r == 0)
		r = check_parent(real, err);
	if (r == 0)
		r = check_parents(real, err);
	if (r == 0 && mkdir(name, 0700) < 0 && errno != EEXIST)
		r = error_errno(err, "make SUBSTRATE_HOME %s", name);
	return r;
}

int home_open(struct home *ret, struct error *err)
{
	AUTO(mem_free) char *name = NULL;
	AUTO(mem_free) char *real = NULL;
	int r = home_name(&name, err);

	if (r == 0)
		r = make_home(name, err);
	if (r < 0)
		return r;
	r = path_real(name, &real, err);
	if (r < 0)
		return r;

	AUTO(fd_close) int fd = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open SUBSTRATE_HOME %s", real);
	r = check_home(fd, real, err);
	if (r == 0)
		r = check_parents(real, err);
	if (r < 0)
		return r;
	*ret = (struct home){.path = TAKE_PTR(real), .fd = TAKE_FD(fd), .lock_fd = -1};
	return 0;
}

void home_close(struct home *home)
{
	free(home->path);
	home->path = NULL;
	home->lock_fd = fd_close(home->lock_fd);
	home->fd = fd_close(home->fd);
}

int home_lock(struct home *home, struct error *err)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	char pid[16];

	// The directory is locked too: a lock on a file is lost when somebody removes the file.
	if (flock(home->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 1 : error_errno(err, "lock %s", home->path);

	AUTO(fd_close) int fd = openat(home->fd, "daemon.lock", flags, 0600);
	if (fd < 0)
		return error_errno(err, "open %s/daemon.lock", home->path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 1 : error_errno(err, "lock %s", home->path);
	// The number is for people, and a full disk may refuse it: who holds the lock is decided by
	// the lock.
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0)
		(void)fd_write_full(fd, pid, strlen(pid));
	home->lock_fd = TAKE_FD(fd);
	return 0;
}

pid_t home_holder(const struct home *home)
{
	AUTO(mem_free) char *text = NULL;
	struct error ignored = {0};
	size_t len = 0;
	long pid = 0;

	if (fd_read_file(home->fd, "daemon.lock", 32, &text, &len, &ignored) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return str_to_long(text, 1, INT_MAX, &pid) < 0 ? 0 : (pid_t)pid;
}

int home_open_log(const struct home *home, int *ret_fd, struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	AUTO(fd_close) int fd = openat(home->fd, "daemon.log", flags, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "open %s/daemon.log", home->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s/daemon.log is not a file", home->path);
	if (st.st_size > LOG_MAX)
		(void)!ftruncate(fd, 0); // else it only grows on
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/**
 * The socket's name: its real path, by which worlds find sockets that they must not show
 * (/proc/net/unix); through a descriptor of its directory when that is too long for 108 bytes.
 */
static void name_socket(const struct home *home, int dir, struct sockaddr_un *ret)
{
	size_t size = sizeof(ret->sun_path);
	int len = snprintf(ret->sun_path, size, "%s/sock/agent.sock", home->path);

	if (len < 0 || (size_t)len >= size)
		(void)snprintf(ret->sun_path, size, "/proc/self/fd/%d/agent.sock", dir);
}

/** The socket's directory, made when missing. */
static int open_sock_dir(struct home *home, int *ret, struct error *err)
{
	if (mkdirat(home->fd, "sock", 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make %s/sock", home->path);

	AUTO(fd_close)
	int fd = openat(home->fd, "sock", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open %s/sock", home->path);

	int r = check_home(fd, "sock", err);
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

int home_listen(struct home *home, int *ret_fd, struct error *err)
{
	AUTO(fd_close) int dir = -1;
	int r = open_sock_dir(home, &dir, err);

	if (r < 0)
		return r;

	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, "socket");

	struct sockaddr_un address = {.sun_family = AF_UNIX};

	name_socket(home, dir, &address);
	if (unlinkat(dir, "agent.sock", 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove the stale %s/sock/agent.sock", home->path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, "bind %s/sock/agent.sock", home->path);
	if (fchmodat(dir, "agent.sock", 0600, 0) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(err, "listen on %s/sock/agent.sock", home->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool home_withdraw(struct home *home, int listen_fd)
{
	struct pollfd waiting = {.fd = listen_fd, .events = POLLIN};

	if (renameat(home->fd, "sock/agent.sock", home->fd, "sock/agent.leaving") < 0)
		return true; // it is gone, or cannot be moved: no reason to stay for ever
	if (poll(&waiting, 1, 0) > 0) {
		(void)renameat(home->fd, "sock/agent.leaving", home->fd, "sock/agent.sock");
		return false;
	}
	(void)unlinkat(home->fd, "sock/agent.leaving", 0);
	return true;
}

void home_unlisten(struct home *home)
{
	(void)unlinkat(home->fd, "sock/agent.sock", 0); // a stale one is replaced anyway
}

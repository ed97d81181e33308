// SPDX-License-Identifier: Apache-2.0
/** Connecting: one system call where the path fits, through /proc/self/fd where it does not. */
#include "client/dial.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** Name the socket by a descriptor of its directory, which *ret_dir keeps open. */
static int address_by_fd(const char *home, struct sockaddr_un *address, int *ret_dir,
			 struct error *err)
{
	AUTO(fd_close) int base = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (base < 0)
		return error_errno(err, "%s", home);

	AUTO(fd_close)
	int dir = openat(base, "sock", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return error_errno(err, "%s/sock", home);
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/agent.sock",
		       dir);
	*ret_dir = TAKE_FD(dir);
	return 0;
}

/** The socket's path may be replaced by others of our uid only, but who listens is what counts. */
static int check_owner(int fd, struct error *err)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return error_errno(err, "credentials of the daemon");
	if (cred.uid != geteuid())
		return error_set(err, EACCES, "the daemon's socket belongs to uid %u",
				 (unsigned)cred.uid);
	return 0;
}

int dial_daemon(const char *home, int *ret, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO(fd_close) int dir = -1;
	int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock/agent.sock", home);

	if (len < 0 || (size_t)len >= sizeof(address.sun_path)) {
		int r = address_by_fd(home, &address, &dir, err);

		if (r < 0)
			return r;
	}

	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(err, "socket");
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EINTR)
			return error_errno(err, "connect to %s/sock/agent.sock", home);
	}

	int r = check_owner(fd, err);

	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

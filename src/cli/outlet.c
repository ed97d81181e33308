// SPDX-License-Identifier: Apache-2.0
/** One function a kind of descriptor. */
#include "cli/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define MEMORY_MAJOR 1 /* /dev/null, /dev/full and their kind */

static enum outlet_kind kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return OUTLET_FILE; // write() will say what is wrong
	if (S_ISFIFO(st.st_mode))
		return OUTLET_PIPE;
	if (S_ISSOCK(st.st_mode))
		return OUTLET_SOCKET;
	if (S_ISCHR(st.st_mode) && major(st.st_rdev) != MEMORY_MAJOR)
		return OUTLET_SMALL;
	return OUTLET_FILE;
}

static ssize_t write_file(int fd, const void *data, size_t len)
{
	return write(fd, data, len);
}

static ssize_t write_pipe(int fd, const void *data, size_t len)
{
	struct iovec part;

	memcpy(&part.iov_base, &data, sizeof(data)); // the one field that lacks const
	part.iov_len = len;
	return pwritev2(fd, &part, 1, -1, RWF_NOWAIT);
}

static ssize_t write_socket(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_DONTWAIT);
}

/** A pipe or terminal that polls writable takes this much without blocking. */
static ssize_t write_small(int fd, const void *data, size_t len)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};
	int r = poll(&poller, 1, 0);

	if (r < 0)
		return -1;
	if (r == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

static ssize_t (*const writers[])(int fd, const void *data, size_t len) = {
	[OUTLET_UNKNOWN] = write_file,  [OUTLET_FILE] = write_file,   [OUTLET_PIPE] = write_pipe,
	[OUTLET_SOCKET] = write_socket, [OUTLET_SMALL] = write_small,
};

ssize_t outlet_write(struct outlet *outlet, const void *data, size_t len)
{
	if (outlet->kind == OUTLET_UNKNOWN)
		outlet->kind = kind_of(outlet->fd);

	ssize_t n = writers[outlet->kind](outlet->fd, data, len);

	// Kernels before 6.5 know no RWF_NOWAIT for pipes.
	if (n < 0 && outlet->kind == OUTLET_PIPE && (errno == EOPNOTSUPP || errno == ENOSYS)) {
		outlet->kind = OUTLET_SMALL;
		n = write_small(outlet->fd, data, len);
	}
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

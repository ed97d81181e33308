// SPDX-License-Identifier: Apache-2.0
/** One function a kind of descriptor. */
#include "cli/outlet.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define MEMORY_MAJOR 1 /* /dev/null, /dev/full and their kind */
#define SMALL 256      /* a terminal that polls writable has room for this */

void outlet_done(struct outlet *outlet)
{
	if (outlet->kind == OUTLET_OWN)
		(void)fd_close(outlet->own);
	*outlet = (struct outlet){0};
}

/** A second open file of the same terminal or pipe, whose O_NONBLOCK is ours alone. */
static enum outlet_kind open_own(struct outlet *outlet)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", outlet->fd);
	outlet->own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return outlet->own >= 0 ? OUTLET_OWN : OUTLET_SMALL;
}

static enum outlet_kind find_kind(struct outlet *outlet)
{
	struct stat st;

	if (fstat(outlet->fd, &st) < 0)
		return OUTLET_FILE; // write() will say what is wrong
	if (S_ISFIFO(st.st_mode))
		return OUTLET_PIPE;
	if (S_ISSOCK(st.st_mode))
		return OUTLET_SOCKET;
	if (S_ISCHR(st.st_mode) && major(st.st_rdev) != MEMORY_MAJOR)
		return open_own(outlet);
	return OUTLET_FILE;
}

static ssize_t write_file(const struct outlet *outlet, const void *data, size_t len)
{
	return write(outlet->fd, data, len);
}

static ssize_t write_pipe(const struct outlet *outlet, const void *data, size_t len)
{
	struct iovec part;

	memcpy(&part.iov_base, &data, sizeof(data)); // the one field that lacks const
	part.iov_len = len;
	return pwritev2(outlet->fd, &part, 1, -1, RWF_NOWAIT);
}

static ssize_t write_socket(const struct outlet *outlet, const void *data, size_t len)
{
	return send(outlet->fd, data, len, MSG_DONTWAIT);
}

static ssize_t write_own(const struct outlet *outlet, const void *data, size_t len)
{
	return write(outlet->own, data, len);
}

static ssize_t write_small(const struct outlet *outlet, const void *data, size_t len)
{
	struct pollfd poller = {.fd = outlet->fd, .events = POLLOUT};
	int r = poll(&poller, 1, 0);

	if (r < 0)
		return -1;
	if (r == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(outlet->fd, data, len < SMALL ? len : SMALL);
}

static ssize_t (*const writers[])(const struct outlet *outlet, const void *data, size_t len) = {
	[OUTLET_UNKNOWN] = write_file,  [OUTLET_FILE] = write_file, [OUTLET_PIPE] = write_pipe,
	[OUTLET_SOCKET] = write_socket, [OUTLET_OWN] = write_own,   [OUTLET_SMALL] = write_small,
};

ssize_t outlet_write(struct outlet *outlet, const void *data, size_t len)
{
	if (outlet->kind == OUTLET_UNKNOWN)
		outlet->kind = find_kind(outlet);

	ssize_t n = writers[outlet->kind](outlet, data, len);

	// Kernels before 6.5 know no RWF_NOWAIT for pipes.
	if (n < 0 && outlet->kind == OUTLET_PIPE && (errno == EOPNOTSUPP || errno == ENOSYS)) {
		outlet->kind = open_own(outlet);
		n = writers[outlet->kind](outlet, data, len);
	}
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

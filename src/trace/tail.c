// SPDX-License-Identifier: Apache-2.0
/** A file that only grows, by whole pieces. */
#include "trace/tail_priv.h"

#include "base/error.h"
#include "base/fd.h"
#include "trace/trace_files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int tail_open(struct tail *tail, int dirfd, const char *name, bool *ret_made, struct error *err)
{
	const int flags = O_RDWR | O_APPEND;
	struct stat st;
	bool made = false;
	AUTO(fd_close) int fd = -1;
	int r = trace_files_open(dirfd, name, flags, &fd, err);

	if (r == -ENOENT) {
		made = true;
		r = trace_files_open(dirfd, name, flags | O_CREAT | O_EXCL, &fd, err);
	}
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return error_errno(err, "stat %s", name);
	if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0)
		return error_errno(err, "chmod %s", name);
	*tail = (struct tail){
		.size = (uint64_t)st.st_size,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.fd = TAKE_FD(fd),
	};
	*ret_made = made;
	return 0;
}

void tail_close(struct tail *tail)
{
	tail->fd = fd_close(tail->fd);
}

void tail_cut(struct tail *tail, uint64_t size)
{
	if (ftruncate(tail->fd, (off_t)size) < 0)
		tail->stuck = true;
	else
		tail->size = size;
}

int tail_append(struct tail *tail, const void *data, size_t len, struct error *err)
{
	if (fd_write_full(tail->fd, data, len) < 0) {
		int r = error_errno(err, "write the trace");

		tail_cut(tail, tail->size);
		return r;
	}
	tail->size += len;
	return 0;
}

int tail_check(const struct tail *tail, int dirfd, const char *name, struct error *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(err, ESTALE, "%s is gone: another program took it away", name);
	if (st.st_ino != tail->ino || st.st_dev != tail->dev)
		return error_set(err, ESTALE, "%s was replaced by another program", name);
	if ((uint64_t)st.st_size != tail->size)
		return error_set(err, ESTALE, "%s was changed by another program", name);
	return 0;
}

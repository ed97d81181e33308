// SPDX-License-Identifier: Apache-2.0
/** File descriptors: whole reads and writes, sealed memory files, opening beneath a directory. */
#include "base/fd.h"

#include "base/buf.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_CHUNK 4096U

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int fd_close(int fd)
{
	if (fd >= 0) {
		int saved = errno;

		(void)close(fd); // the descriptor is gone whatever close() says
		errno = saved;
	}
	return -1;
}

ssize_t fd_read_full(int fd, void *data, size_t size)
{
	char *at = data;
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, at + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

int fd_write_full(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/** Set or clear one bit of what F_GETx reads and F_SETx writes. */
static int change_flag(int fd, int get, int set, int flag, int on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -1;

	int wanted = on ? flags | flag : flags & ~flag;

	return wanted == flags || fcntl(fd, set, wanted) >= 0 ? 0 : -1;
}

int fd_set_nonblock(int fd, int on)
{
	return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, int on)
{
	return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

/**
 * Open a regular file for reading without following a link or waiting for a FIFO's writer.
 * Returns the descriptor or -errno.
 */
static int open_regular(int dirfd, const char *path, off_t *ret_size, struct error *err)
{
	AUTO(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return error_errno(err, "open %s", path);
	if (fstat(fd, &st) < 0)
		return error_errno(err, "stat %s", path);
	if (S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "%s is a directory", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s is not a regular file", path);
	*ret_size = st.st_size;
	return TAKE_FD(fd);
}

int fd_read_file(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len,
		 struct error *err)
{
	AUTO(buf_done) struct buf buf = {0};
	off_t size = 0;
	AUTO(fd_close) int fd = open_regular(dirfd, path, &size, err);
	ssize_t n;

	if (fd < 0)
		return fd;
	if ((uint64_t)size > max)
		return error_set(err, E2BIG, "%s is larger than %zu bytes", path, max);
	// The size is only a hint: files of /proc say 0, and any file may grow while it is read.
	size_t step = size > 0 ? (size_t)size + 1 : READ_CHUNK;

	do {
		char *at = buf.len > max ? NULL : buf_room(&buf, step);

		if (!at)
			break;
		n = fd_read_full(fd, at, step);
		if (n < 0)
			return error_errno(err, "read %s", path);
		buf_advance(&buf, (size_t)n);
	} while ((size_t)n == step);

	if (buf.len > max)
		return error_set(err, E2BIG, "%s is larger than %zu bytes", path, max);

	size_t len = buf.len;
	char *data = buf_take(&buf);

	if (!data)
		return error_oom(err);
	*ret = data;
	*ret_len = len;
	return 0;
}

/** A memfd that cannot be executed, where the kernel knows that (6.3). */
static int create_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

int fd_sealed(const char *name, const void *data, size_t size, int *ret, struct error *err)
{
	AUTO(fd_close) int fd = create_memfd(name);

	if (fd < 0)
		return error_errno(err, "memfd_create %s", name);
	if (fd_write_full(fd, data, size) < 0)
		return error_errno(err, "write memfd %s", name);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "rewind memfd %s", name);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return error_errno(err, "seal memfd %s", name);
	*ret = TAKE_FD(fd);
	return 0;
}

/** True when a component of path is "..". */
static bool has_dotdot(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2) {
		if ((at == path || at[-1] == '/') && (at[2] == '\0' || at[2] == '/'))
			return true;
	}
	return false;
}

int fd_open_beneath(int dirfd, const char *path, uint64_t flags, uint32_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	// RESOLVE_BENEATH alone allows ".." that stays below dirfd.
	if (has_dotdot(path)) {
		errno = EXDEV;
		return -1;
	}
	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Trees that a world made.
 *
 * Must: hold every directory by a descriptor; open each name beneath it with no symlink, no
 * magic link and no mount on the way; read only regular files, without waiting.
 * Must not: use a path of more than one component, trust a type that was read before the open,
 * or run without bounds.  A tree may change while it is walked: a directory that is moved
 * elsewhere meanwhile stays the one that was opened.
 */
#include "world/aside_tree.h"

#include "base/error.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX 24U
#define CHUNK 8192U
/** How often a directory that fills up again is emptied. */
#define PASSES_MAX 3

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return NULL;
}
DEFINE_AUTO(DIR *, dir_close)

int aside_tree_open(int dirfd, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};

	if (flags & O_PATH)
		how.flags &= ~(uint64_t)O_NONBLOCK; // openat2 refuses flags that mean nothing
	return (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
}

int aside_tree_chmod(int fd, mode_t mode)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	// fchmod() refuses O_PATH descriptors; the magic link leads to the very same inode.
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) < 0 ? -errno : 0;
}

int aside_tree_unlock(int dirfd)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return -errno;

	int mode = (int)(st.st_mode & 07777U);
	int r = (mode & 0700) == 0700 ? 0 : aside_tree_chmod(dirfd, (mode_t)mode | 0700U);

	return r < 0 ? r : mode;
}

int aside_tree_enter(int dirfd, const char *name)
{
	int fd = aside_tree_open(dirfd, name, O_RDONLY | O_DIRECTORY);

	if (fd >= 0 || errno != EACCES)
		return fd;

	AUTO(fd_close) int pin = aside_tree_open(dirfd, name, O_PATH | O_DIRECTORY);

	if (pin < 0 || aside_tree_unlock(pin) < 0) {
		errno = EACCES;
		return -1;
	}
	return aside_tree_open(dirfd, name, O_RDONLY | O_DIRECTORY);
}

/** A stream over the directory; takes its own descriptor. */
static DIR *read_dir(int fd)
{
	AUTO(fd_close) int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	if (dir)
		own = -1; // it is the stream's
	if (dir)
		rewinddir(dir);
	return dir;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Copying ------------------------------------------------------------------------------ */

static int copy_file(int from, const char *name, int to, const char *to_name,
		     struct aside_budget *budget)
{
	char chunk[CHUNK];
	AUTO(fd_close) int in = aside_tree_open(from, name, O_RDONLY);
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;

	AUTO(fd_close)
	int out = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			 st.st_mode & 0777U);
	if (out < 0)
		return -1;
	for (;;) {
		size_t room = budget->bytes < CHUNK ? (size_t)budget->bytes : CHUNK;
		ssize_t n = room > 0 ? fd_read_full(in, chunk, room) : 0;

		if (n < 0 || fd_write_full(out, chunk, (size_t)n) < 0)
			return -1;
		budget->bytes -= (uint64_t)n;
		if ((size_t)n < room)
			return 0;
		if (room == 0)
			return read(in, chunk, 1) == 0 ? 0 : -1;
	}
}

static int copy_link(int from, const char *name, int to, const char *to_name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlinkat(target, to, to_name);
}

static void copy_entry(int from, const char *name, int to, const char *to_name,
		       struct aside_budget *budget, unsigned depth);

static void copy_dir(int from, const char *name, int to, const char *to_name,
		     struct aside_budget *budget, unsigned depth)
{
	AUTO(fd_close) int in = aside_tree_enter(from, name);
	AUTO(dir_close) DIR *dir = in < 0 ? NULL : read_dir(in);
	const struct dirent *entry;

	if (!dir || depth >= DEPTH_MAX || mkdirat(to, to_name, 0700) < 0) {
		budget->cut = true;
		return;
	}

	AUTO(fd_close) int out = aside_tree_open(to, to_name, O_RDONLY | O_DIRECTORY);

	if (out < 0) {
		budget->cut = true;
		return;
	}
	while (budget->entries > 0 && (entry = readdir(dir))) {
		if (!is_dot(entry->d_name))
			copy_entry(in, entry->d_name, out, entry->d_name, budget, depth + 1);
	}
	if (budget->entries == 0)
		budget->cut = true;
}

static void copy_entry(int from, const char *name, int to, const char *to_name,
		       struct aside_budget *budget, unsigned depth)
{
	struct stat st;
	int r = -1;

	if (budget->entries == 0 || fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		budget->cut = true;
		return;
	}
	budget->entries--;
	if (S_ISDIR(st.st_mode)) {
		copy_dir(from, name, to, to_name, budget, depth);
		return;
	}
	// The type may be another one by the time it is opened; then the open refuses.
	if (S_ISREG(st.st_mode))
		r = copy_file(from, name, to, to_name, budget);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, name, to, to_name);
	if (r < 0)
		budget->cut = true;
}

int aside_tree_copy(int from, const char *name, int to, const char *to_name,
		    struct aside_budget *budget, struct error *err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "%s", name);
	copy_entry(from, name, to, to_name, budget, 0);
	return 0;
}

/* Removing ----------------------------------------------------------------------------- */

static int remove_entry(int dirfd, const char *name, struct aside_budget *budget, unsigned depth);

/** One pass over a directory.  Returns 0, or -errno of what could not be removed. */
static int empty_dir(int fd, struct aside_budget *budget, unsigned depth)
{
	AUTO(dir_close) DIR *dir = read_dir(fd);
	const struct dirent *entry;
	int worst = 0;

	if (!dir)
		return -errno;
	while (budget->entries > 0 && (entry = readdir(dir))) {
		int r = is_dot(entry->d_name) ? 0
					      : remove_entry(fd, entry->d_name, budget, depth + 1);

		if (r < 0)
			worst = r;
	}
	return budget->entries == 0 ? -E2BIG : worst;
}

static int remove_dir(int dirfd, const char *name, struct aside_budget *budget, unsigned depth)
{
	AUTO(fd_close) int fd = aside_tree_enter(dirfd, name);

	if (fd < 0)
		return -errno;
	if (depth >= DEPTH_MAX)
		return -ELOOP;
	(void)aside_tree_unlock(fd);
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		int r = empty_dir(fd, budget, depth);

		if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
		if (r < 0)
			return r; // another pass would meet the same
	}
	return -ENOTEMPTY;
}

static int remove_entry(int dirfd, const char *name, struct aside_budget *budget, unsigned depth)
{
	struct stat st;

	if (budget->entries == 0)
		return -E2BIG;
	budget->entries--;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return remove_dir(dirfd, name, budget, depth);
	return unlinkat(dirfd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

int aside_tree_remove(int dirfd, const char *name, struct aside_budget *budget, struct error *err)
{
	int r = remove_entry(dirfd, name, budget, 0);

	if (r < 0) {
		budget->cut = true;
		return error_set(err, -r, "remove %s: %s", name, strerror(-r));
	}
	return 0;
}

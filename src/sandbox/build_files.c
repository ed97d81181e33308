// SPDX-License-Identifier: Apache-2.0
/** The operations that make directories, links and files. */
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/build_priv.h"
#include "sandbox/mounting_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES_MAX 65536U
#define COPY_MODE 0777U /**< No set-id bit is copied. */

/**
 * The directory that holds `path`, kept open for the next operation: a plan names many files of
 * one directory.  build.c closes it when something is mounted over it.
 */
static int open_parent(struct build *build, const char *path, const char **ret_name)
{
	struct build_parent *parent = &build->parent;
	const char *name = path_base(path);
	size_t len = (size_t)(name - path);

	if (len >= sizeof(parent->path) || name[0] == '\0') {
		errno = EINVAL;
		return -1;
	}
	*ret_name = name;
	if (len > 1)
		len--; // without the slash, but for the root's own
	if (parent->fd >= 0 && strlen(parent->path) == len && memcmp(parent->path, path, len) == 0)
		return parent->fd;
	parent->fd = fd_close(parent->fd);
	memcpy(parent->path, path, len);
	parent->path[len] = '\0';
	parent->fd = build_open(build, parent->path, O_PATH | O_DIRECTORY);
	return parent->fd;
}

/** Fine when what stands there already has the type that is wanted. */
static int check_existing(int parent, const char *name, mode_t type, struct error *err)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "stat");
	if ((st.st_mode & S_IFMT) != type)
		return error_set(err, EEXIST, "something else is there already");
	return 0;
}

static int make_dir(struct build *build, const char *path, mode_t mode, struct error *err)
{
	const char *name = NULL;
	int parent = open_parent(build, path, &name);

	if (parent < 0)
		return error_errno(err, "open the parent");
	if (mkdirat(parent, name, mode) == 0)
		return 0;
	if (errno == EEXIST)
		return check_existing(parent, name, S_IFDIR, err);
	return error_errno(err, "mkdir");
}

int build_files_dir(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *path = plan_string(build->plan, op->path);

	// The root itself stands already.
	return path[1] == '\0' ? 0 : make_dir(build, path, op->mode, err);
}

int build_files_link(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *name = NULL;
	int parent = open_parent(build, plan_string(build->plan, op->path), &name);

	if (parent < 0)
		return error_errno(err, "open the parent");
	if (symlinkat(build->plan->data + op->data, parent, name) < 0)
		return error_errno(err, "symlink");
	return 0;
}

/** A new file; never through a link, never over something that is there. */
static int create_file(struct build *build, const char *path, mode_t mode, struct error *err)
{
	const char *name = NULL;
	int parent = open_parent(build, path, &name);

	if (parent < 0)
		return error_errno(err, "open the parent");

	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	return fd < 0 ? error_errno(err, "create") : fd;
}

int build_files_file(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *path = plan_string(build->plan, op->path);
	AUTO(fd_close) int fd = create_file(build, path, op->mode, err);

	if (fd < 0)
		return fd;
	if (fd_write_full(fd, build->plan->data + op->data, op->data_len) < 0)
		return error_errno(err, "write");
	return 0;
}

/** Read the source of a copy; what is larger or no regular file is an error. */
static int read_source(const char *path, char *data, size_t *ret_len, struct stat *ret_st,
		       struct error *err)
{
	// O_NONBLOCK: a FIFO must not hold us up before we see that it is one.
	AUTO(fd_close) int fd = mounting_open_source(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return error_errno(err, "open");
	if (fstat(fd, ret_st) < 0)
		return error_errno(err, "stat");
	if (!S_ISREG(ret_st->st_mode))
		return error_set(err, EINVAL, "not a regular file");

	ssize_t n = fd_read_full(fd, data, COPY_BYTES_MAX + 1);

	if (n < 0)
		return error_errno(err, "read");
	if (n > (ssize_t)COPY_BYTES_MAX)
		return error_set(err, E2BIG, "larger than %u KiB", COPY_BYTES_MAX >> 10);
	*ret_len = (size_t)n;
	return 0;
}

int build_files_copy(struct build *build, const struct plan_op *op, struct error *err)
{
	struct stat st = {0};
	size_t len = 0;

	if (!build->scratch)
		build->scratch = malloc(COPY_BYTES_MAX + 1); // for all copies of the plan
	if (!build->scratch)
		return error_oom(err);

	int r = read_source(plan_string(build->plan, op->source), build->scratch, &len, &st, err);

	if (r < 0)
		return r;

	const char *path = plan_string(build->plan, op->path);
	AUTO(fd_close) int fd = create_file(build, path, st.st_mode & COPY_MODE, err);

	if (fd < 0)
		return fd;
	if (fd_write_full(fd, build->scratch, len) < 0)
		return error_errno(err, "write");
	if (st.st_uid == build->uid && st.st_gid == build->gid)
		return 0;
	// An owner without a number in this namespace: the copy stays the world's user's.
	if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EINVAL && errno != EPERM)
		return error_errno(err, "chown");
	return 0;
}

int build_files_point(struct build *build, const char *path, bool directory, struct error *err)
{
	const char *name = NULL;
	int parent;

	if (directory)
		return make_dir(build, path, 0755, err);
	parent = open_parent(build, path, &name);
	if (parent < 0)
		return error_errno(err, "open the parent");

	AUTO(fd_close)
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);

	if (fd >= 0)
		return 0;
	if (errno != EEXIST)
		return error_errno(err, "create");

	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "stat");
	return S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)
		       ? error_set(err, EEXIST, "something else is there already")
		       : 0;
}

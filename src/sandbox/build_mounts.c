// SPDX-License-Identifier: Apache-2.0
/**
 * The operations that mount.
 *
 * How it works: the new root is mounted over "/".  A lookup starts at the root directory of the
 * process, which lies *below* that mount, so absolute paths still lead to the host's tree and the
 * new root hides nothing of it, wherever a project lies.  The new tree is reached only by its
 * descriptor, until PLAN_PIVOT makes it the root.
 */
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/build_priv.h"
#include "sandbox/mounting_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>

#define ROOT_BYTES "67108864" /**< Copies of small files are all that it holds. */

static bool is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int build_mounts_root(struct build *build, struct error *err)
{
	static const struct mounting_option options[] = {{"mode", "0755"}, {"size", ROOT_BYTES}};

	if (mounting_make_private() < 0)
		return error_errno(err, "make the mounts private");

	AUTO(fd_close)
	int root = mounting_new("tmpfs", options, ARRAY_LEN(options),
				MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	AUTO(fd_close) int top = mounting_open_source("/", O_PATH);

	if (root < 0 || top < 0)
		return error_errno(err, "make the new root");
	if (mounting_attach(root, top) < 0)
		return error_errno(err, "mount the new root");
	build->root = TAKE_FD(root);
	return 0;
}

/** Attach a detached tree at op's path, which PLAN_MAKE makes first. */
static int attach(struct build *build, const struct plan_op *op, int tree, struct error *err)
{
	const char *path = plan_string(build->plan, op->path);

	if (op->flags & PLAN_MAKE) {
		int r = build_files_point(build, path, is_directory(tree), err);

		if (r < 0)
			return r;
	}

	AUTO(fd_close) int target = build_open(build, path, O_PATH);

	if (target < 0)
		return error_errno(err, "open the mount point");
	if (mounting_attach(tree, target) < 0)
		return error_errno(err, "attach");
	return 0;
}

int build_mounts_bind(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *source = plan_string(build->plan, op->source);
	bool recursive = op->flags & PLAN_RECURSIVE;

	if (build->entered && !(op->flags & PLAN_INSIDE))
		return error_set(err, EINVAL, "the host is gone after pivot");

	AUTO(fd_close)
	int from = op->flags & PLAN_INSIDE ? build_open(build, source, O_PATH)
					   : mounting_open_source(source, O_PATH);
	if (from < 0)
		return error_errno(err, "open the source");

	AUTO(fd_close) int tree = mounting_clone(from, recursive);
	if (tree < 0 && errno == EINVAL && !recursive)
		return error_set(err, EINVAL, "the source has submounts: it must be recursive");
	if (tree < 0)
		return error_errno(err, "clone the source");
	if (mounting_narrow(tree, mounting_attrs(op->flags), recursive) < 0)
		return error_errno(err, "set mount attributes");

	int r = attach(build, op, tree, err);

	if (r < 0 || !(op->flags & PLAN_WATCH))
		return r;

	AUTO(fd_close) int spare = mounting_clone(tree, recursive);
	if (spare < 0)
		return error_errno(err, "clone the mount");
	return watch_add(build->watches, plan_string(build->plan, op->path), op->flags, tree,
			 TAKE_FD(spare), err);
}

int build_mounts_self(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *path = plan_string(build->plan, op->path);
	AUTO(fd_close) int tree = watch_bind_self(build->root, path, op->flags);

	if (tree < 0)
		return error_errno(err, "bind onto itself");
	return watch_add(build->watches, path, op->flags, tree, -1, err);
}

int build_mounts_tmpfs(struct build *build, const struct plan_op *op, struct error *err)
{
	char mode[16];
	char size[24];
	char inodes[24];
	struct mounting_option options[] = {{"mode", mode}, {NULL, NULL}, {NULL, NULL}};
	size_t count = 1;

	(void)snprintf(mode, sizeof(mode), "0%o", op->mode);
	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)op->size);
	(void)snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)op->inodes);
	if (op->size)
		options[count++] = (struct mounting_option){"size", size};
	if (op->inodes)
		options[count++] = (struct mounting_option){"nr_inodes", inodes};

	uint64_t attrs = mounting_attrs(op->flags | PLAN_RW);
	AUTO(fd_close) int tree = mounting_new("tmpfs", options, count, attrs);

	return tree < 0 ? error_errno(err, "make a tmpfs") : attach(build, op, tree, err);
}

int build_mounts_proc(struct build *build, const struct plan_op *op, struct error *err)
{
	AUTO(fd_close)
	int tree = mounting_new("proc", NULL, 0, mounting_attrs(op->flags | PLAN_RW));

	if (tree < 0 && errno == EPERM)
		return error_set(err, EPERM,
				 "a new procfs is refused: parts of this one are hidden, as in "
				 "most containers");
	if (tree < 0)
		return error_errno(err, "make a procfs");

	int r = attach(build, op, tree, err);

	if (r == 0 && build->proc < 0)
		build->proc = TAKE_FD(tree);
	return r;
}

int build_mounts_devpts(struct build *build, const struct plan_op *op, struct error *err)
{
	static const struct mounting_option options[] = {{"ptmxmode", "0666"}, {"mode", "0620"}};
	// Its nodes are the world's own terminals.
	uint64_t attrs = mounting_attrs(op->flags | PLAN_RW | PLAN_DEV | PLAN_NOEXEC);
	AUTO(fd_close) int tree = mounting_new("devpts", options, ARRAY_LEN(options), attrs);

	return tree < 0 ? error_errno(err, "make a devpts") : attach(build, op, tree, err);
}

int build_mounts_seal(struct build *build, const struct plan_op *op, struct error *err)
{
	AUTO(fd_close) int fd = build_open(build, plan_string(build->plan, op->path), O_PATH);

	if (fd < 0)
		return error_errno(err, "open");
	if (mounting_narrow(fd, MOUNT_ATTR_RDONLY, false) < 0)
		return error_errno(err, "make read-only");
	return 0;
}

int build_mounts_pivot(struct build *build, const struct plan_op *op, struct error *err)
{
	int r = mounting_enter(build->root, err);

	(void)op;
	if (r == 0)
		build->entered = true;
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Watched mounts.
 *
 * How it works: identity is (mount id, device, inode) of what the path shows, looked up beneath
 * the root and through no symlink.  Where the path shows nothing, or leads through a link that
 * somebody planted, there is nothing to protect: it counts as absent until it is back.
 */
#include "sandbox/watch_priv.h"

#include "base/error.h"
#include "base/fd.h"
#include "sandbox/mounting_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

/** statx() gives a mount id from Linux 5.8 on; the unique one, never reused, from 6.8. */
#define MOUNT_ID_MASK (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)

static int identify(int fd, struct watch *ret)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | MOUNT_ID_MASK, &st) < 0)
		return -1;
	if (!(st.stx_mask & MOUNT_ID_MASK)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	ret->mount = st.stx_mnt_id;
	ret->ino = st.stx_ino;
	ret->dev_major = st.stx_dev_major;
	ret->dev_minor = st.stx_dev_minor;
	return 0;
}

static bool same(const struct watch *a, const struct watch *b)
{
	return a->mount == b->mount && a->ino == b->ino && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor;
}

static bool is_absent(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP;
}

static int open_path(int root, const char *path)
{
	return fd_open_beneath(root, path[1] ? path + 1 : ".", O_PATH, 0);
}

static int grow(struct watch_list *list)
{
	size_t cap = list->cap ? list->cap * 2 : 16;
	struct watch *items;

	if (list->count < list->cap)
		return 0;
	items = reallocarray(list->items, cap, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->cap = cap;
	return 0;
}

int watch_add(struct watch_list *list, const char *path, uint32_t flags, int tree, int spare,
	      struct error *err)
{
	AUTO(fd_close) int owned = spare;
	struct watch watch = {.flags = flags, .self = spare < 0, .spare = -1};

	if (identify(tree, &watch) < 0)
		return error_errno(err, "identify the mount");
	if (grow(list) < 0)
		return error_oom(err);
	watch.path = strdup(path);
	if (!watch.path)
		return error_oom(err);
	watch.spare = TAKE_FD(owned);
	list->items[list->count++] = watch;
	return 0;
}

int watch_replace(struct watch_list *list, const char *path, int tree, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct watch *watch = &list->items[i];

		if (strcmp(watch->path, path) != 0)
			continue;
		if (identify(tree, watch) < 0)
			return error_errno(err, "identify the mount");
		if (!watch->self) {
			watch->spare = fd_close(watch->spare);
			watch->spare = mounting_clone(tree, true);
		}
	}
	return 0;
}

/** Bind what `target` shows onto itself. */
static int bind_self(int target, uint32_t flags)
{
	// Recursive: a tree with submounts of the host's cannot be cloned without them.
	AUTO(fd_close) int tree = mounting_clone(target, true);

	// Devices of the host do not appear because a directory is mounted again.
	if (tree < 0 || mounting_narrow(tree, mounting_attrs(flags), true) < 0 ||
	    mounting_attach(tree, target) < 0)
		return -1;
	return TAKE_FD(tree);
}

int watch_bind_self(int root, const char *path, uint32_t flags)
{
	AUTO(fd_close) int target = open_path(root, path);

	return target < 0 ? -1 : bind_self(target, flags);
}

/** Attach the spare copy, and take another one.  Returns a descriptor of the mount, or -1. */
static int attach_spare(struct watch *watch, int target)
{
	int tree = watch->spare;

	if (mounting_attach(tree, target) < 0)
		return -1;
	watch->spare = mounting_clone(tree, true);
	return tree;
}

/** Mount it again on what `target` shows.  0, or -1 with errno. */
static int put_back(struct watch *watch, int target)
{
	AUTO(fd_close)
	int tree = watch->self ? bind_self(target, watch->flags) : attach_spare(watch, target);

	return tree < 0 ? -1 : identify(tree, watch);
}

/** 1: it was put back; 0: in place, or there is nothing to protect; -1 with errno. */
static int check_one(struct watch *watch, int root)
{
	AUTO(fd_close) int target = open_path(root, watch->path);
	struct watch seen = {0};

	if (target < 0)
		return is_absent(errno) ? 0 : -1;
	if (identify(target, &seen) < 0)
		return -1;
	if (same(&seen, watch))
		return 0;
	return put_back(watch, target) < 0 ? -1 : 1;
}

struct watch_result watch_check(struct watch_list *list, int root, watch_gap_fn *gap, void *owner)
{
	struct watch_result result = {0};

	for (size_t i = 0; i < list->count; i++) {
		int r = check_one(&list->items[i], root);

		if (r < 0)
			result.code = errno;
		if (r <= 0)
			continue;
		result.gaps++;
		gap(list->items[i].path, owner);
	}
	return result;
}

void watch_list_done(struct watch_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		list->items[i].spare = fd_close(list->items[i].spare);
	}
	free(list->items);
	*list = (struct watch_list){0};
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Mounts that must stay where they are.
 *
 * A mount is silently lost when somebody outside renames another entry over its mount point,
 * and moves away with a mount point that is renamed.  So init remembers which mount belongs at
 * a path, and looks again before each command.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/** One mount. */
struct watch {
	char *path;     /**< Owned. */
	uint32_t flags; /**< enum plan_op_flags: how it is mounted. */
	bool self;      /**< Bound onto itself: what stands at the path is mounted again. */
	int spare;      /**< Otherwise a detached copy of the tree, to be mounted again; -1. */
	uint64_t mount; /**< Mount id. */
	uint64_t ino;
	uint32_t dev_major, dev_minor;
};

/** Zero-initialise it. */
struct watch_list {
	struct watch *items; /**< Owned. */
	size_t count, cap;
};

/** Called for each mount that was put back. */
typedef void watch_gap_fn(const char *path, void *owner);

/** What watch_check() found. */
struct watch_result {
	uint32_t gaps; /**< Put back. */
	int code;      /**< errno of one that could not be put back, else 0. */
};

/**
 * Remember that the mount whose root `tree` refers to belongs at `path`.
 * `spare`: a detached copy of it that the list owns from here on, or -1 for one that is bound
 * onto itself.
 */
int watch_add(struct watch_list *list, const char *path, uint32_t flags, int tree, int spare,
	      struct error *err);

/** What is mounted at `path` has been replaced by the mount at `tree`.  Not watched: nothing. */
int watch_replace(struct watch_list *list, const char *path, int tree, struct error *err);

/** Look at every mount beneath `root` and put back what is gone. */
struct watch_result watch_check(struct watch_list *list, int root, watch_gap_fn *gap, void *owner);

/** Bind `path` onto itself beneath root.  Returns a descriptor of the mount, or -1 with errno. */
int watch_bind_self(int root, const char *path, uint32_t flags);

/** Close and free; works on a zeroed one. */
void watch_list_done(struct watch_list *list);

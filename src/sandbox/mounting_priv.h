// SPDX-License-Identifier: Apache-2.0
/** The mount system calls, by descriptor. */
#pragma once

#include "sandbox/plan.h"

#include <stddef.h>

struct error;

/** An option of a new file system. */
struct mounting_option {
	const char *key, *value;
};

/** The MOUNT_ATTR_* bits that a bind with these plan flags sets.  None is ever cleared. */
uint64_t mounting_attrs(uint32_t flags);

/** Open a host path (with open flags), no component of which may be a symlink.  Returns -1 with
 * errno. */
int mounting_open_source(const char *path, uint64_t flags);

/** A detached private copy of the tree at `fd`.  Returns the descriptor, or -1 with errno. */
int mounting_clone(int fd, bool recursive);

/** Set attributes (MOUNT_ATTR_*) on the mount at fd.  0, or -1 with errno. */
int mounting_narrow(int fd, uint64_t attrs, bool recursive);

/** Attach a detached tree on what `target` shows.  0, or -1 with errno. */
int mounting_attach(int tree, int target);

/** A new, detached file system.  Returns the descriptor, or -1 with errno. */
int mounting_new(const char *type, const struct mounting_option *options, size_t count,
		 uint64_t attrs);

/** Make every mount of this namespace private.  0, or -1 with errno. */
int mounting_make_private(void);

/** Enter the mount `root`, which lies over "/"; the old tree is gone after it. */
int mounting_enter(int root, struct error *err);

/** Detach the topmost mount at `name` in the directory `parent`.  0, or -1 with errno. */
int mounting_detach(int parent, const char *name);

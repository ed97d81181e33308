// SPDX-License-Identifier: Apache-2.0
/** Copying and removing hostile trees, by descriptors and within bounds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/** What may still be done; counts down. */
struct aside_budget {
	uint32_t entries;
	uint64_t bytes;
	bool cut; /**< Something was left out: a bound, a device, an unreadable entry. */
};

/**
 * Copy the entry from/name to to/to_name, which must not exist.  What is beyond the budget or
 * cannot be copied is left out (budget->cut).  -ENOENT: it is not there.
 */
int aside_tree_copy(int from, const char *name, int to, const char *to_name,
		    struct aside_budget *budget, struct error *err);

/** Remove the entry dirfd/name and what is in it; symlinks and mounts are not entered. */
int aside_tree_remove(int dirfd, const char *name, struct aside_budget *budget, struct error *err);

/** Give the owner all rights on the directory `dirfd` (may be O_PATH); its old mode or -errno. */
int aside_tree_unlock(int dirfd);

/** Set the mode of what `fd` (may be O_PATH) is open on.  Returns 0 or -errno. */
int aside_tree_chmod(int fd, mode_t mode);

/** Open the directory dirfd/name for reading, also one whose mode forbids it.  fd or -1, errno. */
int aside_tree_enter(int dirfd, const char *name);

/** Open dirfd/name: not through a symlink, not on another mount.  fd or -1, errno. */
int aside_tree_open(int dirfd, const char *name, uint64_t flags);

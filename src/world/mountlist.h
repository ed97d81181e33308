// SPDX-License-Identifier: Apache-2.0
/** The mounts of a mount namespace, from the text of /proc/PID/mountinfo.  Pure. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

/** One mount.  All owned by the list. */
struct mountlist_entry {
	char *device; /**< "major:minor". */
	char *root;   /**< The directory of its file system that it shows. */
	char *point;  /**< Where; clean. */
	char *type;   /**< "ext4". */
};

/** In the order of mounting.  Zero-initialise. */
struct mountlist {
	struct mountlist_entry *entries;
	size_t count;
};

/** Parse; lines that are not understood are left out.  Returns 0 or -ENOMEM. */
int mountlist_parse(const char *text, struct mountlist *ret);

/** Free it; works on a zeroed list. */
void mountlist_done(struct mountlist *list);
static inline void mountlist_donep(struct mountlist *list)
{
	mountlist_done(list);
}

/** The mount that shows path (clean), or NULL. */
const struct mountlist_entry *mountlist_of(const struct mountlist *list, const char *path);

/** True for file systems that show the kernel or other processes: proc, sysfs, cgroup2, ... */
bool mountlist_is_kernel(const struct mountlist_entry *entry);

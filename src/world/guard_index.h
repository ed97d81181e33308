// SPDX-License-Identifier: Apache-2.0
/**
 * Which directories a git index calls submodules.  Pure.
 *
 * `git status` runs in each of them, with the configuration that it finds there.  The index is
 * written by worlds, so the reader follows git where git is lenient: what git would read as a
 * submodule is listed, by whichever way git may come to read it (entries in sequence, blocks of
 * the offset table, extensions by the end-of-entries mark, names left empty by a split index).
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

#define GUARD_INDEX_SIZE_MAX (32U << 20)
#define GUARD_INDEX_LINKS_MAX 2048U
#define GUARD_INDEX_PATHS_MAX 20000U

/** Zero-initialise. */
struct guard_index {
	struct strv links;   /**< Paths of submodules, as written (not to be trusted), repeated. */
	struct strv dirs;    /**< Sparse directories: what is in them is in tree objects. */
	struct strv paths;   /**< Every path, when asked for. */
	char shared[65];     /**< Hash in the name of the shared index, "" for none. */
	bool nameless_links; /**< A submodule takes the place of some path of the shared index. */
	bool truncated;      /**< There is more than the lists hold, or than was looked at. */
};

/** Free the members; works on a zeroed one. */
void guard_index_done(struct guard_index *index);
static inline void guard_index_donep(struct guard_index *index)
{
	guard_index_done(index);
}

/**
 * Read an index.  Adds to *ret, so that several files can be read into one.  `all_paths` fills
 * paths too.  Returns 0; -EINVAL when git would not read it either; -ENOMEM.
 */
int guard_index_parse(const void *data, size_t len, bool all_paths, struct guard_index *ret);

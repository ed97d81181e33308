// SPDX-License-Identifier: Apache-2.0
/**
 * Where a Git repository keeps its things, read without running git.
 *
 * Content of a repository may be written by a world, so nothing in it is trusted: a link is
 * believed only when what it names points back, and every path is resolved before it is used.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <sys/types.h>

struct error;

/** All paths are real (no symlinks), owned by the struct. */
struct repo {
	char *root;       /**< Top of the working tree; of the superproject for a submodule. */
	char *git_dir;    /**< Of this working tree; equals common_dir unless it is a worktree. */
	char *common_dir; /**< Shared by all worktrees; usually root/.git. */
	bool git_file;    /**< root/.git is a file (a worktree). */
};

enum repo_outcome {
	REPO_FOUND = 0,
	REPO_NONE = 1, /**< No `.git` owned by `owner` between path and "/". */
};

/**
 * Find the repository that holds `path` (real, a directory): the nearest ancestor with a
 * `.git` that belongs to `owner`.  A submodule leads to its superproject when that one's
 * .git/modules holds it.  A worktree's common directory is taken only when its back-link
 * (worktrees/NAME/gitdir) names this very `.git` file; else git_dir and common_dir are NULL.
 */
int repo_find(const char *path, uid_t owner, struct repo *ret, struct error *err);

/** Free the members; works on a zeroed one. */
void repo_done(struct repo *repo);
static inline void repo_donep(struct repo *repo)
{
	repo_done(repo);
}

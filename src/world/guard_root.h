// SPDX-License-Identifier: Apache-2.0
/**
 * The top of a project: the repository that is there, and those that may appear in it: `.git`,
 * a bare one in the project's own folder, clones in folders right below it.
 */
#pragma once

#include "base/str.h"
#include "world/guard_watch.h"

#include <sys/types.h>

struct error;
struct guard;
struct spec_project;

/** What stands at a name. */
struct guard_identity {
	bool exists;
	dev_t dev;
	ino_t ino;
};

/** Embedded in struct guard; zero-initialise, fd is -1 while there is none. */
struct guard_root {
	char *path;    /**< Of the project; NULL: it cannot be written, nothing to do. */
	char *git_dir; /**< Of the repository it had when the world was built, or NULL. */
	int fd;        /**< O_PATH. */
	struct guard_identity built; /**< Its `.git` when the world was built. */
	struct guard_identity made;  /**< The `.git` that a world made since. */
	bool dirty;
	struct guard_watch_sub sub;
	struct strv fresh; /**< Folders that appeared right below it. */
};

/** Look after the project of a world that is about to start. */
int guard_root_open(struct guard *guard, const struct spec_project *project, struct error *err);

/** Stop looking after it; fine when guard_root_open() was never called. */
void guard_root_close(struct guard *guard);

/** Look for repositories.  `accept`: nothing runs, what is there is the host's. */
void guard_root_look(struct guard *guard, bool accept);

/** True when the host made or replaced a repository, so that the mounts do not protect it. */
bool guard_root_is_stale(const struct guard *guard);

// SPDX-License-Identifier: Apache-2.0
/**
 * Which directory is the project, and may a world write it?
 *
 * The nearest ancestor of cwd with a `.git` owned by the user, else cwd.  Never writable: "/",
 * $HOME and its ancestors, ancestors of SUBSTRATE_HOME (and what lies in it), system
 * directories; see docs/decisions for the list of places.
 */
#pragma once

#include "world/spec.h"

/**
 * Find it.  -ENOENT / -ENOTDIR: cwd is missing or no directory (usage, 2); -EACCES: cwd lies
 * in SUBSTRATE_HOME (125).  A project that may not be written is no error: read_only is set.
 */
int project_find(const char *cwd, const struct spec_user *user, const char *env_home,
		 const char *substrate_home, struct spec_project *ret, struct error *err);

/** Free the members; works on a zeroed one. */
void project_done(struct spec_project *project);

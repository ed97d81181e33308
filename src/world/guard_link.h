// SPDX-License-Identifier: Apache-2.0
/** Submodules: from a repository's index to the repositories that git would enter. */
#pragma once

#include "world/guard_repo.h"

/**
 * Look at every directory that the index of `repo` calls a submodule.  `accept`: what is there
 * is the host's; else a repository found there was made by a world.
 */
void guard_link_follow(struct guard_repo *repo, bool accept);

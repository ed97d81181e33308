// SPDX-License-Identifier: Apache-2.0
/** One folder of a project, and the repository that git would find in it. */
#pragma once

#include "world/guard_repo.h"

/** Borrowed for the call. */
struct guard_place {
	struct guard_hub *hub;
	struct guard_repo *repo; /**< Remembers what is the host's here; NULL: nobody does. */
	const char *path;        /**< Of the folder, on the host. */
	int fd;                  /**< O_PATH. */
	bool loose;              /**< No index leads there. */
	bool accept;             /**< What is there is the host's; else a world made it. */
};

/** Look at the `.git` of the folder, if there is one. */
void guard_place_enter(const struct guard_place *place);

/** Look at the folder itself, if git would take it for a bare repository. */
void guard_place_enter_bare(const struct guard_place *place);

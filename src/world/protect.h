// SPDX-License-Identifier: Apache-2.0
/** Protected paths of a project: mounted read-only where they exist, watched where not. */
#pragma once

#include "sandbox/plan.h"
#include "world/compile.h"

struct error;

/**
 * Emit the mounts for the project (and a worktree's common directory) and fill the lists of
 * `image`.  Nothing is emitted when the guard is off; the lists are filled all the same.
 */
int protect_emit(const struct spec *spec, struct plan_builder *plan, struct image *image,
		 struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** Private caches: ~/.cache and the like are directories of the profile and agent. */
#pragma once

#include "world/view.h"

struct error;

/** Their places in the home, so that what is above becomes a skeleton. */
int cache_places(const struct spec *spec, struct strv *ret, struct error *err);

/** Make the directories in SUBSTRATE_HOME/caches and emit their binds. */
int cache_emit(struct view *view, struct error *err);

/** Landlock's view of them. */
void cache_emit_landlock(const struct spec *spec, struct plan_builder *plan);

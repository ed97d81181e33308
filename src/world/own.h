// SPDX-License-Identifier: Apache-2.0
/** What a world has of its own: /tmp, /run, /dev, /proc, /sys and generated files in /etc. */
#pragma once

#include "world/view.h"

struct error;

#define OWN_HOSTNAME "substrate"

/** The places, as clean paths. */
int own_places(const struct spec *spec, struct strv *ret, struct error *err);

/** The place that `path` lies below, borrowed from the list, or NULL. */
const char *own_place_of(const struct strv *places, const char *path);

/** Emit all of them. */
int own_emit(struct view *view, struct error *err);

/** Bind each directory between `base` and `path` (included) onto itself, read-only. */
int own_pin_dirs(struct plan_builder *plan, const char *base, const char *path, struct error *err);

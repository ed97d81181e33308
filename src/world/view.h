// SPDX-License-Identifier: Apache-2.0
/**
 * The part of a plan that shows the host: which directories are skeletons, what is bound.
 *
 * Everything is decided here from the host's state; init only executes.
 */
#pragma once

#include "base/str.h"
#include "sandbox/plan.h"
#include "world/spec.h"

struct error;

/** What the compiler of one plan carries around. */
struct view {
	const struct spec *spec;
	struct plan_builder *plan;
	struct strv hidden;     /**< Never bound. */
	struct strv own;        /**< Places the world has of its own: never bound either. */
	struct strv special;    /**< Paths whose ancestors must be skeletons. */
	struct strv *skeletons; /**< Filled: host directories bound entry by entry. */
	unsigned entries;       /**< Bound so far; bounded. */
	bool hide;              /**< The guard is on. */
	bool read_only;         /**< The guard is on. */
};

/** Emit "/" and everything below it that the host gives. */
int view_emit(struct view *view, struct error *err);

/** True when `path` lies at or below a place of the world's own. */
bool view_is_own(const struct view *view, const char *path);

/** Make the directories from below `base` (which exists in the world) down to `path`. */
int view_make_dirs(struct view *view, const char *base, const char *path, struct error *err);

/** True when the world shows `dir` as a skeleton: entries can be made in it while building. */
bool view_is_skeleton(const struct view *view, const char *dir);

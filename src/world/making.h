// SPDX-License-Identifier: Apache-2.0
/** What the compiler of plans carries from one part to the next. */
#pragma once

#include "sandbox/plan.h"
#include "world/compile.h"
#include "world/hostfs.h"
#include "world/marks.h"
#include "world/mountlist.h"

/** Paths that the world has of its own and that other parts refer to. */
#define MAKING_HOSTNAME "substrate"
#define MAKING_STORE "/run/substrate"      /**< Files of the world's own, read-only. */
#define MAKING_EMPTY MAKING_STORE "/empty" /**< An empty file that is bound over others. */

/** A plan that is being made. */
struct making {
	const struct spec *spec;
	const struct hostfs *host;
	struct mountlist mounts; /**< Of the host. */
	struct mark *marks;
	struct plan_builder *plan;
	struct image *image;         /**< What was found on the way. */
	struct strv writable;        /**< Paths in the world that can be written: for Landlock. */
	struct strv covers;          /**< Host sockets that an empty file is bound over. */
	struct strv writable_covers; /**< The same, where commands can write. */
	bool squash;    /**< Files of other users show as nobody's: no identity range. */
	size_t entries; /**< Bound one by one so far. */
};

/** True unless a test leaves the guard out. */
static inline bool making_has(const struct making *m, enum plan_guard guard)
{
	return !(m->spec->guards_off & (1u << guard));
}

/** The name of an operation's guard when it only narrows: read-only unless it is left out. */
static inline uint32_t making_read_only(const struct making *m)
{
	return making_has(m, PLAN_GUARD_READONLY) ? 0u : (uint32_t)PLAN_RW;
}

/** Append PLAN_DIR. */
static inline void making_dir(struct making *m, const char *path, uint32_t mode)
{
	plan_add(m->plan, &(struct plan_step){.kind = PLAN_DIR, .path = path, .mode = mode});
}

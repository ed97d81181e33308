// SPDX-License-Identifier: Apache-2.0
/** From a spec and the state of the host's file system to a plan. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "world/spec.h"

struct error;

/** A compiled world.  Zero-initialise. */
struct image {
	struct buf plan;          /**< The blob for init. */
	char hash[65];            /**< Its SHA-256. */
	char spec_hash[65];       /**< Of what it was compiled from. */
	struct strv skeletons;    /**< Host directories whose entries are bound one by one. */
	struct strv protect_dirs; /**< Host directories (real) to watch for protected entries. */
	struct strv protect_have; /**< Protected host paths that exist and are mounted. */
	struct strv protect_miss; /**< Protected host paths that do not exist. */
	struct strv git_configs;  /**< Host paths of git config files to keep an eye on. */
};

/** Free the members; works on a zeroed one. */
void image_done(struct image *image);
static inline void image_donep(struct image *image)
{
	image_done(image);
}

/** Compile.  Reads the host (directory listings, stat); changes nothing but private caches. */
int image_compile(const struct spec *spec, struct image *ret, struct error *err);

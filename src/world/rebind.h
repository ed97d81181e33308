// SPDX-License-Identifier: Apache-2.0
/**
 * Harmless entries of the host that are bound one by one (~/.gitconfig in a skeleton), bound
 * again after the host replaced them.
 *
 * A bind mount shows the file that was there when it was made; an editor that renames a file
 * over it leaves the world with the old one.  Only entries that the plan bound are looked at:
 * a name that appears later stays invisible, and a name that was hidden stays hidden.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct error;
struct guard_watch;
struct image;
struct rebind;
struct spec;

struct rebind_options {
	struct guard_watch *watch;
	const struct spec *spec; /**< Borrowed for the call, like image. */
	const struct image *image;
	/** Clone the host tree `source` and attach it at `path` in the world. */
	int (*mount)(const char *source, const char *path, uint32_t flags, void *owner,
		     struct error *err);
	void *owner;
};

/** Note what the plan binds, and watch it.  On success the caller owns *ret. */
int rebind_new(const struct rebind_options *options, struct rebind **ret, struct error *err);

/** NULL is fine.  Returns NULL. */
struct rebind *rebind_free(struct rebind *rebind);
DEFINE_AUTO(struct rebind *, rebind_free)

/** Before a command: mount what was replaced, a bounded number.  What fails stays as it is. */
void rebind_run(struct rebind *rebind);

// SPDX-License-Identifier: Apache-2.0
/**
 * Setting things aside: moving an entry out of a hostile directory to a folder of ours.
 *
 * Folder: SUBSTRATE_HOME/aside/SPAN/, entries "<n>-<name>".  A move is one rename where both are
 * on one file system; else the entry gets a harmless name, is copied within bounds (no devices,
 * no setuid bits, symlinks as symlinks) and removed.  Nothing is ever followed: directories are
 * held by descriptors, names are opened beneath them.  When the folder cannot be used, the entry
 * gets a harmless name where it is.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct aside;
struct error;
struct remover;

/**
 * `home`: SUBSTRATE_HOME, real.  Nothing is made before it is needed.  `remover`
 * (borrowed) takes what is not kept.  Caller owns *ret.
 */
int aside_new(const char *home, struct remover *remover, struct aside **ret, struct error *err);

/** NULL is fine.  Returns NULL. */
struct aside *aside_free(struct aside *aside);
DEFINE_AUTO(struct aside *, aside_free)

/** What became of an entry. */
struct aside_result {
	char *kept;      /**< Where it is, owned; NULL: nowhere, too much was kept already. */
	bool partial;    /**< Not all of it could be kept. */
	char hidden[48]; /**< Not empty: it is still in its directory, under this name. */
};

/** Free the members; works on a zeroed one. */
void aside_result_done(struct aside_result *result);
static inline void aside_result_donep(struct aside_result *result)
{
	aside_result_done(result);
}

/**
 * Take `name` (one component) out of the directory `dirfd` (may be O_PATH) and keep it for
 * `span`.  -ENOENT: it is not there (any more).
 */
int aside_move(struct aside *aside, const char *span, int dirfd, const char *name,
	       struct aside_result *ret, struct error *err);

/** What to keep a copy of.  Borrowed. */
struct aside_bytes {
	const char *name; /**< It is called "<n>-<name>". */
	const void *data;
	size_t len;
};

/** Keep a copy of bytes for `span`. */
int aside_keep(struct aside *aside, const char *span, const struct aside_bytes *bytes,
	       struct aside_result *ret, struct error *err);

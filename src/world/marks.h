// SPDX-License-Identifier: Apache-2.0
/**
 * Marked paths: a tree of the few places of the file system at which a world differs from the
 * host.  Pure.  All paths are clean; where links lead is decided before a path is marked.
 */
#pragma once

#include "base/str.h"

/** What holds at a place. */
enum mark_bits {
	MARK_HIDE = 1 << 0,   /**< It is left out, with all below. */
	MARK_OWN = 1 << 1,    /**< A mount of the world's own stands here. */
	MARK_KEEP = 1 << 2,   /**< A host tree is bound here later; whatever is above must exist. */
	MARK_SHOW = 1 << 3,   /**< Shown, although what is above would leave it out. */
	MARK_SPLIT = 1 << 4,  /**< Its entries are handled one by one even when none is marked. */
	MARK_COPY = 1 << 5,   /**< Its regular files are copied. */
	MARK_EXCEPT = 1 << 6, /**< The globs of its directory do not hide it. */
};

/** One component.  Children are sorted by name. */
struct mark {
	char *name;
	unsigned bits;
	struct strv hide_globs; /**< Names in it that are left out, unless shown or kept. */
	struct mark *parent, *first, *next;
};

/** The root, "/".  NULL: no memory. */
struct mark *marks_new(void);

/** Free a tree from its root.  NULL is fine.  Returns NULL. */
struct mark *marks_free(struct mark *root);
DEFINE_AUTO(struct mark *, marks_free)

/** The place of a path, made when there is none, with `bits` added.  NULL: no memory. */
struct mark *marks_add(struct mark *root, const char *path, unsigned bits);

/** Hide what matches `glob` (`*` only) in the directory.  Returns 0 or -ENOMEM. */
int marks_add_glob(struct mark *root, const char *dir, const char *glob);

/** The place of a path, or NULL. */
const struct mark *marks_find(const struct mark *root, const char *path);

/** The child of that name, or NULL; `mark` may be NULL. */
const struct mark *marks_child(const struct mark *mark, const char *name);

/** True when the entry `name` of the directory is left out.  `mark` may be NULL. */
bool marks_hides(const struct mark *mark, const char *name);

/** True when entries of the directory must be handled one by one.  `mark` may be NULL. */
bool marks_splits(const struct mark *mark);

/** True when something here or below must exist although the host's place is left out. */
bool marks_keeps(const struct mark *mark);

/** True when something here or below is mounted later, so that it needs a place. */
bool marks_wants(const struct mark *mark);

/**
 * What holds at path after all that was marked on the way from "/": MARK_HIDE, MARK_OWN,
 * MARK_KEEP, or 0 when it is what the host has.
 */
unsigned marks_state(const struct mark *root, const char *path);

/** The first hidden path that lies below path, as text; caller frees; NULL: none (or no memory). */
char *marks_hidden_below(const struct mark *root, const char *path);

/** The path of a place.  Caller frees; NULL: no memory. */
char *marks_path(const struct mark *mark);

/** Match a name against a pattern in which `*` stands for any text. */
bool marks_matches(const char *glob, const char *name);

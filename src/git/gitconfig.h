// SPDX-License-Identifier: Apache-2.0
/**
 * Git's configuration language: read entries, and put back the ones that matter.  Pure.
 *
 * Keys that make git run something or look elsewhere (core.fsmonitor, alias.*, include.path,
 * filter.*, ...) are recognised by what they are not: only keys of the allow-list in
 * data/git_config.list may be changed by a world.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

struct error;

#define GITCONFIG_SIZE_MAX (1u << 20)

/** One entry.  `name` is "section.sub.key": section and key in lower case, sub exactly. */
struct gitconfig_entry {
	char *name;
	char *value; /**< NULL: a key without "=". */
};

struct gitconfig {
	struct gitconfig_entry *entries;
	size_t count;
};

/** Parse `len` bytes.  -EINVAL with "line: what" when git would refuse it too. */
int gitconfig_parse(const char *text, size_t len, struct gitconfig *ret, struct error *err);

/** Free the members; works on a zeroed one. */
void gitconfig_done(struct gitconfig *config);
static inline void gitconfig_donep(struct gitconfig *config)
{
	gitconfig_done(config);
}

/** True when a world may change this key. */
bool gitconfig_is_harmless(const char *name);

/**
 * What the file should hold after a world changed `before` to `after`: harmless entries as in
 * `after`, all others as in `before`.  *ret_changed lists the names that were put back
 * (empty: `after` is fine and *ret_text is left alone).  An `after` that does not parse is
 * put back whole, with the name "(syntax)".
 */
int gitconfig_restore(const char *before, size_t before_len, const char *after, size_t after_len,
		      struct buf *ret_text, struct strv *ret_changed, struct error *err);

/**
 * For a repository that a world made itself: `after` without the entries that run programs
 * (deny-list in data/git_config.list); everything else is kept.
 */
int gitconfig_defuse(const char *after, size_t after_len, struct buf *ret_text,
		     struct strv *ret_removed, struct error *err);

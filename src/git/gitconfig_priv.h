// SPDX-License-Identifier: Apache-2.0
/** What the files about git's configuration share. */
#pragma once

#include "git/gitconfig.h"

/** True when a program could be named by this entry's value, whatever its key is worth. */
bool gitconfig_value_runs(const struct gitconfig_entry *entry);

/** True when a world may set this entry: a harmless key, and a value that names no program. */
bool gitconfig_entry_is_harmless(const struct gitconfig_entry *entry);

/** Collects entries as text. */
struct gitconfig_text {
	struct buf *out;
	const char *section; /**< The name whose section is open; borrowed, NULL: none. */
};

/** Append one entry, with a section header where one is needed.  `entry` must stay. */
void gitconfig_text_add(struct gitconfig_text *text, const struct gitconfig_entry *entry);

// SPDX-License-Identifier: Apache-2.0
/** "Did you mean": the known name that is closest to a mistyped one.  Pure. */
#pragma once

#include "base/compiler.h"

/** Bytes of a name that are compared; longer ones are never similar. */
#define SUGGEST_NAME_MAX 32

/** The candidate so far.  Zero-initialise. */
struct suggest {
	const char *name;  /**< Borrowed; NULL: nothing is close. */
	unsigned distance; /**< Its edit distance. */
};

/**
 * Number of insertions, deletions, substitutions and swaps of neighbours that make a into b
 * (optimal string alignment); more than 2 counts as 3.
 */
unsigned suggest_distance(const char *a, const char *b);

/** Consider one candidate for `typed`; the first of the closest, at most 2 away, is kept. */
void suggest_consider(struct suggest *best, const char *typed, const char *candidate);

// SPDX-License-Identifier: Apache-2.0
/**
 * A map from strings to borrowed pointers: open addressing, keys copied.
 * Zero-initialise it.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct map_slot;

struct map {
	struct map_slot *slots; /**< Owned. */
	size_t cap;             /**< A power of two, or 0. */
	size_t count;           /**< Live entries. */
	size_t used;            /**< Live entries and tombstones. */
	uint64_t seed[2];       /**< Key of the hash, random for each map. */
};

/** Free keys and table, not the values; works on a zeroed map. */
void map_done(struct map *map);

/** The value of key, or NULL. */
void *map_get(const struct map *map, const char *key);

/** Set key to value (not NULL).  Returns 0 or -ENOMEM. */
int map_set(struct map *map, const char *key, void *value);

/** Remove key.  Returns the value it had, or NULL. */
void *map_remove(struct map *map, const char *key);

/**
 * Next entry, in no order: start with *cursor = 0.  Returns the value and sets *ret_key (borrowed),
 * or NULL at the end.  Between two calls entries may be removed, but none set.
 */
void *map_next(const struct map *map, size_t *cursor, const char **ret_key);

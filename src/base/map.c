// SPDX-License-Identifier: Apache-2.0
/**
 * The string map.
 *
 * How it works: linear probing over a power of two of slots, at most three quarters used.
 * The hash has a random key of its own in each map, so whoever chooses the keys cannot
 * choose the slots.  A removed entry leaves a tombstone (hash kept, no value), which the
 * next growth drops.
 */
#include "base/map.h"

#include "base/random.h"
#include "base/siphash.h"

#include <errno.h>
#include <stdbool.h>

#define CAP_MIN 16U

/** Empty: key NULL.  Tombstone: value NULL, its key freed and replaced by `tombstone`. */
struct map_slot {
	char *key;
	void *value;
	uint64_t hash;
};

static char tombstone[] = "";

static uint64_t hash_key(const struct map *map, const char *key)
{
	return siphash(map->seed, key, strlen(key));
}

/** The slot that holds key, or NULL. */
static struct map_slot *find(const struct map *map, const char *key)
{
	if (map->count == 0)
		return NULL;

	uint64_t hash = hash_key(map, key);

	for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
		struct map_slot *slot = &map->slots[i];

		if (!slot->key)
			return NULL;
		if (slot->value && slot->hash == hash && strcmp(slot->key, key) == 0)
			return slot;
	}
}

/** The first slot without a live or dead entry on the way of `hash`.  There always is one. */
static struct map_slot *find_empty(struct map_slot *slots, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (slots[i].key)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

/** Make room for one more entry, dropping tombstones.  Returns 0 or -ENOMEM. */
static int make_room(struct map *map)
{
	if (map->cap && (map->used + 1) * 4 <= map->cap * 3)
		return 0;
	if (map->cap == 0)
		random_fill(map->seed, sizeof(map->seed));

	size_t cap = map->cap ? map->cap : CAP_MIN;

	if ((map->count + 1) * 2 > cap)
		cap *= 2;

	struct map_slot *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->cap; i++) {
		if (map->slots[i].value)
			*find_empty(slots, cap, map->slots[i].hash) = map->slots[i];
	}
	free(map->slots);
	map->slots = slots;
	map->cap = cap;
	map->used = map->count;
	return 0;
}

void map_done(struct map *map)
{
	for (size_t i = 0; i < map->cap; i++) {
		if (map->slots[i].value)
			free(map->slots[i].key);
	}
	free(map->slots);
	*map = (struct map){0};
}

void *map_get(const struct map *map, const char *key)
{
	const struct map_slot *slot = find(map, key);

	return slot ? slot->value : NULL;
}

/** Fill an empty slot.  Returns 0, or -ENOMEM with the slot still empty. */
static int fill(struct map_slot *slot, const char *key, uint64_t hash, void *value)
{
	struct map_slot filled = {strdup(key), value, hash};

	if (!filled.key)
		return -ENOMEM;
	memcpy(slot, &filled, sizeof(filled));
	return 0;
}

int map_set(struct map *map, const char *key, void *value)
{
	struct map_slot *slot = find(map, key);

	if (slot) {
		slot->value = value;
		return 0;
	}
	if (make_room(map) < 0)
		return -ENOMEM;

	uint64_t hash = hash_key(map, key);

	if (fill(find_empty(map->slots, map->cap, hash), key, hash, value) < 0)
		return -ENOMEM;
	map->count++;
	map->used++;
	return 0;
}

void *map_remove(struct map *map, const char *key)
{
	struct map_slot *slot = find(map, key);

	if (!slot)
		return NULL;

	void *value = slot->value;

	free(slot->key);
	slot->key = tombstone;
	slot->value = NULL;
	map->count--;
	return value;
}

void *map_next(const struct map *map, size_t *cursor, const char **ret_key)
{
	while (*cursor < map->cap) {
		const struct map_slot *slot = &map->slots[(*cursor)++];

		if (slot->value) {
			*ret_key = slot->key;
			return slot->value;
		}
	}
	return NULL;
}

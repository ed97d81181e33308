// SPDX-License-Identifier: Apache-2.0
/**
 * The string map.
 *
 * How it works: linear probing over a power of two of slots, at most three quarters used.
 * The hash is SipHash-2-4 under a random key of each map, so whoever chooses the keys
 * cannot choose the slots.  A removed entry leaves a tombstone (hash kept, no value), which the
 * next growth drops.
 */
#include "base/map.h"

#include "base/random.h"

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

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
	for (int i = 0; i < rounds; i++) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t hash_key(const uint64_t seed[2], const char *key)
{
	size_t len = strlen(key);
	uint64_t v[4] = {
		seed[0] ^ 0x736f6d6570736575U,
		seed[1] ^ 0x646f72616e646f6dU,
		seed[0] ^ 0x6c7967656e657261U,
		seed[1] ^ 0x7465646279746573U,
	};
	uint64_t word;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, key + i, 8);
		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	word = 0;
	memcpy(&word, key + len / 8 * 8, len % 8);
	word |= (uint64_t)len << 56;
	v[3] ^= word;
	sip_rounds(v, 2);
	v[0] ^= word;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/** The slot that holds key, or NULL. */
static struct map_slot *find(const struct map *map, const char *key)
{
	if (map->count == 0)
		return NULL;

	uint64_t hash = hash_key(map->seed, key);

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

int map_set(struct map *map, const char *key, void *value)
{
	struct map_slot *slot = find(map, key);

	if (slot) {
		slot->value = value;
		return 0;
	}
	if (make_room(map) < 0)
		return -ENOMEM;

	char *copy = strdup(key);

	if (!copy)
		return -ENOMEM;

	uint64_t hash = hash_key(map->seed, key);

	*find_empty(map->slots, map->cap, hash) = (struct map_slot){copy, value, hash};
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

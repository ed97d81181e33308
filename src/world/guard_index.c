// SPDX-License-Identifier: Apache-2.0
/**
 * Reading a git index.
 *
 * Layout: "DIRC", version, count; entries; extensions (name, size, bytes); a hash.  The hash is
 * 20 or 32 bytes long, which only the configuration tells; both are tried and both count.
 */
#include "world/guard_index.h"

#include <errno.h>
#include <stdio.h>

#define PATH_LEN_MAX 4096U
#define HEADER_SIZE 12U
/** Bytes of an entry before the object's hash; `mode` is among them. */
#define STAT_SIZE 40U
#define MODE_AT 24U
#define NAME_MASK 0x0fffU
#define FLAG_EXTENDED 0x4000U
#define MODE_TYPE 0170000U
#define MODE_LINK 0160000U
#define MODE_DIR 0040000U

/** The file while it is read. */
struct reader {
	const unsigned char *data;
	size_t len;  /**< Without the trailing hash. */
	size_t hash; /**< Bytes of a hash. */
	uint32_t version;
	bool all_paths;
	struct guard_index *ret;
	size_t budget; /**< Entries that may still be read: tables may point anywhere. */
	bool failed;   /**< Out of memory. */
};

/** The path of the entry before, which version 4 builds on. */
struct name {
	char text[PATH_LEN_MAX + 1]; /**< The first bytes of it, NUL-terminated. */
	size_t len;
	bool first; /**< There is no entry before. */
};

void guard_index_done(struct guard_index *index)
{
	strv_done(&index->links);
	strv_done(&index->dirs);
	strv_done(&index->paths);
	*index = (struct guard_index){0};
}

static uint32_t be32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void note(struct reader *reader, struct strv *list, size_t max, const char *path)
{
	if (list->count >= max)
		reader->ret->truncated = true;
	else if (strv_add(list, path) < 0)
		reader->failed = true;
}

/** An entry as git would see it: its path ends at the first NUL. */
static void note_entry(struct reader *reader, uint32_t mode, const char *path)
{
	struct guard_index *ret = reader->ret;

	if ((mode & MODE_TYPE) == MODE_LINK && path[0] == '\0')
		ret->nameless_links = true;
	else if ((mode & MODE_TYPE) == MODE_LINK)
		note(reader, &ret->links, GUARD_INDEX_LINKS_MAX, path);
	else if ((mode & MODE_TYPE) == MODE_DIR) // written with a slash at its end
		note(reader, &ret->dirs, GUARD_INDEX_LINKS_MAX, path);
	if (reader->all_paths && path[0] != '\0')
		note(reader, &ret->paths, GUARD_INDEX_PATHS_MAX, path);
}

/**
 * Git's offset encoding: seven bits a byte, each continuation adds one.  A number that is too
 * large reads as 0 and takes no bytes, as in git.
 */
static bool read_varint(const struct reader *reader, size_t *at, uint64_t *ret)
{
	size_t next = *at;
	uint64_t value = 0;

	for (;;) {
		if (next >= reader->len)
			return false;

		unsigned char byte = reader->data[next++];

		value = (value << 7) + (byte & 127U);
		if (!(byte & 128U))
			break;
		value++;
		if (value == 0 || value >> 57 != 0) {
			*ret = 0;
			return true;
		}
	}
	*at = next;
	*ret = value;
	return true;
}

/** Replace what follows the first `keep` bytes. */
static void set_name(struct name *name, size_t keep, const unsigned char *text, size_t len)
{
	size_t room = keep < PATH_LEN_MAX ? PATH_LEN_MAX - keep : 0;
	size_t copy = len < room ? len : room;

	if (room > 0)
		memcpy(name->text + keep, text, copy);
	name->text[room > 0 ? keep + copy : PATH_LEN_MAX] = '\0';
	name->len = keep + len;
	name->first = false;
}

/** Take the name at `at`; flags hold its length, or NAME_MASK when it is that long or longer. */
static bool read_name(const struct reader *reader, size_t *at, unsigned flags, struct name *name)
{
	size_t keep = 0;
	size_t len = flags & NAME_MASK;

	if (reader->version == 4) {
		uint64_t strip = 0;

		if (!read_varint(reader, at, &strip) || (!name->first && strip > name->len))
			return false;
		keep = name->first ? 0 : name->len - (size_t)strip;
	}
	if (len == NAME_MASK) {
		const unsigned char *from = reader->data + *at;
		const unsigned char *end = memchr(from, 0, reader->len - *at);

		if (!end)
			return false;
		len = (size_t)(end - from) + keep;
	}
	if (len < keep || len - keep >= reader->len - *at)
		return false;
	set_name(name, keep, reader->data + *at, len - keep);
	*at += len - keep;
	return true;
}

/** Read one entry at *at and step over it. */
static bool read_entry(struct reader *reader, size_t *at, struct name *name)
{
	size_t start = *at;
	size_t fixed = STAT_SIZE + reader->hash + 2;

	if (reader->len - start < fixed)
		return false;

	const unsigned char *entry = reader->data + start;
	uint32_t mode = be32(entry + MODE_AT);
	unsigned flags = (unsigned)entry[fixed - 2] << 8 | entry[fixed - 1];

	*at = start + fixed;
	if (flags & FLAG_EXTENDED) {
		if (reader->len - *at < 2)
			return false;
		*at += 2;
	}
	if (!read_name(reader, at, flags, name))
		return false;
	if (name->len <= PATH_LEN_MAX) // the kernel refuses longer ones
		note_entry(reader, mode, name->text);
	*at += 1;
	if (reader->version != 4) // padded with 1 to 8 NULs to a multiple of eight
		*at = start + ((*at - 1 - start + 8) & ~(size_t)7);
	return *at <= reader->len;
}

/** Read `count` entries.  Returns where they end, or 0. */
static size_t read_entries(struct reader *reader, size_t at, uint32_t count)
{
	struct name name = {.first = true};

	for (uint32_t i = 0; i < count; i++) {
		if (reader->budget == 0) {
			reader->ret->truncated = true;
			return 0;
		}
		reader->budget--;
		if (!read_entry(reader, &at, &name))
			return 0;
	}
	return at;
}

/* Extensions --------------------------------------------------------------------------- */

/** The offset table: blocks of entries that git reads in threads. */
static void read_blocks(struct reader *reader, const unsigned char *body, size_t size)
{
	for (size_t at = 4; size >= 8 && at <= size - 8; at += 8) {
		size_t offset = be32(body + at);

		if (offset < reader->len)
			(void)read_entries(reader, offset, be32(body + at + 4));
	}
}

static void read_split(struct reader *reader, const unsigned char *body, size_t size)
{
	if (size < reader->hash)
		return;
	for (size_t i = 0; i < reader->hash; i++)
		(void)snprintf(reader->ret->shared + 2 * i, 3, "%02x", (unsigned)body[i]);
}

static void read_extension(struct reader *reader, const unsigned char *body, size_t size)
{
	const unsigned char *name = body - 8;

	if (memcmp(name, "IEOT", 4) == 0)
		read_blocks(reader, body, size);
	else if (memcmp(name, "link", 4) == 0)
		read_split(reader, body, size);
}

/** Read extensions from `at` on.  False: they do not end where the file does. */
static bool read_extensions(struct reader *reader, size_t at)
{
	while (reader->len - at >= 8) {
		size_t size = be32(reader->data + at + 4);

		if (size > reader->len - at - 8)
			return false;
		read_extension(reader, reader->data + at + 8, size);
		at += 8 + size;
	}
	return true;
}

/** Where the end-of-entries mark says that the extensions start, or 0. */
static size_t marked_end(const struct reader *reader)
{
	size_t size = 8 + 4 + reader->hash;

	if (reader->len < HEADER_SIZE + size)
		return 0;

	const unsigned char *mark = reader->data + reader->len - size;

	if (memcmp(mark, "EOIE", 4) != 0 || be32(mark + 4) != 4 + reader->hash)
		return 0;

	size_t offset = be32(mark + 8);

	return offset >= HEADER_SIZE && offset < reader->len ? offset : 0;
}

/** Read it with one length of hash.  1: done; 0: git would not with this one. */
static int read_with(const unsigned char *data, size_t len, size_t hash, bool all_paths,
		     struct guard_index *ret)
{
	if (len < HEADER_SIZE + hash || memcmp(data, "DIRC", 4) != 0)
		return 0;

	struct reader reader = {
		.data = data,
		.len = len - hash,
		.hash = hash,
		.version = be32(data + 4),
		.all_paths = all_paths,
		.ret = ret,
		.budget = 3 * (len / (STAT_SIZE + hash)) + 3, // all of it, by three ways
	};

	if (reader.version < 2 || reader.version > 4)
		return 0;

	size_t marked = marked_end(&reader);
	size_t end = read_entries(&reader, HEADER_SIZE, be32(data + 8));
	bool good = marked > 0 && read_extensions(&reader, marked);

	if (end > 0 && end != marked)
		good |= read_extensions(&reader, end);
	if (reader.failed)
		return -ENOMEM;
	return good || ret->truncated;
}

static int merge_list(struct strv *into, const struct strv *from)
{
	for (size_t i = 0; i < from->count; i++) {
		if (strv_add(into, from->items[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int merge(struct guard_index *into, const struct guard_index *from)
{
	if (from->shared[0])
		memcpy(into->shared, from->shared, sizeof(into->shared));
	into->nameless_links |= from->nameless_links;
	into->truncated |= from->truncated;
	if (merge_list(&into->links, &from->links) < 0 || merge_list(&into->dirs, &from->dirs) < 0)
		return -ENOMEM;
	return merge_list(&into->paths, &from->paths);
}

int guard_index_parse(const void *data, size_t len, bool all_paths, struct guard_index *ret)
{
	static const size_t hashes[] = {20, 32};
	bool good = false;

	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		AUTO(guard_index_done) struct guard_index index = {0};
		int r = read_with(data, len, hashes[i], all_paths, &index);

		// The wrong length gives garbage, which hardly ever fits to the end.
		if (r > 0)
			r = merge(ret, &index);
		else if (r == 0)
			continue;
		if (r < 0)
			return r;
		good = true;
	}
	return good ? 0 : -EINVAL;
}

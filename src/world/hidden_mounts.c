// SPDX-License-Identifier: Apache-2.0
/**
 * Hidden paths by place.
 *
 * A bind mount shows a directory a second time.  mountinfo says for each mount which directory
 * of its file system it shows, so the place of a hidden path in the file system tells under which
 * other names it can be seen.  As a second opinion, a mount point that is the same inode as a
 * hidden path is hidden as well.
 */
#include "base/error.h"
#include "base/path.h"
#include "world/hidden.h"
#include "world/making.h"

#include <errno.h>

/** Aliases of aliases are not looked for; this many hidden places are looked up. */
#define PLACES_MAX 4096

/** The places that are hidden, before aliases are added. */
struct places {
	const struct mark *marks[PLACES_MAX];
	size_t count;
};

static int collect(const struct mark *mark, struct places *places)
{
	// The tree is as deep as a path; paths are short of PATH_MAX, so this is bounded.
	if ((mark->bits & MARK_HIDE) || mark->hide_globs.count > 0) {
		if (places->count == PLACES_MAX)
			return -E2BIG;
		places->marks[places->count++] = mark;
	}
	for (const struct mark *child = mark->first; child; child = child->next) {
		int r = collect(child, places);

		if (r < 0)
			return r;
	}
	return 0;
}

/** Show at the alias of a directory with globs what is shown in the directory. */
static int copy_globs(struct making *m, const struct mark *mark, const char *alias)
{
	for (size_t i = 0; i < mark->hide_globs.count; i++) {
		if (marks_add_glob(m->marks, alias, mark->hide_globs.items[i]) < 0)
			return -ENOMEM;
	}
	for (const struct mark *child = mark->first; child; child = child->next) {
		AUTO(mem_free) char *path = path_join(alias, child->name);

		if (!path)
			return -ENOMEM;
		if ((child->bits & (MARK_SHOW | MARK_EXCEPT)) &&
		    !marks_add(m->marks, path, child->bits & (MARK_SHOW | MARK_EXCEPT)))
			return -ENOMEM;
	}
	return 0;
}

/** Hide at `alias` what is hidden at `mark`. */
static int hide_alias(struct making *m, const struct mark *mark, const char *alias)
{
	struct stat st;

	// A name that is not there hides nothing and would only split directories.
	if (hostfs_stat(m->host, alias, &st) < 0)
		return 0;
	if (strcmp(alias, "/") == 0 || path_within(m->spec->user.home, alias))
		return 0;
	if ((mark->bits & MARK_HIDE) && !marks_add(m->marks, alias, MARK_HIDE))
		return -ENOMEM;
	return copy_globs(m, mark, alias);
}

/** The path of `path` within the file system of its mount.  Caller frees. */
static char *place_in(const struct mountlist_entry *mount, const char *path)
{
	size_t skip = strcmp(mount->point, "/") == 0 ? 0 : strlen(mount->point);

	return path_join(mount->root, path[skip] == '/' ? path + skip + 1 : path + skip);
}

/** Where `mount` shows `place` of its file system; NULL: it does not. */
static char *shown_at(const struct mountlist_entry *mount, const char *place, bool whole)
{
	if (path_within(place, mount->root)) {
		size_t skip = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
		const char *rest = place[skip] == '/' ? place + skip + 1 : place + skip;

		return path_join(mount->point, rest);
	}
	// It shows only something below the hidden place.
	return whole && path_within(mount->root, place) ? strdup(mount->point) : NULL;
}

static int hide_aliases(struct making *m, const struct mark *mark, const char *path)
{
	const struct mountlist_entry *own = mountlist_of(&m->mounts, path);
	AUTO(mem_free) char *place = own ? place_in(own, path) : NULL;

	for (size_t i = 0; place && i < m->mounts.count; i++) {
		const struct mountlist_entry *mount = &m->mounts.entries[i];
		AUTO(mem_free) char *alias = NULL;

		if (mount == own || strcmp(mount->device, own->device) != 0)
			continue;
		alias = shown_at(mount, place, mark->bits & MARK_HIDE);
		if (alias && strcmp(alias, path) != 0 && hide_alias(m, mark, alias) < 0)
			return -ENOMEM;
	}
	return own && !place ? -ENOMEM : 0;
}

/** True for file systems on which a look at the root can wait for somebody. */
static bool may_hang(const struct mountlist_entry *mount)
{
	static const char *const types[] = {"nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_starts(mount->type, types[i]))
			return true;
	}
	return false;
}

/** Look at all mount points once; what cannot be looked at has inode 0. */
static void look_at_mounts(const struct making *m, struct stat *points)
{
	for (size_t i = 0; i < m->mounts.count; i++) {
		const struct mountlist_entry *mount = &m->mounts.entries[i];

		if (strcmp(mount->point, "/") != 0 && !may_hang(mount) &&
		    !mountlist_is_kernel(mount))
			(void)hostfs_stat(m->host, mount->point, &points[i]);
	}
}

/** Hide mount points that are the same inode as a hidden path. */
static int hide_same(struct making *m, const char *path, const struct stat *points)
{
	struct stat hidden;

	if (hostfs_stat(m->host, path, &hidden) < 0 || hidden.st_ino == 0)
		return 0;
	for (size_t i = 0; i < m->mounts.count; i++) {
		const char *point = m->mounts.entries[i].point;

		if (points[i].st_ino == hidden.st_ino && points[i].st_dev == hidden.st_dev &&
		    strcmp(point, path) != 0 && !marks_add(m->marks, point, MARK_HIDE))
			return -ENOMEM;
	}
	return 0;
}

/** A second procfs or sysfs, as a chroot has it, shows the host's processes. */
static int hide_kernel(struct making *m)
{
	for (size_t i = 0; i < m->mounts.count; i++) {
		const struct mountlist_entry *mount = &m->mounts.entries[i];

		unsigned state = marks_state(m->marks, mount->point);

		if (!mountlist_is_kernel(mount) || strcmp(mount->point, "/") == 0 ||
		    state == MARK_OWN || state == MARK_HIDE)
			continue;
		if (!marks_add(m->marks, mount->point, MARK_HIDE))
			return -ENOMEM;
	}
	return 0;
}

int hidden_mounts(struct making *m, struct error *err)
{
	AUTO(mem_free) struct places *places = calloc(1, sizeof(*places));
	AUTO(mem_free) struct stat *points = calloc(m->mounts.count + 1, sizeof(*points));

	if (!places || !points)
		return error_oom(err);
	look_at_mounts(m, points);
	if (collect(m->marks, places) < 0)
		return error_set(err, E2BIG, "more than %d hidden places", PLACES_MAX);
	for (size_t i = 0; i < places->count; i++) {
		const struct mark *mark = places->marks[i];
		AUTO(mem_free) char *path = marks_path(mark);
		int r = path ? hide_aliases(m, mark, path) : -ENOMEM;

		if (r == 0 && (mark->bits & MARK_HIDE))
			r = hide_same(m, path, points);
		if (r < 0)
			return error_oom(err);
	}
	return hide_kernel(m) < 0 ? error_oom(err) : 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  view_dir() goes through the host's directory and the marks side by side.  There
 * are three ways to make a directory:
 *
 *   HOST   the host's entries are shown, but for those that are left out;
 *   MADE   the host has no such directory, only marked places are made in it;
 *   KEPT   the host's directory is left out, only what must be there all the same is made.
 *
 * Invariant: no source that is bound is left out by a mark, or holds anything that is.
 */
#include "world/view.h"

#include "base/error.h"
#include "base/path.h"
#include "world/making.h"

#include <errno.h>

/** Each is an operation in a plan of at most 1 MiB, and a mount. */
#define ENTRIES_MAX 6000
/** Names in one directory, those that are left out included. */
#define LIST_MAX 100000
#define COPY_BYTES_MAX (64u << 10)

enum view_way { VIEW_HOST, VIEW_MADE, VIEW_KEPT };

static int view_dir(struct making *m, const char *path, const struct mark *mark, enum view_way way,
		    struct error *err);

/**
 * May the world's user list and search the host's directory?  A skeleton belongs to that user,
 * and what is bound into it needs no way through the host's, so a directory that is closed
 * to the user must stay so.  A daemon that is not root has asked the kernel already.
 */
static bool is_open(const struct making *m, const struct stat *st)
{
	const struct spec_user *user = &m->spec->user;
	mode_t need = S_IROTH | S_IXOTH;

	if (m->squash)
		return true;
	if (st->st_uid == user->uid)
		need <<= 6;
	else if (st->st_gid == user->gid)
		need <<= 3;
	return (st->st_mode & need) == need;
}

/** As the host's, but never writable for others. */
static uint32_t mode_of(const struct stat *st)
{
	return (st->st_mode & 0755) | 0500;
}

static int emit_link(struct making *m, const char *path, struct error *err)
{
	AUTO(mem_free) char *text = NULL;
	int r = hostfs_link(m->host, path, &text);

	if (r == -ENOMEM)
		return error_oom(err);
	if (r == 0 && text[0])
		plan_add(m->plan,
			 &(struct plan_step){.kind = PLAN_LINK, .path = path, .data = text});
	return 0;
}

static void emit_bind(struct making *m, const char *path)
{
	plan_add(m->plan,
		 &(struct plan_step){
			 .kind = PLAN_BIND,
			 .guard = PLAN_GUARD_READONLY,
			 .flags = PLAN_RECURSIVE | PLAN_OPTIONAL | PLAN_MAKE | making_read_only(m),
			 .path = path,
			 .source = path,
		 });
}

static void emit_copy(struct making *m, const char *path)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_COPY,
				  .guard = PLAN_GUARD_READONLY,
				  .flags = PLAN_OPTIONAL,
				  .path = path,
				  .source = path,
			  });
}

static int count_entry(struct making *m, const char *dir, struct error *err)
{
	if (++m->entries <= ENTRIES_MAX)
		return 0;
	return error_set(err, E2BIG,
			 "the view needs more than %d entries bound one by one; %s is one of the "
			 "directories that hold hidden paths, and it is large",
			 ENTRIES_MAX, dir);
}

/** One entry of the host that is not left out and is no own or later mount. */
static int emit_shown(struct making *m, const char *path, const struct hostfs_entry *entry,
		      const struct mark *dir, struct error *err)
{
	const struct mark *mark = marks_child(dir, entry->name);

	if (S_ISLNK(entry->mode))
		return emit_link(m, path, err);
	if (S_ISDIR(entry->mode) && marks_splits(mark))
		return view_dir(m, path, mark, VIEW_HOST, err);
	if (S_ISREG(entry->mode) && (dir->bits & MARK_COPY) && entry->size <= COPY_BYTES_MAX)
		emit_copy(m, path);
	else if (S_ISREG(entry->mode) || S_ISDIR(entry->mode))
		emit_bind(m, path);
	return 0;
}

static int emit_entry(struct making *m, const char *dir_path, const struct hostfs_entry *entry,
		      const struct mark *dir, struct error *err)
{
	const struct mark *mark = marks_child(dir, entry->name);
	AUTO(mem_free) char *path = path_join(dir_path, entry->name);
	int r;

	if (!path)
		return error_oom(err);
	// A mount of the world's own or a later bind: its place is made in emit_missing().
	if (mark && (mark->bits & (MARK_OWN | MARK_KEEP)))
		return 0;
	if (!marks_hides(dir, entry->name)) {
		r = count_entry(m, dir_path, err);
		return r < 0 ? r : emit_shown(m, path, entry, dir, err);
	}
	return mark && marks_keeps(mark) ? view_dir(m, path, mark, VIEW_KEPT, err) : 0;
}

static bool has_entry(const struct hostfs_dir *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->entries[i].name, name) == 0)
			return true;
	}
	return false;
}

/** What is shown in a directory that is left out. */
static int emit_exception(struct making *m, const char *path, const struct mark *mark,
			  struct error *err)
{
	struct hostfs_entry entry = {.name = mark->name};
	struct stat st;

	if (hostfs_stat(m->host, path, &st) < 0)
		return 0;
	entry.mode = st.st_mode;
	return emit_shown(m, path, &entry, mark->parent, err);
}

/** The mount point of what is bound later; what leads there may be read-only by then. */
static void emit_point(struct making *m, const char *path, const struct mark *mark)
{
	struct stat st;

	// Where files are copied, the file itself comes later and not a mount.
	if (hostfs_stat(m->host, path, &st) < 0 || (mark->parent->bits & MARK_COPY))
		return;
	if (S_ISDIR(st.st_mode))
		making_dir(m, path, 0755);
	else
		plan_add(m->plan,
			 &(struct plan_step){
				 .kind = PLAN_FILE, .path = path, .data = "", .mode = 0444});
}

/** A marked place that the host's list did not provide. */
static int emit_missing(struct making *m, const char *dir_path, const struct mark *mark,
			enum view_way way, struct error *err)
{
	bool hidden = marks_hides(mark->parent, mark->name);
	AUTO(mem_free) char *path = path_join(dir_path, mark->name);

	if (!path)
		return error_oom(err);
	if (mark->bits & MARK_KEEP) {
		emit_point(m, path, mark);
		return 0;
	}
	if ((mark->bits & MARK_OWN) && way != VIEW_KEPT && !hidden) {
		making_dir(m, path, 0755);
		return 0;
	}
	if ((mark->bits & MARK_SHOW) && way == VIEW_KEPT)
		return emit_exception(m, path, mark, err);
	if (way == VIEW_KEPT || hidden)
		return marks_keeps(mark) ? view_dir(m, path, mark, VIEW_KEPT, err) : 0;
	return marks_wants(mark) ? view_dir(m, path, mark, VIEW_MADE, err) : 0;
}

static int emit_marked(struct making *m, const char *path, const struct mark *mark,
		       const struct hostfs_dir *list, enum view_way way, struct error *err)
{
	int r = 0;

	for (const struct mark *child = mark ? mark->first : NULL; r == 0 && child;
	     child = child->next) {
		bool placed = child->bits & (MARK_OWN | MARK_KEEP);

		if (placed || !has_entry(list, child->name))
			r = emit_missing(m, path, child, way, err);
	}
	return r;
}

static int list_host(struct making *m, const char *path, struct hostfs_dir *ret, struct error *err)
{
	int r = hostfs_list(m->host, path, LIST_MAX, ret);

	if (strv_add(&m->image->skeletons, path) < 0 || r == -ENOMEM)
		return error_oom(err);
	if (r == -E2BIG) {
		m->entries = ENTRIES_MAX;
		return count_entry(m, path, err);
	}
	// What the daemon may not list, or what is gone, is empty for its worlds too.
	return 0;
}

static int view_dir(struct making *m, const char *path, const struct mark *mark, enum view_way way,
		    struct error *err)
{
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};
	struct stat st = {.st_mode = 0755};
	int r;

	if (way == VIEW_HOST && (hostfs_stat(m->host, path, &st) < 0 || !is_open(m, &st)))
		way = VIEW_KEPT;
	r = way == VIEW_HOST ? list_host(m, path, &list, err) : 0;
	if (r < 0)
		return r;
	if (strcmp(path, "/") != 0)
		making_dir(m, path, mode_of(&st));
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = emit_entry(m, path, &list.entries[i], mark, err);
	return r < 0 ? r : emit_marked(m, path, mark, &list, way, err);
}

int view_root(struct making *m, struct error *err)
{
	return view_dir(m, "/", m->marks, VIEW_HOST, err);
}

/** What leads to a shown or kept place cannot be renamed or written: a mount of its own. */
static int emit_fixed(struct making *m, const char *path, const struct mark *mark,
		      struct error *err)
{
	int r;

	if (mark->bits & MARK_KEEP) {
		emit_point(m, path, mark);
		return 0;
	}
	r = mark->bits & MARK_SHOW ? emit_exception(m, path, mark, err)
				   : view_dir(m, path, mark, VIEW_KEPT, err);
	if (r == 0)
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_SELF, .flags = PLAN_OPTIONAL, .path = path});
	return r;
}

int view_below(struct making *m, const char *path, struct error *err)
{
	const struct mark *mark = marks_find(m->marks, path);
	int r = 0;

	for (const struct mark *child = mark ? mark->first : NULL; r == 0 && child;
	     child = child->next) {
		AUTO(mem_free) char *place = path_join(path, child->name);

		if (!place)
			return error_oom(err);
		if (marks_keeps(child))
			r = emit_fixed(m, place, child, err);
	}
	return r;
}

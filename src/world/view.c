// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  A directory is a skeleton when something below it must be special; its entries
 * are then handled one by one.  Everything else is bound whole.  "/" is always a skeleton.
 *
 * Invariant: no source that is emitted is a hidden path or holds one.
 */
#include "world/view.h"

#include "base/error.h"
#include "base/path.h"
#include "world/hidden.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX 12000
#define DEPTH_MAX 40
#define COPY_MAX (64 << 10)

bool view_is_own(const struct view *view, const char *path)
{
	for (size_t i = 0; i < view->own.count; i++) {
		if (path_within(path, view->own.items[i]))
			return true;
	}
	return false;
}

static bool any_below(const struct strv *paths, const char *dir)
{
	for (size_t i = 0; i < paths->count; i++) {
		if (path_below(paths->items[i], dir))
			return true;
	}
	return false;
}

bool view_is_skeleton(const struct view *view, const char *dir)
{
	return strcmp(dir, "/") == 0 || strcmp(dir, "/home") == 0 ||
	       (view->hide && any_below(&view->hidden, dir)) || any_below(&view->special, dir) ||
	       any_below(&view->own, dir);
}

/** Homes of other users are nobody's business here. */
static bool is_other_home(const struct view *view, const char *path)
{
	const struct spec *spec = view->spec;

	if (!path_below(path, "/home") || strchr(path + strlen("/home/"), '/'))
		return false;
	return !path_within(spec->user.home, path) &&
	       !(spec->env_home && path_within(spec->env_home, path));
}

/** In a home's .ssh only the harmless files are seen. */
static bool is_hidden_key(const struct view *view, const char *dir, const char *name)
{
	AUTO(mem_free) char *home = path_parent(dir);

	if (strcmp(path_base(dir), ".ssh") != 0 || !home)
		return false;
	return (strcmp(home, view->spec->user.home) == 0 || str_same(home, view->spec->env_home)) &&
	       !hidden_ssh_visible(name);
}

static bool is_left_out(const struct view *view, const char *dir, const char *path)
{
	if (view_is_own(view, path) || is_other_home(view, path))
		return true;
	if (!view->hide)
		return false;
	return strv_has(&view->hidden, path) || is_hidden_key(view, dir, path_base(path));
}

static int emit_link(struct view *view, const char *path, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0 || n >= (ssize_t)sizeof(target) - 1)
		return n < 0 && errno != ENOENT ? error_errno(err, "readlink %s", path) : 0;
	target[n] = '\0';
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_LINK, .path = path, .data = target});
	return 0;
}

static uint32_t bind_flags(const struct view *view)
{
	return PLAN_RECURSIVE | PLAN_OPTIONAL | PLAN_MAKE | (view->read_only ? 0 : PLAN_RW);
}

/** Root reads /etc by its own files' modes, so a root world gets copies, not root's files. */
static bool is_copied(const struct view *view, const char *dir, const struct stat *st)
{
	return view->spec->user.uid == 0 && strcmp(dir, "/etc") == 0 && st->st_size <= COPY_MAX &&
	       st->st_size > 0;
}

static int emit_dir(struct view *view, const char *dir, unsigned depth, struct error *err);

static int emit_entry(struct view *view, const char *dir, const char *path, unsigned depth,
		      struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0; // it vanished, or cannot be seen: then not by the world either
	if (S_ISLNK(st.st_mode))
		return emit_link(view, path, err);
	if (S_ISDIR(st.st_mode) && view_is_skeleton(view, path)) {
		plan_add(view->plan,
			 &(struct plan_step){.kind = PLAN_DIR, .path = path, .mode = 0755});
		return emit_dir(view, path, depth + 1, err);
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return 0;

	bool copied = S_ISREG(st.st_mode) && is_copied(view, dir, &st);

	plan_add(view->plan, &(struct plan_step){
				     .kind = copied ? PLAN_COPY : PLAN_BIND,
				     .guard = PLAN_GUARD_READONLY,
				     .flags = copied ? PLAN_OPTIONAL : bind_flags(view),
				     .path = path,
				     .source = path,
			     });
	return 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int emit_names(struct view *view, const char *dir, struct dirent **names, int count,
		      unsigned depth, struct error *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < count; i++) {
		AUTO(mem_free) char *path = path_join(dir, names[i]->d_name);

		if (!path)
			return error_oom(err);
		if (++view->entries > ENTRIES_MAX)
			return error_set(err, E2BIG,
					 "%s: more than %d entries have to be bound one by one",
					 dir, ENTRIES_MAX);
		if (!is_left_out(view, dir, path))
			r = emit_entry(view, dir, path, depth, err);
	}
	return r;
}

static int emit_dir(struct view *view, const char *dir, unsigned depth, struct error *err)
{
	struct dirent **names = NULL;

	if (depth > DEPTH_MAX)
		return error_set(err, ELOOP, "%s lies too deep", dir);
	if (strv_add(view->skeletons, dir) < 0)
		return error_oom(err);

	int count = scandir(dir, &names, is_entry, compare_names);
	if (count < 0)
		return errno == EACCES ? 0 : error_errno(err, "list %s", dir);

	int r = emit_names(view, dir, names, count, depth, err);

	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return r;
}

int view_emit(struct view *view, struct error *err)
{
	return emit_dir(view, "/", 0, err);
}

int view_make_dirs(struct view *view, const char *base, const char *path, struct error *err)
{
	AUTO(mem_free) char *parent = path_parent(path);
	int r = 0;

	if (!path_below(path, base))
		return 0;
	if (!parent)
		return error_oom(err);
	r = view_make_dirs(view, base, parent, err);
	if (r == 0)
		plan_add(view->plan,
			 &(struct plan_step){.kind = PLAN_DIR, .path = path, .mode = 0755});
	return r;
}

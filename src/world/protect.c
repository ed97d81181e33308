// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  An entry that is a directory or a regular file is bound onto itself read-only.
 * Anything else, a symlink too, counts as absent and is watched for by the daemon: what a link
 * leads to is not ours to mount over.  Every directory between the project's root and an entry is
 * bound onto itself as it is, so that it cannot be renamed away (EBUSY).
 *
 * A git directory holds more of them, in worktrees/NAME and in modules/NAME, which may be nested.
 * Where these are too many or too deep, worktrees/ or modules/ is read-only as a whole.
 *
 * Everything here may have been made by a world: nothing is followed, nothing blocks.
 */
#include "world/protect.h"

#include "base/error.h"
#include "base/path.h"
#include "world/making.h"
#include "world/protected_list.h"

#include <errno.h>

/** Git directories, worktrees and directories on the way that are looked into. */
#define DIRS_MAX 256
#define DEPTH_MAX 12

struct protect {
	struct making *m;
	struct error *err;
	unsigned dirs;
};

static void emit_self(struct protect *protect, const char *path, bool writable)
{
	plan_add(protect->m->plan, &(struct plan_step){
					   .kind = PLAN_SELF,
					   .guard = PLAN_GUARD_PROTECT,
					   .flags = writable ? PLAN_RW : 0u,
					   .path = path,
				   });
}

static mode_t mode_of(const struct protect *protect, const char *path)
{
	struct stat st;

	return hostfs_stat(protect->m->host, path, &st) < 0 ? 0 : st.st_mode;
}

static int note(struct protect *protect, struct strv *list, const char *path)
{
	return strv_has(list, path) || strv_add(list, path) == 0 ? 0 : error_oom(protect->err);
}

static int protect_entry(struct protect *protect, const char *dir, const char *name)
{
	struct image *image = protect->m->image;
	AUTO(mem_free) char *path = path_join(dir, name);
	mode_t mode = path ? mode_of(protect, path) : 0;

	if (!path)
		return error_oom(protect->err);
	if (!S_ISDIR(mode) && !S_ISREG(mode))
		return note(protect, &image->protect_miss, path);
	emit_self(protect, path, false);
	return note(protect, &image->protect_have, path);
}

static int protect_entries(struct protect *protect, const char *dir, const char *const *names)
{
	int r = note(protect, &protect->m->image->protect_dirs, dir);

	for (size_t i = 0; r == 0 && names[i]; i++)
		r = protect_entry(protect, dir, names[i]);
	return r;
}

/** Bind the directories from below `base` down to `path` onto themselves, writable. */
static int fix_between(struct protect *protect, const char *base, const char *path)
{
	AUTO(mem_free) char *parent = path_parent(path);
	int r;

	if (!path_below(path, base))
		return 0;
	if (!parent)
		return error_oom(protect->err);
	r = fix_between(protect, base, parent);
	if (r == 0)
		emit_self(protect, path, true);
	return r;
}

/**
 * First pass over dir/, which holds git directories or worktrees: may all of it be looked at?
 * Counts as it goes.
 */
static bool is_bounded(struct protect *protect, const char *dir, unsigned depth,
		       struct hostfs_dir *ret)
{
	if (depth >= DEPTH_MAX || protect->dirs >= DIRS_MAX)
		return false;
	if (hostfs_list(protect->m->host, dir, DIRS_MAX, ret) < 0)
		return false;
	for (size_t i = 0; i < ret->count; i++)
		protect->dirs += S_ISDIR(ret->entries[i].mode);
	return protect->dirs <= DIRS_MAX;
}

typedef int protect_fn(struct protect *protect, const char *dir, unsigned depth);

/** Call fn for each directory in dir, which stays writable; or close dir when that is too much. */
static int each_dir(struct protect *protect, const char *dir, unsigned depth, protect_fn *fn)
{
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};
	int r = 0;

	if (!is_bounded(protect, dir, depth, &list)) {
		emit_self(protect, dir, false);
		return note(protect, &protect->m->image->protect_have, dir);
	}
	emit_self(protect, dir, true);
	r = note(protect, &protect->m->image->protect_dirs, dir);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		AUTO(mem_free) char *path = path_join(dir, list.entries[i].name);

		if (S_ISDIR(list.entries[i].mode))
			r = path ? fn(protect, path, depth + 1) : error_oom(protect->err);
	}
	return r;
}

static int protect_worktree(struct protect *protect, const char *dir, unsigned depth)
{
	(void)depth;
	emit_self(protect, dir, true);
	return protect_entries(protect, dir, protected_worktree);
}

static int protect_git_dir(struct protect *protect, const char *dir, unsigned depth);

/** A directory below modules/ is a git directory, or a part of a submodule's name. */
static int protect_module(struct protect *protect, const char *dir, unsigned depth)
{
	AUTO(mem_free) char *head = path_join(dir, "HEAD");

	if (!head)
		return error_oom(protect->err);
	if (mode_of(protect, head) == 0)
		return each_dir(protect, dir, depth, protect_module);
	emit_self(protect, dir, true);
	return protect_git_dir(protect, dir, depth);
}

/** Below dir, which is fixed already. */
static int protect_git_dir(struct protect *protect, const char *dir, unsigned depth)
{
	static const struct {
		const char *name;
		protect_fn *fn;
	} folders[] = {{"worktrees", protect_worktree}, {"modules", protect_module}};
	AUTO(mem_free) char *config = path_join(dir, "config");
	int r = config ? note(protect, &protect->m->image->git_configs, config)
		       : error_oom(protect->err);

	if (r == 0)
		r = protect_entries(protect, dir, protected_git);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(folders); i++) {
		AUTO(mem_free) char *path = path_join(dir, folders[i].name);

		if (!path)
			return error_oom(protect->err);
		if (S_ISDIR(mode_of(protect, path)))
			r = each_dir(protect, path, depth, folders[i].fn);
	}
	return r;
}

/** A `.git` that is a link cannot be mounted over; whoever replaces it is noticed. */
static int note_link(struct protect *protect, const char *root)
{
	AUTO(mem_free) char *path = path_join(root, ".git");

	if (!path)
		return error_oom(protect->err);
	return S_ISLNK(mode_of(protect, path))
		       ? note(protect, &protect->m->image->protect_miss, path)
		       : 0;
}

int protect_emit(struct making *m, struct error *err)
{
	const struct spec_project *project = &m->spec->project;
	struct protect protect = {.m = m, .err = err};
	int r;

	if (project->read_only || !making_has(m, PLAN_GUARD_PROTECT))
		return 0;
	r = protect_entries(&protect, project->root, protected_project);
	// A repository is recognised by this name: a file or link there must not be replaced.
	if (r == 0 && project->git_file)
		r = protect_entry(&protect, project->root, ".git");
	if (r < 0 || !project->common_dir)
		return r;
	// Outside of the project it is a mount already, which nobody inside can rename.
	r = fix_between(&protect, project->root, project->common_dir);
	if (r == 0)
		r = note_link(&protect, project->root);
	return r < 0 ? r : protect_git_dir(&protect, project->common_dir, 0);
}

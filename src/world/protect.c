// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  Every entry is looked at by lstat(): a directory or file is bound onto itself
 * read-only; a symlink or nothing counts as absent and is watched for.  The directories between
 * the project's root and an entry are bound onto themselves too, writable, so that none of them
 * can be renamed away (EBUSY).
 */
#include "world/protect.h"

#include "base/error.h"
#include "base/path.h"
#include "world/protected_list.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

/** Submodules and worktrees that are looked at; more are an error, not a gap. */
#define GIT_DIRS_MAX 512
#define MODULE_DEPTH_MAX 12

struct protect {
	struct plan_builder *plan;
	struct image *image;
	bool on;
	unsigned git_dirs;
};

static void emit_self(struct protect *protect, const char *path, bool writable)
{
	if (protect->on)
		plan_add(protect->plan, &(struct plan_step){
						.kind = PLAN_SELF,
						.guard = PLAN_GUARD_PROTECT,
						.flags = writable ? PLAN_RW : 0,
						.path = path,
					});
}

/** One entry of a directory. */
static int add_entry(struct protect *protect, const char *dir, const char *name, struct error *err)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	struct stat st;

	if (!path)
		return error_oom(err);

	bool have = lstat(path, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode));

	if (have)
		emit_self(protect, path, false);
	return strv_add(have ? &protect->image->protect_have : &protect->image->protect_miss,
			path) < 0
		       ? error_oom(err)
		       : 0;
}

static int add_entries(struct protect *protect, const char *dir, const char *const *names,
		       struct error *err)
{
	int r = strv_add(&protect->image->protect_dirs, dir) < 0 ? error_oom(err) : 0;

	for (size_t i = 0; r == 0 && names[i]; i++)
		r = add_entry(protect, dir, names[i], err);
	return r;
}

/** The configuration stays writable; what a world may not change in it is put back. */
static int add_config(struct protect *protect, const char *dir, struct error *err)
{
	char *path = path_join(dir, "config");

	return strv_take(&protect->image->git_configs, path) < 0 ? error_oom(err) : 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int count_git_dir(struct protect *protect, const char *dir, struct error *err)
{
	if (++protect->git_dirs > GIT_DIRS_MAX)
		return error_set(err, E2BIG, "%s: more than %d git directories to protect", dir,
				 GIT_DIRS_MAX);
	return 0;
}

/** Call fn for each directory in `dir`. */
static int each_dir(struct protect *protect, const char *dir, unsigned depth,
		    int (*fn)(struct protect *protect, const char *path, unsigned depth,
			      struct error *err),
		    struct error *err)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && stream && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;

		AUTO(mem_free) char *path = path_join(dir, entry->d_name);

		if (!path)
			r = error_oom(err);
		else if (is_dir(path))
			r = fn(protect, path, depth, err);
	}
	if (stream)
		(void)closedir(stream);
	return r;
}

static int add_worktree(struct protect *protect, const char *dir, unsigned depth, struct error *err)
{
	static const char *const names[] = {"commondir", "gitdir", "config.worktree", NULL};
	int r = count_git_dir(protect, dir, err);

	(void)depth;
	if (r < 0)
		return r;
	emit_self(protect, dir, true);
	return add_entries(protect, dir, names, err);
}

static int add_git_dir(struct protect *protect, const char *dir, unsigned depth, struct error *err);

/** A directory below modules/ is a submodule's git directory, or leads to some. */
static int add_module(struct protect *protect, const char *dir, unsigned depth, struct error *err)
{
	AUTO(mem_free) char *head = path_join(dir, "HEAD");
	struct stat st;

	if (!head)
		return error_oom(err);
	if (lstat(head, &st) == 0)
		return add_git_dir(protect, dir, depth + 1, err);
	if (depth > MODULE_DEPTH_MAX)
		return error_set(err, ELOOP, "%s: submodules lie too deep", dir);
	if (count_git_dir(protect, dir, err) < 0)
		return -E2BIG;
	emit_self(protect, dir, true);
	return each_dir(protect, dir, depth + 1, add_module, err);
}

static int add_git_dir(struct protect *protect, const char *dir, unsigned depth, struct error *err)
{
	AUTO(mem_free) char *worktrees = path_join(dir, "worktrees");
	AUTO(mem_free) char *modules = path_join(dir, "modules");
	int r = count_git_dir(protect, dir, err);

	if (!worktrees || !modules)
		return error_oom(err);
	if (depth > MODULE_DEPTH_MAX)
		return error_set(err, ELOOP, "%s: submodules lie too deep", dir);
	if (r < 0)
		return r;
	emit_self(protect, dir, true);
	r = add_entries(protect, dir, protected_git, err);
	if (r == 0)
		r = add_config(protect, dir, err);
	if (r == 0 && is_dir(worktrees)) {
		emit_self(protect, worktrees, true);
		r = each_dir(protect, worktrees, depth, add_worktree, err);
	}
	if (r == 0 && is_dir(modules)) {
		emit_self(protect, modules, true);
		r = each_dir(protect, modules, depth, add_module, err);
	}
	return r;
}

int protect_emit(const struct spec *spec, struct plan_builder *plan, struct image *image,
		 struct error *err)
{
	const struct spec_project *project = &spec->project;
	struct protect protect = {
		.plan = plan,
		.image = image,
		.on = !(spec->guards_off & (1u << PLAN_GUARD_PROTECT)),
	};
	int r;

	if (project->read_only)
		return 0;
	r = add_entries(&protect, project->root, protected_project, err);
	if (r == 0 && project->git_file)
		r = add_entry(&protect, project->root, ".git", err);
	if (r == 0 && project->common_dir)
		r = add_git_dir(&protect, project->common_dir, 0, err);
	return r;
}

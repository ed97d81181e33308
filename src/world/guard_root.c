// SPDX-License-Identifier: Apache-2.0
/** Repositories at the top of a project. */
#include "world/guard_root.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/aside_tree.h"
#include "world/guard_path.h"
#include "world/guard_place.h"
#include "world/guard_repo.h"
#include "world/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#define ROOT_MASK (IN_CREATE | IN_MOVED_TO)
#define FRESH_MAX 256U

static void on_event(struct guard_watch_sub *sub, uint32_t mask, const char *name)
{
	struct guard_root *root = container_of(sub, struct guard_root, sub);

	root->dirty |= strcmp(name, ".git") == 0 || strcmp(name, "HEAD") == 0 ||
		       strcmp(name, "objects") == 0 || strcmp(name, "refs") == 0 ||
		       strcmp(name, "commondir") == 0;
	// Without memory for its name a clone is not looked at: nobody has to enter it.
	if ((mask & IN_ISDIR) && root->fresh.count < FRESH_MAX && !strv_has(&root->fresh, name))
		(void)strv_add(&root->fresh, name);
}

/* What the project has ----------------------------------------------------------------- */

static int enter_known(struct guard *guard, const char *git_dir, const char *worktree,
		       struct error *err)
{
	AUTO(fd_close) int fd = guard_path_open(guard->hub, git_dir);
	struct guard_repo *repo = NULL;
	const struct guard_repo_options options = {
		.path = git_dir,
		.worktree = worktree,
		.fd = fd,
		.mounted = true,
	};

	if (fd < 0)
		return error_errno(err, "%s", git_dir);

	int r = guard_repo_add(guard->hub, &options, &repo, err);

	if (r == GUARD_REPO_NEW)
		guard_repo_accept(repo);
	return r < 0 ? r : 0;
}

static struct guard_identity identify(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return (struct guard_identity){0};
	return (struct guard_identity){.exists = true, .dev = st.st_dev, .ino = st.st_ino};
}

static bool same(const struct guard_identity *a, const struct guard_identity *b)
{
	return a->exists == b->exists && a->dev == b->dev && a->ino == b->ino;
}

int guard_root_open(struct guard *guard, const struct spec_project *project, struct error *err)
{
	struct guard_root *root = &guard->root;
	int r;

	if (project->read_only)
		return 0;
	root->path = strdup(project->root);
	root->git_dir = project->git_dir ? strdup(project->git_dir) : NULL;
	if (!root->path || (project->git_dir && !root->git_dir))
		return error_oom(err);
	root->fd = guard_path_open(guard->hub, root->path);
	if (root->fd < 0)
		return error_errno(err, "%s", root->path);
	root->built = identify(root->fd, ".git");
	r = guard_watch_add(guard->hub->watch, &root->sub, root->fd, ROOT_MASK, on_event, err);
	if (r == 0 && root->git_dir)
		r = enter_known(guard, root->git_dir, root->path, err);
	if (r == 0 && project->common_dir && !str_same(project->common_dir, root->git_dir))
		r = enter_known(guard, project->common_dir, NULL, err);
	return r;
}

void guard_root_close(struct guard *guard)
{
	struct guard_root *root = &guard->root;

	guard_watch_remove(guard->hub->watch, &root->sub);
	root->fd = fd_close(root->fd);
	strv_done(&root->fresh);
	free(root->path);
	free(root->git_dir);
	root->path = NULL;
	root->git_dir = NULL;
}

/* What appears ------------------------------------------------------------------------- */

static struct guard_place top_place(struct guard *guard, bool accept)
{
	const struct guard_root *root = &guard->root;

	return (struct guard_place){
		.hub = guard->hub,
		.repo = root->git_dir ? guard_repo_find(guard->hub, root->git_dir) : NULL,
		.path = root->path,
		.fd = root->fd,
		.accept = accept,
	};
}

/** A `.git` that is not the one that the world was built with. */
static void look_at_git(struct guard *guard, bool accept)
{
	struct guard_root *root = &guard->root;
	const struct guard_identity now = identify(root->fd, ".git");
	struct guard_place place = top_place(guard, accept);

	if (!now.exists || same(&now, &root->built))
		return;
	place.repo = NULL; // nothing here was there while nothing ran
	guard_place_enter(&place);
	if (!accept)
		root->made = identify(root->fd, ".git");
}

/** A folder that appeared below the project. */
static void look_at_fresh(struct guard *guard, const char *name, bool accept)
{
	const struct guard_root *root = &guard->root;
	AUTO(fd_close) int fd = aside_tree_open(root->fd, name, O_PATH | O_DIRECTORY);
	AUTO(mem_free) char *path = path_join(root->path, name);
	struct guard_place place = top_place(guard, accept);

	if (fd < 0 || !path)
		return;
	place.path = path;
	place.fd = fd;
	guard_place_enter(&place);
	guard_place_enter_bare(&place);
}

void guard_root_look(struct guard *guard, bool accept)
{
	struct guard_root *root = &guard->root;
	const struct guard_place place = top_place(guard, accept);

	root->dirty = false;
	if (!root->path)
		return;
	guard_path_unlock(root->fd);
	look_at_git(guard, accept);
	guard_place_enter_bare(&place);
	for (size_t i = 0; i < root->fresh.count; i++)
		look_at_fresh(guard, root->fresh.items[i], accept);
}

bool guard_root_is_stale(const struct guard *guard)
{
	const struct guard_root *root = &guard->root;

	if (!root->path)
		return false;

	const struct guard_identity now = identify(root->fd, ".git");

	if (!same(&now, &root->built) && !(root->made.exists && same(&now, &root->made)) &&
	    (now.exists || root->built.exists))
		return true;
	if (!root->git_dir)
		return false;

	// A worktree's repository lies elsewhere.
	const struct guard_repo *repo = guard_repo_find(guard->hub, root->git_dir);

	return !repo || !guard_repo_is_there(repo);
}

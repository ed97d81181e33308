// SPDX-License-Identifier: Apache-2.0
/** Repositories at the top of a project. */
#include "world/guard_root.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/aside_tree.h"
#include "world/guard_config.h"
#include "world/guard_link.h"
#include "world/guard_path.h"
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
		       strcmp(name, "objects") == 0 || strcmp(name, "refs") == 0;
	// Without memory for its name a clone is not looked at: nobody has to enter it.
	if ((mask & IN_ISDIR) && root->fresh.count < FRESH_MAX && !strv_has(&root->fresh, name))
		(void)strv_add(&root->fresh, name);
}

/** Look after a repository and, when it is new, at it. */
static int enter(struct guard_hub *hub, const struct guard_repo_options *options, struct error *err)
{
	struct guard_repo *repo = NULL;
	int r = guard_repo_add(hub, options, &repo, err);

	if (r != GUARD_REPO_NEW)
		return r;
	if (!options->made) {
		guard_repo_accept(repo);
		return 0;
	}
	guard_config_check(repo->config);
	guard_config_check(repo->config_worktree);
	guard_repo_check(repo);
	return 0;
}

/* What the project has ----------------------------------------------------------------- */

static int enter_known(struct guard *guard, const char *git_dir, const char *worktree,
		       struct error *err)
{
	AUTO(fd_close) int fd = guard_path_open(git_dir);
	const struct guard_repo_options options = {
		.path = git_dir,
		.worktree = worktree,
		.fd = fd,
		.worktree_fd = worktree ? guard->root.fd : -1,
		.mounted = true,
	};

	if (fd < 0)
		return error_errno(err, "%s", git_dir);
	return enter(guard->hub, &options, err);
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
	root->fd = guard_path_open(root->path);
	if (root->fd < 0)
		return error_errno(err, "%s", root->path);
	r = guard_watch_add(guard->hub->watch, &root->sub, root->fd, ROOT_MASK, on_event, err);
	if (r == 0 && root->git_dir)
		r = enter_known(guard, root->git_dir, root->path, err);
	if (r == 0 && project->common_dir && !str_same(project->common_dir, root->git_dir))
		r = enter_known(guard, project->common_dir, NULL, err);
	return r < 0 ? r : 0;
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

/** A repository in the folder `worktree`; `name` below it, "." for a bare one. */
static void enter_found(struct guard *guard, const char *worktree, int worktree_fd,
			const char *name, bool accept)
{
	bool bare = strcmp(name, ".") == 0;
	AUTO(mem_free) char *path = bare ? strdup(worktree) : path_join(worktree, name);
	AUTO(fd_close) int fd = aside_tree_open(worktree_fd, name, O_PATH | O_DIRECTORY);
	struct error err = {0};
	const struct guard_repo_options options = {
		.path = path,
		.worktree = bare ? NULL : worktree,
		.fd = fd,
		.worktree_fd = bare ? -1 : worktree_fd,
		.made = !accept,
	};

	if (path && fd >= 0 && enter(guard->hub, &options, &err) >= 0)
		return;
	if (path && !bare && !accept)
		(void)guard_set_aside(guard, worktree_fd, name, path,
				      "it leads git to a repository elsewhere");
}

static bool exists(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/** Where `.git` is no repository, git takes the folder for one when these three are in it. */
static bool looks_bare(int dirfd)
{
	return exists(dirfd, "HEAD") && exists(dirfd, "objects") && exists(dirfd, "refs");
}

/** A folder that appeared below the project. */
static void look_at_fresh(struct guard *guard, const char *name, bool accept)
{
	const struct guard_root *root = &guard->root;
	struct guard_repo *repo = root->git_dir ? guard_repo_find(guard->hub, root->git_dir) : NULL;
	AUTO(fd_close) int fd = aside_tree_open(root->fd, name, O_PATH | O_DIRECTORY);
	AUTO(mem_free) char *path = path_join(root->path, name);
	struct stat st;

	if (fd < 0 || !path || fstatat(fd, ".git", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (repo)
		guard_link_look(repo, name, accept);
	else if (S_ISDIR(st.st_mode))
		enter_found(guard, path, fd, ".git", accept);
}

void guard_root_look(struct guard *guard, bool accept)
{
	struct guard_root *root = &guard->root;

	root->dirty = false;
	if (!root->path)
		return;
	if (!root->git_dir && exists(root->fd, ".git")) {
		enter_found(guard, root->path, root->fd, ".git", accept);
		root->made |= !accept;
	}
	if (looks_bare(root->fd))
		enter_found(guard, root->path, root->fd, ".", accept);
	for (size_t i = 0; i < root->fresh.count; i++)
		look_at_fresh(guard, root->fresh.items[i], accept);
}

bool guard_root_is_stale(const struct guard *guard)
{
	const struct guard_root *root = &guard->root;

	if (!root->path)
		return false;
	if (!root->git_dir)
		return !root->made && exists(root->fd, ".git");

	// The host may have put another repository in the place of the one that was mounted.
	const struct guard_repo *repo = guard_repo_find(guard->hub, root->git_dir);

	return !repo || !guard_repo_is_there(repo);
}

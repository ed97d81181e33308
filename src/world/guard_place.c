// SPDX-License-Identifier: Apache-2.0
/**
 * Entering a folder as git would.
 *
 * A `.git` that is a directory is a repository.  One that is a file names a repository; that is
 * believed only below the `modules` or `worktrees` of one that is looked after.  Anything else
 * leads git to configuration that nobody looks after: it is a suspect.
 */
#include "world/guard_place.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "git/gitlink.h"
#include "world/aside_tree.h"
#include "world/guard_config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/** Repositories in repositories; each one that is looked at keeps descriptors open. */
#define DEPTH_MAX 16U

static void suspect_dot_git(const struct guard_place *place, const char *why)
{
	AUTO(mem_free) char *key = str_format("/%s", place->path);
	AUTO(mem_free) char *path = path_join(place->path, ".git");
	const struct guard_suspect suspect = {
		.dirfd = place->fd,
		.name = ".git",
		.key = key,
		.path = path,
		.why = why,
		.accept = place->accept,
	};
	struct guard *writer = path ? guard_writer(place->hub, path) : NULL;

	if (key && path && place->repo)
		guard_repo_suspect(place->repo, &suspect);
	else if (writer && !place->accept)
		(void)guard_set_aside(writer, place->fd, ".git", path, why);
}

/** A repository was found: look after it, and at it when it is new.  Returns <0 when it cannot. */
static int enter_repo(const struct guard_place *place, const struct guard_repo_options *options,
		      struct error *err)
{
	struct guard_repo *repo = NULL;
	int r;

	if (place->hub->depth >= DEPTH_MAX)
		return error_set(err, ELOOP, "its repository lies too deep in others");
	r = guard_repo_add(place->hub, options, &repo, err);
	if (r != GUARD_REPO_NEW)
		return r; // one that is known is looked at in its turn
	place->hub->depth++;
	if (place->accept) {
		guard_repo_accept(repo);
	} else {
		guard_config_check(repo->config);
		guard_config_check(repo->config_worktree);
		guard_repo_check(repo);
	}
	place->hub->depth--;
	return 0;
}

static void enter_git_dir(const struct guard_place *place, const char *path, int fd)
{
	struct error err = {0};
	const struct guard_repo_options options = {
		.path = path,
		.worktree = place->path,
		.fd = fd,
		.made = !place->accept,
		.loose = place->loose,
	};

	if (enter_repo(place, &options, &err) < 0)
		suspect_dot_git(place, err.msg);
}

/** The path that a .git file names, resolved lexically; NULL when it is none. */
static char *gitfile_target(const struct guard_place *place)
{
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *named = NULL;
	struct error ignored = {0};
	size_t len = 0;

	if (fd_read_file(place->fd, ".git", GITLINK_SIZE_MAX, &text, &len, &ignored) < 0 ||
	    gitlink_parse(text, len, &named, &ignored) < 0)
		return NULL;

	AUTO(mem_free) char *joined = path_join(place->path, named);

	return joined ? path_clean(joined) : NULL;
}

/** The part of target below `modules` or `worktrees` of the repository, or NULL. */
static const char *part_below(const struct guard_repo *repo, const char *target)
{
	const char *below = target + strlen(repo->path) + 1;

	if (repo->dead || !path_below(target, repo->path))
		return NULL;
	return str_starts(below, "modules/") || str_starts(below, "worktrees/") ? below : NULL;
}

static void enter_gitfile(const struct guard_place *place)
{
	AUTO(mem_free) char *target = gitfile_target(place);

	for (struct guard_repo *repo = place->hub->repos; repo && target; repo = repo->next) {
		const char *below = part_below(repo, target);
		AUTO(fd_close) int base = below ? guard_repo_open(repo) : -1;
		AUTO(fd_close)
		int fd = base < 0 ? -1 : fd_open_beneath(base, below, O_PATH | O_DIRECTORY, 0);

		if (fd >= 0)
			enter_git_dir(place, target, fd);
		if (fd >= 0 || (base >= 0 && errno == ENOENT))
			return; // what is not there yet is found when it is
	}
	suspect_dot_git(place, "it leads git to a repository elsewhere");
}

void guard_place_enter(const struct guard_place *place)
{
	struct stat st;

	if (fstatat(place->fd, ".git", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(st.st_mode)) {
		enter_gitfile(place);
		return;
	}

	AUTO(fd_close) int fd = aside_tree_open(place->fd, ".git", O_PATH | O_DIRECTORY);
	AUTO(mem_free) char *path = path_join(place->path, ".git");

	if (fd >= 0 && path)
		enter_git_dir(place, path, fd);
	else
		suspect_dot_git(place, "it leads git to a repository elsewhere");
}

static bool exists(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void guard_place_enter_bare(const struct guard_place *place)
{
	struct error ignored = {0};
	const struct guard_repo_options options = {
		.path = place->path,
		.fd = place->fd,
		.made = !place->accept,
		.loose = place->loose,
	};
	AUTO(mem_free) char *head = path_join(place->path, "HEAD");
	struct guard *writer = guard_writer(place->hub, place->path);

	// Git takes a folder for a repository when these are in it; a `commondir` says where the
	// last two are.
	if (!exists(place->fd, "HEAD") ||
	    (!exists(place->fd, "commondir") &&
	     (!exists(place->fd, "objects") || !exists(place->fd, "refs"))))
		return;
	if (enter_repo(place, &options, &ignored) < 0 && head && writer && !place->accept)
		(void)guard_set_aside(writer, place->fd, "HEAD", head,
				      "it makes a repository that cannot be looked after");
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Finding a repository from the outside.
 *
 * Invariant: a path that a repository names (commondir, a .git file) is used only when what is
 * there names the repository back.
 */
#include "git/repo.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "git/gitlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void repo_done(struct repo *repo)
{
	free(repo->root);
	free(repo->git_dir);
	free(repo->common_dir);
	*repo = (struct repo){0};
}

/** Read a one-line file of git's and parse it; the result is absolute and real, or NULL. */
static char *read_link(const char *dir, const char *name,
		       int (*parse)(const char *text, size_t len, char **ret, struct error *err))
{
	AUTO(mem_free) char *file = path_join(dir, name);
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *target = NULL;
	struct error ignored = {0};
	char *real = NULL;
	size_t len = 0;

	if (!file || fd_read_file(AT_FDCWD, file, GITLINK_SIZE_MAX, &text, &len, &ignored) < 0 ||
	    parse(text, len, &target, &ignored) < 0)
		return NULL;

	AUTO(mem_free) char *joined = path_join(dir, target);

	return joined && path_real(joined, &real, &ignored) == 0 ? real : NULL;
}

/** The directory that a git directory shares: what `commondir` names, else itself. */
static char *common_of(const char *git_dir)
{
	char *common = read_link(git_dir, "commondir", gitlink_parse_path);

	return common ? common : strdup(git_dir);
}

/** True when worktrees/NAME/gitdir in `git_dir` names root/.git. */
static bool points_back(const char *git_dir, const char *root)
{
	AUTO(mem_free) char *back = read_link(git_dir, "gitdir", gitlink_parse_path);
	AUTO(mem_free) char *own = path_join(root, ".git");

	return back && own && strcmp(back, own) == 0;
}

/** A submodule's git directory lies in SUPER/.git/modules; then SUPER is the project. */
static char *superproject(const char *git_dir, const char *root)
{
	const char *modules = strstr(git_dir, "/.git/modules/");
	char *super = modules ? strndup(git_dir, (size_t)(modules - git_dir)) : NULL;

	if (super && super[0] == '/' && path_below(root, super))
		return super;
	free(super);
	return NULL;
}

static int take_plain(const char *root, struct repo *ret, struct error *err)
{
	ret->root = strdup(root);
	ret->git_dir = path_join(root, ".git");
	ret->common_dir = path_join(root, ".git");
	return ret->root && ret->git_dir && ret->common_dir ? 0 : error_oom(err);
}

/** root/.git is a file: a worktree, a submodule, or nothing that we believe. */
static int take_linked(const char *root, struct repo *ret, struct error *err)
{
	AUTO(mem_free) char *git_dir = read_link(root, ".git", gitlink_parse);
	AUTO(mem_free) char *super = git_dir ? superproject(git_dir, root) : NULL;
	struct stat st;

	if (super) {
		AUTO(mem_free) char *git = path_join(super, ".git");

		if (git && lstat(git, &st) == 0 && S_ISDIR(st.st_mode))
			return take_plain(super, ret, err);
	}
	ret->root = strdup(root);
	ret->git_file = true;
	if (git_dir && points_back(git_dir, root)) {
		ret->common_dir = common_of(git_dir);
		ret->git_dir = TAKE_PTR(git_dir);
	}
	return ret->root ? 0 : error_oom(err);
}

int repo_find(const char *path, uid_t owner, struct repo *ret, struct error *err)
{
	AUTO(mem_free) char *at = strdup(path);
	AUTO(repo_done) struct repo found = {0};

	while (at) {
		AUTO(mem_free) char *git = path_join(at, ".git");
		struct stat st;

		if (!git)
			return error_oom(err);
		if (lstat(git, &st) == 0 && st.st_uid == owner &&
		    (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))) {
			int r = S_ISDIR(st.st_mode) ? take_plain(at, &found, err)
						    : take_linked(at, &found, err);

			if (r == 0) {
				*ret = found;
				found = (struct repo){0};
			}
			return r;
		}
		if (at[1] == '\0')
			return REPO_NONE;

		char *up = path_parent(at);

		free(at);
		at = up;
	}
	return error_oom(err);
}

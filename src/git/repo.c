// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  repo_find() walks up from a directory.  The first `.git` that belongs to the
 * owner decides:
 *
 *   directory   the usual repository;
 *   file        it points to a worktree's or a submodule's directory.  A worktree is believed
 *               when worktrees/NAME/gitdir names this very file; a submodule when it lies in the
 *               modules/ of a repository above, and either core.worktree or .gitmodules there
 *               names this directory.  Else there is a root and nothing more.
 *   symlink     git follows it, so do we, but only to a directory below the root.
 *
 * Files are opened without following links and without blocking; a FIFO is no file.
 */
#include "git/repo.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "git/gitconfig.h"
#include "git/gitlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/** So many directories above the start are looked at. */
#define DEPTH_MAX 256

void repo_done(struct repo *repo)
{
	free(repo->root);
	free(repo->git_dir);
	free(repo->common_dir);
	*repo = (struct repo){0};
}

/** Read the regular file dir/name; false when there is none to be read. */
static bool read_file(const char *dir, const char *name, size_t max, char **ret, size_t *ret_len)
{
	AUTO(fd_close) int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error ignored = {0};

	return dirfd >= 0 && fd_read_file(dirfd, name, max, ret, ret_len, &ignored) == 0;
}

/** True when it is a directory and the owner's; anything else is not believed. */
static bool is_dir_of(const char *dir, uid_t owner)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == owner;
}

/** The real path of `path`, which starts at `base` when it is relative; NULL: none. */
static char *real_from(const char *base, const char *path)
{
	AUTO(mem_free) char *joined = path_join(base, path);
	struct error ignored = {0};
	char *real = NULL;

	return joined && path_real(joined, &real, &ignored) == 0 ? real : NULL;
}

/** The directory that root/.git, a file, names; NULL: none that counts. */
static char *read_link_file(const char *root, uid_t owner)
{
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *path = NULL;
	struct error ignored = {0};
	size_t len = 0;

	if (!read_file(root, ".git", GITLINK_SIZE_MAX, &text, &len) ||
	    gitlink_parse(text, len, &path, &ignored) < 0)
		return NULL;

	AUTO(mem_free) char *real = real_from(root, path);

	return real && is_dir_of(real, owner) ? TAKE_PTR(real) : NULL;
}

/** True when git_dir/gitdir names root/.git. */
static bool names_back(const char *git_dir, const char *root)
{
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *path = NULL;
	struct error ignored = {0};
	size_t len = 0;

	if (!read_file(git_dir, "gitdir", GITLINK_SIZE_MAX, &text, &len) ||
	    gitlink_parse_path(text, len, &path, &ignored) < 0)
		return false;
	if (strcmp(path_base(path), ".git") != 0)
		return false;

	AUTO(mem_free) char *joined = path_join(git_dir, path);
	AUTO(mem_free) char *clean = joined ? path_clean(joined) : NULL;
	AUTO(mem_free) char *parent = clean ? path_parent(clean) : NULL;
	AUTO(mem_free) char *real = parent ? real_from("/", parent) : NULL;

	return real && strcmp(real, root) == 0;
}

/** git_dir is COMMON/worktrees/NAME and names root back: give COMMON, else NULL. */
static char *worktree_common(const char *git_dir, const char *root, uid_t owner)
{
	AUTO(mem_free) char *trees = path_parent(git_dir);
	AUTO(mem_free) char *common = trees ? path_parent(trees) : NULL;

	if (!common || strcmp(path_base(trees), "worktrees") != 0)
		return NULL;
	if (!is_dir_of(common, owner) || !names_back(git_dir, root))
		return NULL;
	return TAKE_PTR(common);
}

static bool read_config(const char *dir, const char *name, struct gitconfig *ret)
{
	AUTO(mem_free) char *text = NULL;
	struct error ignored = {0};
	size_t len = 0;

	return read_file(dir, name, GITCONFIG_SIZE_MAX, &text, &len) &&
	       gitconfig_parse(text, len, ret, &ignored) == 0;
}

/** The last value of a key, or NULL. */
static const char *config_value(const struct gitconfig *config, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < config->count; i++) {
		if (strcmp(config->entries[i].name, name) == 0)
			value = config->entries[i].value;
	}
	return value;
}

/** Does the .gitmodules of `super` say that the submodule `name` lies at `root`? */
static bool is_listed(const char *super, const char *name, const char *root)
{
	AUTO(gitconfig_done) struct gitconfig config = {0};
	AUTO(mem_free) char *key = str_format("submodule.%s.path", name);

	if (!key || !path_below(root, super) || !read_config(super, ".gitmodules", &config))
		return false;

	const char *path = config_value(&config, key);
	AUTO(mem_free) char *real = path ? real_from(super, path) : NULL;

	return real && strcmp(real, root) == 0;
}

/** Is git_dir, below super's modules/, the repository of the submodule at root? */
static bool is_submodule(const struct repo *super, const char *git_dir, const char *root)
{
	AUTO(mem_free) char *modules = path_join(super->git_dir, "modules");
	AUTO(gitconfig_done) struct gitconfig config = {0};

	if (!modules || !path_below(git_dir, modules) || !read_config(git_dir, "config", &config))
		return false;

	const char *tree = config_value(&config, "core.worktree");

	if (!tree)
		return is_listed(super->root, git_dir + strlen(modules) + 1, root);

	AUTO(mem_free) char *real = real_from(git_dir, tree);

	return real && strcmp(real, root) == 0;
}

/** What kind of `.git` is in `dir`: its mode, or 0 when there is none of the owner's. */
static mode_t marker_mode(const char *dir, uid_t owner)
{
	AUTO(mem_free) char *path = path_join(dir, ".git");
	struct stat st;

	if (!path || lstat(path, &st) < 0 || st.st_uid != owner)
		return 0;
	return S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? st.st_mode : 0;
}

static int set_dirs(struct repo *repo, const char *git_dir, const char *common, struct error *err)
{
	repo->git_dir = strdup(git_dir);
	repo->common_dir = strdup(common);
	return repo->git_dir && repo->common_dir ? 0 : error_oom(err);
}

/** Fill what the `.git` in repo->root, which is no submodule's, says. */
static int resolve_plain(struct repo *repo, mode_t mode, uid_t owner, struct error *err)
{
	if (S_ISREG(mode)) {
		AUTO(mem_free) char *git_dir = read_link_file(repo->root, owner);
		AUTO(mem_free)
		char *common = git_dir ? worktree_common(git_dir, repo->root, owner) : NULL;

		repo->git_file = true;
		return common ? set_dirs(repo, git_dir, common, err) : 0;
	}

	AUTO(mem_free) char *real = real_from(repo->root, ".git");

	// A directory stays in place; a link is believed only when it leads further down.
	if (!real || !path_below(real, repo->root) || !is_dir_of(real, owner))
		return 0;
	return set_dirs(repo, real, real, err);
}

/** The next directory above *dir, which is replaced; false at the top. */
static bool go_up(char **dir)
{
	char *parent = strcmp(*dir, "/") == 0 ? NULL : path_parent(*dir);

	if (!parent)
		return false;
	free(*dir);
	*dir = parent;
	return true;
}

/** Find the repository above `sub` whose modules/ holds git_dir.  REPO_NONE: there is none. */
static int find_super(const char *sub, const char *git_dir, uid_t owner, struct repo *ret,
		      struct error *err)
{
	AUTO(mem_free) char *dir = strdup(sub);

	if (!dir)
		return error_oom(err);
	for (int i = 0; i < DEPTH_MAX && go_up(&dir); i++) {
		AUTO(repo_done) struct repo repo = {0};
		mode_t mode = marker_mode(dir, owner);

		if (mode == 0)
			continue;
		repo.root = strdup(dir);

		int r = repo.root ? resolve_plain(&repo, mode, owner, err) : error_oom(err);

		if (r < 0)
			return r;
		if (repo.git_dir && is_submodule(&repo, git_dir, sub)) {
			*ret = repo;
			repo = (struct repo){0};
			return REPO_FOUND;
		}
	}
	return REPO_NONE;
}

static int resolve(const char *root, mode_t mode, uid_t owner, struct repo *ret, struct error *err)
{
	AUTO(mem_free) char *linked = S_ISREG(mode) ? read_link_file(root, owner) : NULL;
	AUTO(repo_done) struct repo repo = {0};
	int r = linked ? find_super(root, linked, owner, ret, err) : REPO_NONE;

	if (r != REPO_NONE)
		return r;
	repo.root = strdup(root);
	r = repo.root ? resolve_plain(&repo, mode, owner, err) : error_oom(err);
	if (r < 0)
		return r;
	*ret = repo;
	repo = (struct repo){0};
	return REPO_FOUND;
}

int repo_find(const char *path, uid_t owner, struct repo *ret, struct error *err)
{
	AUTO(mem_free) char *dir = strdup(path);

	if (!dir)
		return error_oom(err);
	for (int i = 0; i < DEPTH_MAX; i++) {
		mode_t mode = marker_mode(dir, owner);

		if (mode != 0)
			return resolve(dir, mode, owner, ret, err);
		if (!go_up(&dir))
			break;
	}
	return REPO_NONE;
}

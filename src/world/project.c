// SPDX-License-Identifier: Apache-2.0
/** The project of a directory, and why it may not be written. */
#include "world/project.h"

#include "base/error.h"
#include "base/path.h"
#include "git/repo.h"
#include "world/hidden.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/** Neither these nor anything below them. */
static const char *const system_trees[] = {
	"/bin",    "/boot", "/dev", "/etc",  "/lib", "/lib32", "/lib64",
	"/libx32", "/proc", "/run", "/sbin", "/sys", "/usr",   "/var",
};

/** Except what lies below these. */
static const char *const allowed_below[] = {"/var/lib", "/var/www", "/var/tmp"};

/** Not themselves, but what lies below them. */
static const char *const bare_roots[] = {
	"/", "/home", "/tmp", "/opt", "/srv", "/mnt", "/media", "/nix", "/root",
};

struct search {
	const struct spec_user *user;
	const char *env_home, *substrate_home;
	struct error *err;
};

void project_done(struct spec_project *project)
{
	free(project->root);
	free(project->git_dir);
	free(project->common_dir);
	free(project->reason);
	*project = (struct spec_project){0};
}

static bool is_system(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed_below); i++) {
		if (path_below(path, allowed_below[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(system_trees); i++) {
		if (path_within(path, system_trees[i]))
			return true;
	}
	return false;
}

static bool is_bare_root(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(bare_roots); i++) {
		if (strcmp(path, bare_roots[i]) == 0)
			return true;
	}
	return false;
}

/** What of the home is hidden and lies at, above or below path.  Sets *ret_reason, or not. */
static int find_hidden(const struct search *search, const char *path, char **ret_reason)
{
	AUTO(hostfs_close) struct hostfs host = {.root_fd = -1};
	AUTO(marks_free) struct mark *marks = marks_new();
	struct hidden_request req = {
		.host = &host,
		.user = search->user,
		.env_home = search->env_home,
		.substrate_home = search->substrate_home,
	};
	int r = marks ? hostfs_open("/", &host, search->err) : error_oom(search->err);

	if (r == 0)
		r = hidden_homes(&req, marks, search->err);
	if (r < 0)
		return r;
	if (marks_state(marks, path) == MARK_HIDE) {
		*ret_reason = strdup("it is, or lies in, a hidden place of the home directory");
		return *ret_reason ? 0 : error_oom(search->err);
	}

	AUTO(mem_free) char *below = marks_hidden_below(marks, path);

	if (!below)
		return 0;
	*ret_reason = str_format("it holds %s, which no world may see", below);
	return *ret_reason ? 0 : error_oom(search->err);
}

/** Why `path` may not be written.  Leaves *ret_reason alone when it may. */
static int find_reason(const struct search *search, const char *path, char **ret_reason)
{
	const char *home = search->user->home;
	char *reason = NULL;

	if (strcmp(path, "/") == 0)
		reason = strdup("it is the root of the file system");
	else if (strcmp(home, "/") != 0 && strcmp(path, home) == 0)
		reason = strdup("it is the home directory");
	else if (strcmp(home, "/") != 0 && path_within(home, path))
		reason = str_format("it holds the home directory %s", home);
	else if (search->env_home && path_within(search->env_home, path))
		reason = str_format("it is, or holds, $HOME, %s", search->env_home);
	else if (path_within(search->substrate_home, path))
		reason = str_format("it holds SUBSTRATE_HOME, %s", search->substrate_home);
	else if (is_bare_root(path))
		reason = str_format("%s is where projects lie, it is none itself", path);
	else if (is_system(path))
		reason = strdup("it is a system directory");
	else
		return find_hidden(search, path, ret_reason);
	*ret_reason = reason;
	return reason ? 0 : error_oom(search->err);
}

static int find_root(const struct search *search, const char *cwd, struct spec_project *ret)
{
	AUTO(repo_done) struct repo repo = {0};
	int r = repo_find(cwd, search->user->uid, &repo, search->err);

	if (r == REPO_NONE) {
		ret->root = strdup(cwd);
		return ret->root ? 0 : error_oom(search->err);
	}
	if (r < 0)
		return r;
	ret->root = TAKE_PTR(repo.root);
	ret->git_dir = TAKE_PTR(repo.git_dir);
	ret->common_dir = TAKE_PTR(repo.common_dir);
	ret->git_file = repo.git_file;
	return 0;
}

static void drop_git(struct spec_project *project)
{
	free(project->git_dir);
	free(project->common_dir);
	project->git_dir = NULL;
	project->common_dir = NULL;
}

/** A worktree's common directory is one more writable place, so it must be as good as a project. */
static int check_common(const struct search *search, struct spec_project *project)
{
	AUTO(mem_free) char *reason = NULL;
	int r;

	if (!project->common_dir || path_within(project->common_dir, project->root))
		return 0;
	r = find_reason(search, project->common_dir, &reason);
	if (r == 0 && reason)
		drop_git(project);
	return r;
}

/** The repository of the directory above, when the one that was found holds the home. */
static int choose_root(const struct search *search, const char *cwd, struct spec_project *ret)
{
	int r = find_root(search, cwd, ret);

	if (r < 0 || !ret->root || strcmp(ret->root, cwd) == 0)
		return r;

	AUTO(mem_free) char *reason = NULL;

	// A repository of the whole home (for dotfiles), or of "/", is not what a directory
	// below it belongs to; taking it would make every project there read-only.
	if (!path_within(search->user->home, ret->root) &&
	    !(search->env_home && path_within(search->env_home, ret->root)))
		return 0;
	r = find_reason(search, ret->root, &reason);
	if (r < 0 || !reason)
		return r;
	project_done(ret);
	ret->root = strdup(cwd);
	return ret->root ? 0 : error_oom(search->err);
}

/** Where cwd is, as a real path of a directory that a world may be started for. */
static int resolve_cwd(const struct search *search, const char *cwd, char **ret)
{
	AUTO(mem_free) char *real = NULL;
	struct stat st;
	int r = path_real(cwd, &real, search->err);

	if (r < 0)
		return r;
	if (!real || stat(real, &st) < 0)
		return error_errno(search->err, "%s", cwd);
	if (!S_ISDIR(st.st_mode))
		return error_set(search->err, ENOTDIR, "%s is not a directory", cwd);
	if (path_within(real, search->substrate_home))
		return error_set(search->err, EACCES,
				 "%s lies in SUBSTRATE_HOME, which no world can see", cwd);
	*ret = TAKE_PTR(real);
	return 0;
}

/** Who owns the project, and may it be written? */
static int judge(const struct search *search, struct spec_project *project)
{
	struct stat st;
	int r;

	if (!project->root)
		return error_oom(search->err);
	if (lstat(project->root, &st) < 0)
		return error_errno(search->err, "%s", project->root);
	project->uid = st.st_uid;
	project->gid = st.st_gid;
	r = find_reason(search, project->root, &project->reason);
	project->read_only = project->reason != NULL;
	return r < 0 ? r : check_common(search, project);
}

int project_find(const char *cwd, const struct spec_user *user, const char *env_home,
		 const char *substrate_home, struct spec_project *ret, struct error *err)
{
	const struct search search = {user, env_home, substrate_home, err};
	AUTO(mem_free) char *real = NULL;
	struct spec_project project = {0};
	int r = resolve_cwd(&search, cwd, &real);

	if (r == 0 && real)
		r = choose_root(&search, real, &project);
	if (r == 0)
		r = judge(&search, &project);
	if (r < 0) {
		project_done(&project);
		return r;
	}
	*ret = project;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** The project of a directory, and why it may not be written. */
#include "world/project.h"

#include "base/error.h"
#include "base/path.h"
#include "git/repo.h"
#include "world/hidden.h"

#include <errno.h>
#include <sys/stat.h>

/** Below these nothing is a writable project. */
static const char *const system_trees[] = {
	"/bin",    "/boot", "/dev", "/etc",  "/lib", "/lib32", "/lib64",
	"/libx32", "/proc", "/run", "/sbin", "/sys", "/usr",   "/var",
};

/** Except below these. */
static const char *const allowed_below[] = {"/var/lib", "/var/www", "/var/tmp"};

/** Not themselves, but what lies below them. */
static const char *const bare_roots[] = {
	"/", "/home", "/tmp", "/opt", "/srv", "/mnt", "/media", "/nix", "/root",
};

void project_done(struct spec_project *project)
{
	free(project->root);
	free(project->git_dir);
	free(project->common_dir);
	free(project->reason);
	*project = (struct spec_project){0};
}

static bool in_system_tree(const char *root)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed_below); i++) {
		if (path_below(root, allowed_below[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(system_trees); i++) {
		if (path_within(root, system_trees[i]))
			return true;
	}
	return false;
}

static bool is_bare_root(const char *root)
{
	for (size_t i = 0; i < ARRAY_LEN(bare_roots); i++) {
		if (strcmp(root, bare_roots[i]) == 0)
			return true;
	}
	return false;
}

/** A project that holds a hidden path would have to show it, or hide its own new files. */
static bool holds_hidden(const char *root, const struct spec_user *user, const char *env_home,
			 const char *substrate_home, const char **ret_path, struct strv *room)
{
	struct error ignored = {0};

	if (hidden_collect(user, env_home, substrate_home, room, &ignored) < 0)
		return true; // not known is not allowed
	for (size_t i = 0; i < room->count; i++) {
		if (path_within(root, room->items[i]) || path_below(room->items[i], root)) {
			*ret_path = room->items[i];
			return true;
		}
	}
	return false;
}

/** Why `root` may not be written, or NULL.  Caller frees. */
static char *find_reason(const char *root, const struct spec_user *user, const char *env_home,
			 const char *substrate_home)
{
	AUTO(strv_done) struct strv hidden = {0};
	const char *path = "a hidden path";

	if (is_bare_root(root))
		return str_format("%s is a place for projects, not a project", root);
	if (in_system_tree(root))
		return str_format("it is a system directory");
	if (strcmp(user->home, "/") != 0 && path_within(user->home, root))
		return str_format("it is, or holds, the home directory %s", user->home);
	if (env_home && path_within(env_home, root))
		return str_format("it is, or holds, the home directory %s", env_home);
	if (path_within(substrate_home, root))
		return str_format("it holds SUBSTRATE_HOME");
	if (holds_hidden(root, user, env_home, substrate_home, &path, &hidden))
		return str_format("it holds %s", path);
	return NULL;
}

static int find_root(const char *cwd, uid_t owner, struct spec_project *ret, struct error *err)
{
	AUTO(repo_done) struct repo repo = {0};
	int r = repo_find(cwd, owner, &repo, err);

	if (r == 0) {
		ret->root = TAKE_PTR(repo.root);
		ret->git_dir = TAKE_PTR(repo.git_dir);
		ret->common_dir = TAKE_PTR(repo.common_dir);
		ret->git_file = repo.git_file;
		return 0;
	}
	if (r < 0)
		return r;
	ret->root = strdup(cwd);
	return ret->root ? 0 : error_oom(err);
}

/** A repository that starts at the home or above it is not what a directory below belongs to. */
static int find_narrow_root(const char *cwd, const struct spec_user *user, struct spec_project *ret,
			    struct error *err)
{
	struct stat st;

	// Root works in its users' projects too, so the owner of the directory decides there.
	uid_t owner = user->uid == 0 && stat(cwd, &st) == 0 ? st.st_uid : user->uid;
	int r = find_root(cwd, owner, ret, err);

	if (r < 0 || strcmp(user->home, "/") == 0 || !path_within(user->home, ret->root) ||
	    strcmp(cwd, ret->root) == 0)
		return r;
	project_done(ret);
	ret->root = strdup(cwd);
	return ret->root ? 0 : error_oom(err);
}

int project_find(const char *cwd, const struct spec_user *user, const char *env_home,
		 const char *substrate_home, struct spec_project *ret, struct error *err)
{
	struct spec_project project = {0};
	AUTO(mem_free) char *real = NULL;
	struct stat st;
	int r = path_real(cwd, &real, err);

	if (r < 0)
		return r;
	if (stat(real, &st) < 0)
		return error_errno(err, "%s", real);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ENOTDIR, "%s is not a directory", cwd);
	if (path_within(real, substrate_home))
		return error_set(err, EACCES, "%s lies in SUBSTRATE_HOME, which no world can see",
				 cwd);
	r = find_narrow_root(real, user, &project, err);
	if (r == 0 && stat(project.root, &st) < 0)
		r = error_errno(err, "%s", project.root);
	if (r < 0) {
		project_done(&project);
		return r;
	}
	project.uid = st.st_uid;
	project.gid = st.st_gid;
	project.reason = find_reason(project.root, user, env_home, substrate_home);
	project.read_only = project.reason != NULL;
	*ret = project;
	return 0;
}

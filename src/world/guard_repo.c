// SPDX-License-Identifier: Apache-2.0
/** Repositories: their configuration, hooks and pointers. */
#include "world/guard_repo.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/aside_tree.h"
#include "world/guard_config.h"
#include "world/guard_link.h"
#include "world/guard_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#define REPO_MASK (IN_CREATE | IN_MOVED_TO)
#define HOOKS_MASK (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB)
/** Repositories that one hub looks after. */
#define REPOS_MAX 512U
/** So many of them may be the host's; those that worlds make must find room. */
#define REPOS_ACCEPTED_MAX 384U
/** Entries of a folder that are looked at; hooks that are set aside one by one. */
#define ENTRIES_MAX 1024U
#define HOOKS_MAX 32U
#define COMMONDIR_MAX 64U
/** Longest path of a repository: room for the names in it. */
#define PATH_LEN_MAX (PATH_MAX - 512)

/* Events ------------------------------------------------------------------------------- */

static void on_event(struct guard_watch_sub *sub, uint32_t mask, const char *name)
{
	struct guard_repo *repo = container_of(sub, struct guard_repo, sub);

	(void)mask;
	(void)name;
	repo->dirty = true;
}

static void on_hooks_event(struct guard_watch_sub *sub, uint32_t mask, const char *name)
{
	struct guard_repo *repo = container_of(sub, struct guard_repo, hooks_sub);

	(void)mask;
	(void)name;
	repo->dirty = true;
}

/* Suspects ----------------------------------------------------------------------------- */

static struct guard_seen *find_seen(const struct guard_repo *repo, const char *key)
{
	for (size_t i = 0; i < repo->nseen; i++) {
		if (strcmp(repo->seen[i].name, key) == 0)
			return &repo->seen[i];
	}
	return NULL;
}

static bool is_seen(const struct guard_repo *repo, const char *key, const struct stat *st)
{
	const struct guard_seen *seen = find_seen(repo, key);

	return seen && seen->dev == st->st_dev && seen->ino == st->st_ino &&
	       seen->ctime.tv_sec == st->st_ctim.tv_sec &&
	       seen->ctime.tv_nsec == st->st_ctim.tv_nsec;
}

/** Remember it.  Without memory it is not, so it will be set aside: the safe way to fail. */
static void remember(struct guard_repo *repo, const char *key, const struct stat *st)
{
	struct guard_seen *seen = find_seen(repo, key);

	if (!seen) {
		struct guard_seen *grown =
			realloc(repo->seen, (repo->nseen + 1) * sizeof(*repo->seen));
		char *name = strdup(key);

		if (grown)
			repo->seen = grown;
		if (!grown || !name) {
			free(name);
			return;
		}
		seen = &grown[repo->nseen++];
		seen->name = name;
	}
	seen->dev = st->st_dev;
	seen->ino = st->st_ino;
	seen->ctime = st->st_ctim;
}

void guard_repo_suspect(struct guard_repo *repo, const struct guard_suspect *suspect)
{
	struct guard *writer = guard_writer(repo->hub, suspect->path);
	struct stat st;

	if (fstatat(suspect->dirfd, suspect->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!writer || (suspect->accept && !guard_touched(repo->hub, suspect->path, &st.st_ctim))) {
		remember(repo, suspect->key, &st);
		return;
	}
	if (is_seen(repo, suspect->key, &st))
		return;
	if (guard_set_aside(writer, suspect->dirfd, suspect->name, suspect->path,
			    repo->failed ? NULL : suspect->why) < 0)
		repo->failed = true;
}

/** A suspect right in the git directory. */
static void suspect_in(struct guard_repo *repo, const char *name, const char *why, bool accept)
{
	AUTO(mem_free) char *path = path_join(repo->path, name);
	const struct guard_suspect suspect = {
		.dirfd = repo->fd,
		.name = name,
		.key = name,
		.path = path,
		.why = why,
		.accept = accept,
	};

	if (path)
		guard_repo_suspect(repo, &suspect);
}

/** True when the worktree's common directory is this repository, as git writes it. */
static bool leads_home(int dirfd)
{
	AUTO(mem_free) char *text = NULL;
	struct error ignored = {0};
	size_t len = 0;

	return fd_read_file(dirfd, "commondir", COMMONDIR_MAX, &text, &len, &ignored) == 0 &&
	       strcmp(text, "../..\n") == 0;
}

/* Hooks -------------------------------------------------------------------------------- */

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return NULL;
}
DEFINE_AUTO(DIR *, dir_close)

static DIR *open_dir(int dirfd, const char *name)
{
	AUTO(fd_close) int fd = aside_tree_enter(dirfd, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		fd = -1; // it is the stream's
	return dir;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/** Git runs what has exactly the name of a hook; names that end in .sample have none. */
static void suspect_hook(struct guard_repo *repo, int dirfd, const char *name, bool accept)
{
	AUTO(mem_free) char *key = str_format("hooks/%s", name);
	AUTO(mem_free) char *path = key ? path_join(repo->path, key) : NULL;
	const struct guard_suspect suspect = {
		.dirfd = dirfd,
		.name = name,
		.key = key,
		.path = path,
		.why = "git would run it as a hook",
		.accept = accept,
	};

	if (path)
		guard_repo_suspect(repo, &suspect);
}

static bool is_strange_hook(const struct guard_repo *repo, int dirfd, const char *name)
{
	AUTO(mem_free) char *key = str_format("hooks/%s", name);
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !(key && is_seen(repo, key, &st));
}

/** Count the hooks that are not known; more than ENTRIES_MAX entries count as too many. */
static unsigned count_strange(const struct guard_repo *repo, DIR *dir)
{
	const struct dirent *entry;
	unsigned strange = 0;
	unsigned entries = 0;

	while ((entry = readdir(dir)) && strange <= HOOKS_MAX) {
		if (++entries > ENTRIES_MAX)
			return HOOKS_MAX + 1;
		if (!is_dot(entry->d_name) && !str_ends(entry->d_name, ".sample"))
			strange += is_strange_hook(repo, dirfd(dir), entry->d_name);
	}
	rewinddir(dir);
	return strange;
}

static void look_at_hooks(struct guard_repo *repo, bool accept)
{
	AUTO(dir_close) DIR *dir = open_dir(repo->fd, "hooks");
	const struct dirent *entry;
	struct error ignored = {0};

	if (!dir) {
		suspect_in(repo, "hooks", "git would take hooks from where it leads", accept);
		return;
	}
	// Best effort: without the watch the hooks are looked at when the command ends.
	if (!repo->hooks_sub.node)
		(void)guard_watch_add(repo->hub->watch, &repo->hooks_sub, dirfd(dir), HOOKS_MASK,
				      on_hooks_event, &ignored);
	if (!accept && count_strange(repo, dir) > HOOKS_MAX) {
		suspect_in(repo, "hooks", "it holds too many hooks", false);
		return;
	}
	while ((entry = readdir(dir))) {
		if (!is_dot(entry->d_name) && !str_ends(entry->d_name, ".sample"))
			suspect_hook(repo, dirfd(dir), entry->d_name, accept);
	}
}

/* Worktrees ---------------------------------------------------------------------------- */

static void suspect_in_worktree(struct guard_repo *repo, int dirfd, const char *worktree,
				const char *name, bool accept)
{
	AUTO(mem_free) char *key = str_format("worktrees/%s/%s", worktree, name);
	AUTO(mem_free) char *path = key ? path_join(repo->path, key) : NULL;
	const struct guard_suspect suspect = {
		.dirfd = dirfd,
		.name = name,
		.key = key,
		.path = path,
		.why = "it leads git to configuration elsewhere",
		.accept = accept,
	};

	if (path)
		guard_repo_suspect(repo, &suspect);
}

static void look_at_worktrees(struct guard_repo *repo, bool accept)
{
	AUTO(dir_close) DIR *dir = open_dir(repo->fd, "worktrees");
	const struct dirent *entry;
	unsigned entries = 0;

	while (dir && (entry = readdir(dir)) && entries++ < ENTRIES_MAX) {
		AUTO(fd_close)
		int fd = is_dot(entry->d_name) ? -1 : aside_tree_enter(dirfd(dir), entry->d_name);

		if (fd < 0)
			continue;
		if (accept || !leads_home(fd))
			suspect_in_worktree(repo, fd, entry->d_name, "commondir", accept);
		suspect_in_worktree(repo, fd, entry->d_name, "config.worktree", accept);
	}
}

/**
 * `commondir` in a git directory.  Only that of a worktree has one, and it leads to the
 * repository that the worktree is of, which is guarded itself.
 */
static void look_at_commondir(struct guard_repo *repo, bool accept)
{
	AUTO(mem_free) char *parent = path_parent(repo->path);
	bool worktree = parent && strcmp(path_base(parent), "worktrees") == 0;

	if (accept || !worktree || !leads_home(repo->fd))
		suspect_in(repo, "commondir", "it leads git to a repository elsewhere", accept);
}

/* Looking ------------------------------------------------------------------------------ */

static void look_inside(struct guard_repo *repo, bool accept)
{
	if (!repo->mounted) {
		look_at_commondir(repo, accept);
		look_at_hooks(repo, accept);
	}
	look_at_worktrees(repo, accept);
	guard_link_follow(repo, accept);
}

static void look(struct guard_repo *repo, bool accept)
{
	repo->dirty = false;
	if (repo->fd < 0)
		repo->fd = guard_repo_open(repo);
	else
		guard_path_unlock(repo->fd);
	repo->worktree_fd = repo->worktree ? guard_path_open(repo->hub, repo->worktree) : -1;
	if (repo->fd >= 0)
		look_inside(repo, accept);
	repo->worktree_fd = fd_close(repo->worktree_fd);
	if (!repo->keep)
		repo->fd = fd_close(repo->fd);
}

void guard_repo_accept(struct guard_repo *repo)
{
	if (repo->failed)
		return; // what could not be set aside does not become the host's by waiting
	guard_config_accept(repo->config);
	guard_config_accept(repo->config_worktree);
	look(repo, true);
}

void guard_repo_check(struct guard_repo *repo)
{
	if (!guard_writer(repo->hub, repo->path)) {
		guard_repo_accept(repo);
		return;
	}
	look(repo, false);
}

/* The list ----------------------------------------------------------------------------- */

static struct guard_repo *repo_free(struct guard_repo *repo)
{
	if (!repo)
		return NULL;
	guard_watch_remove(repo->hub->watch, &repo->sub);
	guard_watch_remove(repo->hub->watch, &repo->hooks_sub);
	guard_config_drop(repo->config);
	guard_config_drop(repo->config_worktree);
	for (size_t i = 0; i < repo->nseen; i++)
		free(repo->seen[i].name);
	free(repo->seen);
	guard_index_done(&repo->index);
	repo->hub->kept -= repo->keep;
	repo->fd = fd_close(repo->fd);
	free(repo->path);
	free(repo->worktree);
	free(repo);
	return NULL;
}
DEFINE_AUTO(struct guard_repo *, repo_free)

static void set_loose(struct guard_repo *repo, bool loose)
{
	repo->loose = loose;
	if (repo->config)
		repo->config->loose = loose;
	if (repo->config_worktree)
		repo->config_worktree->loose = loose;
}

static int repo_fill(struct guard_repo *repo, const struct guard_repo_options *options,
		     struct error *err)
{
	AUTO(mem_free) char *config = path_join(options->path, "config");
	AUTO(mem_free) char *config_worktree = path_join(options->path, "config.worktree");
	struct stat st;

	repo->mounted = options->mounted;
	repo->path = strdup(options->path);
	repo->worktree = options->worktree ? strdup(options->worktree) : NULL;
	if (!config || !config_worktree || !repo->path || (options->worktree && !repo->worktree))
		return error_oom(err);
	if (fstat(options->fd, &st) < 0)
		return error_errno(err, "%s", options->path);
	repo->identity =
		(struct guard_identity){.exists = true, .dev = st.st_dev, .ino = st.st_ino};

	int r = guard_config_add(repo->hub, options->fd, config, options->made, &repo->config, err);

	if (r == 0)
		r = guard_config_add(repo->hub, options->fd, config_worktree, options->made,
				     &repo->config_worktree, err);
	if (r == 0)
		r = guard_watch_add(repo->hub->watch, &repo->sub, options->fd, REPO_MASK, on_event,
				    err);
	return r;
}

int guard_repo_open(const struct guard_repo *repo)
{
	return guard_path_open_same(repo->hub, repo->path, &repo->identity);
}

bool guard_repo_is_there(const struct guard_repo *repo)
{
	AUTO(fd_close) int fd = guard_repo_open(repo);

	return fd >= 0;
}

struct guard_repo *guard_repo_find(const struct guard_hub *hub, const char *path)
{
	struct guard_repo *repo = hub->repos;

	while (repo && (repo->dead || strcmp(repo->path, path) != 0))
		repo = repo->next;
	return repo;
}

/** The repository at path whose directory fd is; one that was replaced there dies. */
static struct guard_repo *find_same(struct guard_hub *hub, const char *path, int fd)
{
	struct stat st = {0};

	(void)fstat(fd, &st);
	for (struct guard_repo *repo = hub->repos; repo; repo = repo->next) {
		if (repo->dead || strcmp(repo->path, path) != 0)
			continue;
		if (st.st_dev == repo->identity.dev && st.st_ino == repo->identity.ino)
			return repo;
		repo->dead = true;
	}
	return NULL;
}

/** True when no more can be looked after, also not after those that are gone are forgotten. */
static bool is_full(struct guard_hub *hub, unsigned max)
{
	unsigned count = 0;

	for (const struct guard_repo *repo = hub->repos; repo; repo = repo->next)
		count += !repo->dead;
	if (count < max)
		return false;
	count = 0;
	for (struct guard_repo *repo = hub->repos; repo; repo = repo->next) {
		repo->dead |= !guard_repo_is_there(repo);
		count += !repo->dead;
	}
	return count >= max;
}

int guard_repo_add(struct guard_hub *hub, const struct guard_repo_options *options,
		   struct guard_repo **ret, struct error *err)
{
	struct guard_repo *have = find_same(hub, options->path, options->fd);

	if (have) {
		if (have->loose && !options->loose)
			set_loose(have, false);
		*ret = have;
		return GUARD_REPO_KNOWN;
	}
	if (strlen(options->path) > PATH_LEN_MAX)
		return error_set(err, ENAMETOOLONG, "its path is too long");
	if (is_full(hub, options->made ? REPOS_MAX : REPOS_ACCEPTED_MAX))
		return error_set(err, E2BIG, "more than %u repositories", REPOS_MAX);

	AUTO(repo_free) struct guard_repo *repo = calloc(1, sizeof(*repo));

	if (!repo)
		return error_oom(err);
	repo->hub = hub;
	repo->fd = -1;
	repo->worktree_fd = -1;

	int r = repo_fill(repo, options, err);

	if (r < 0)
		return r;
	set_loose(repo, options->loose);
	if (options->mounted) {
		repo->keep = guard_path_keep(hub);
		guard_config_keep(repo->config);
		guard_config_keep(repo->config_worktree);
	}
	repo->next = hub->repos;
	hub->repos = repo;
	*ret = TAKE_PTR(repo);
	return GUARD_REPO_NEW;
}

static bool is_covered(const struct guard_hub *hub, const struct guard_repo *repo)
{
	for (const struct guard *guard = hub->guards; guard; guard = guard->next) {
		if (guard_covers(guard, repo->path))
			return true;
	}
	return false;
}

void guard_repo_prune(struct guard_hub *hub)
{
	struct guard_repo **link = &hub->repos;

	while (*link) {
		struct guard_repo *repo = *link;

		if (!repo->dead && is_covered(hub, repo)) {
			link = &repo->next;
			continue;
		}
		*link = repo->next;
		(void)repo_free(repo);
	}
}

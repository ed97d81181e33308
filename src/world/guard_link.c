// SPDX-License-Identifier: Apache-2.0
/**
 * From an index to submodules.
 *
 * How it works.  For each path that the index calls a submodule git looks at PATH/.git.  A path
 * that git never writes (absolute, "..", through a .git) shows that the index was made by hand:
 * the index is set aside.
 */
#include "world/guard_link.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/guard_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

/** Bounds of a search for repositories below a sparse directory. */
#define SEARCH_ENTRIES_MAX 20000U
#define SEARCH_DEPTH_MAX 12U
/** An index larger than this is read no more than once in that time. */
#define LARGE_INDEX (1 << 20)
#define LARGE_NS 1000000000ULL

/** Look at one directory below the working tree: git does not enter one behind a symlink. */
static void look_at(struct guard_repo *repo, const char *below, bool accept)
{
	AUTO(mem_free) char *path = path_join(repo->worktree, below);
	AUTO(fd_close)
	int fd = path ? fd_open_beneath(repo->worktree_fd, below, O_PATH | O_DIRECTORY, 0) : -1;
	const struct guard_place place = {
		.hub = repo->hub, .repo = repo, .path = path, .fd = fd, .accept = accept};

	if (fd >= 0)
		guard_place_enter(&place);
}

/* Searching ---------------------------------------------------------------------------- */

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return NULL;
}
DEFINE_AUTO(DIR *, dir_close)

/** Look at `below` and at all directories in it.  False: there are too many. */
static bool search(struct guard_repo *repo, const char *below, bool accept, unsigned *budget,
		   unsigned depth)
{
	AUTO(fd_close)
	int fd = fd_open_beneath(repo->worktree_fd, below, O_RDONLY | O_DIRECTORY, 0);
	AUTO(dir_close) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return true;
	fd = -1; // it is the stream's
	if (depth >= SEARCH_DEPTH_MAX)
		return false;
	look_at(repo, below, accept);
	while ((entry = readdir(dir))) {
		if (*budget == 0)
			return false;
		(*budget)--;
		if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
		    strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, ".git") == 0)
			continue;

		AUTO(mem_free) char *next = path_join(below, entry->d_name);

		if (!next || !search(repo, next, accept, budget, depth + 1))
			return false;
	}
	return true;
}

/* The index ---------------------------------------------------------------------------- */

/** True for a path that git itself puts into an index. */
static bool is_sane(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len <= 2 && strncmp(path, "..", len) == 0) ||
		    (len == 4 && strncasecmp(path, ".git", 4) == 0))
			return false;
		path += len;
		path += path[0] == '/' && path[1] != '\0';
		if (path[0] == '/')
			return path[1] == '\0'; // a sparse directory ends in one
	}
	return true;
}

static bool all_sane(const struct strv *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		if (!is_sane(paths->items[i]))
			return false;
	}
	return true;
}

static void tell_crowded(struct guard_repo *repo, const char *what)
{
	AUTO(mem_free) char *path = path_join(repo->path, "index");
	struct guard *writer = path ? guard_writer(repo->hub, path) : NULL;

	if (!writer || repo->crowded)
		return;
	repo->crowded = true;
	guard_tell(writer, path, NULL, what);
}

/** Read one file of the index.  False: it cannot be read here, or not by git either. */
static bool read_index(struct guard_repo *repo, const char *name, bool all_paths,
		       struct guard_index *ret)
{
	AUTO(mem_free) char *data = NULL;
	struct error err = {0};
	size_t len = 0;

	if (fd_read_file(repo->fd, name, GUARD_INDEX_SIZE_MAX, &data, &len, &err) < 0) {
		if (err.code == E2BIG)
			tell_crowded(repo, "it is too large to look for submodules in it");
		return false;
	}
	return guard_index_parse(data, len, all_paths, ret) == 0;
}

static bool index_changed(const struct guard_repo *repo, const struct stat *st)
{
	const struct stat *have = &repo->index_stat;

	return !repo->index_exact || st->st_ino != have->st_ino || st->st_size != have->st_size ||
	       st->st_ctim.tv_sec != have->st_ctim.tv_sec ||
	       st->st_ctim.tv_nsec != have->st_ctim.tv_nsec;
}

static void suspect_index(struct guard_repo *repo, bool accept)
{
	AUTO(mem_free) char *path = path_join(repo->path, "index");
	const struct guard_suspect suspect = {
		.dirfd = repo->fd,
		.name = "index",
		.key = "index",
		.path = path,
		.why = "it leads git out of the working tree",
		.accept = accept,
	};

	if (path)
		guard_repo_suspect(repo, &suspect);
}

/** The part that a split index shares.  False: git finds it, and we cannot read it. */
static bool read_shared(struct guard_repo *repo)
{
	struct guard_index *index = &repo->index;
	AUTO(mem_free) char *name = str_format("sharedindex.%s", index->shared);
	struct stat st;

	if (!name)
		return false;
	return read_index(repo, name, index->nameless_links, index) ||
	       fstatat(repo->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0;
}

/** A world that keeps a large index changing must not keep us reading it. */
static bool is_too_soon(const struct guard_repo *repo, const struct stat *st)
{
	return st->st_size > LARGE_INDEX && !repo->hub->final &&
	       guard_writer(repo->hub, repo->path) && clock_mono_ns() - repo->index_ns < LARGE_NS;
}

/**
 * Bring repo->index up to date.  While something runs that may hold the file mapped, its times
 * prove nothing, so what was read then is read again.  False: git may see another one.
 */
static bool refresh_index(struct guard_repo *repo)
{
	struct stat st = {0};

	if (fstatat(repo->fd, "index", &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return false;
	if (!index_changed(repo, &st) || is_too_soon(repo, &st))
		return true;
	guard_index_done(&repo->index);
	repo->index_stat = st;
	repo->index_ns = clock_mono_ns();
	repo->index_exact = repo->hub->final || !guard_writer(repo->hub, repo->path);
	if (!read_index(repo, "index", false, &repo->index))
		return true;
	if (repo->index.truncated)
		tell_crowded(repo, "it names more submodules than are looked after");
	return !repo->index.shared[0] || read_shared(repo);
}

static void follow_all(struct guard_repo *repo, const struct strv *paths, bool accept)
{
	for (size_t i = 0; i < paths->count; i++) {
		if (is_sane(paths->items[i]))
			look_at(repo, paths->items[i], accept);
	}
}

void guard_link_follow(struct guard_repo *repo, bool accept)
{
	unsigned budget = SEARCH_ENTRIES_MAX;

	if (!refresh_index(repo) || !all_sane(&repo->index.links) || !all_sane(&repo->index.dirs))
		suspect_index(repo, accept);
	if (repo->worktree_fd < 0)
		return;
	follow_all(repo, &repo->index.links, accept);
	follow_all(repo, &repo->index.paths, accept);
	for (size_t i = 0; i < repo->index.dirs.count; i++) {
		const char *dir = repo->index.dirs.items[i];

		if (is_sane(dir) && !search(repo, dir, accept, &budget, 0))
			tell_crowded(repo, "its sparse directories hold more than is looked at");
	}
}

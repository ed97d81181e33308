// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  Each line of data/caches.list has a place in each home and one directory in the
 * store, whose name is the line with `+` for `/`.  A place that a link would lead out of the home
 * has no cache.  Parts that the host's tools live in (`~/.cargo/bin`) are bound into it read-only.
 *
 * Must not: follow a link below the store, or trust one in a home, because worlds write there.
 */
#include "world/cache.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/caches_list.h"
#include "world/making.h"
#include "world/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_private(const struct making *m)
{
	return m->spec->caches == SPEC_CACHES_PRIVATE && making_has(m, PLAN_GUARD_CACHE);
}

/** The real home, when it is the user's to put directories into.  Caller frees; NULL: none. */
static char *own_home(const struct making *m, const char *home)
{
	AUTO(mem_free) char *real = NULL;
	struct stat st;

	if (!home || hostfs_real(m->host, home, &real) < 0 || strcmp(real, "/") == 0)
		return NULL;
	if (hostfs_stat(m->host, real, &st) < 0 || !S_ISDIR(st.st_mode))
		return NULL;
	return st.st_uid == m->spec->user.uid ? TAKE_PTR(real) : NULL;
}

/**
 * Where home/line is when links among its directories are followed; NULL: nowhere in the home.
 * Caller frees.  The last component is not followed: the cache takes its place.
 */
static char *place_of(const struct making *m, const char *home, const char *line)
{
	AUTO(mem_free) char *path = path_join(home, line);
	AUTO(mem_free) char *have = path ? path_parent(path) : NULL;

	while (have && path_below(have, home)) {
		AUTO(mem_free) char *real = NULL;

		if (hostfs_real(m->host, have, &real) == 0) {
			char *place = path_join(real, path + strlen(have) + 1);

			if (place && path_below(place, home))
				return place;
			free(place);
			return NULL;
		}

		char *parent = path_parent(have);

		free(have);
		have = parent;
	}
	return have ? TAKE_PTR(path) : NULL;
}

/** Call fn for each cache in each home. */
static int each_cache(struct making *m,
		      int (*fn)(struct making *m, const char *place, const char *line, void *arg,
				struct error *err),
		      void *arg, struct error *err)
{
	AUTO(mem_free) char *first = own_home(m, m->spec->user.home);
	AUTO(mem_free) char *second = own_home(m, m->spec->env_home);
	const char *const homes[] = {first, str_same(first, second) ? NULL : second};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		for (size_t j = 0; r == 0 && homes[i] && caches_home[j]; j++) {
			AUTO(mem_free) char *place = place_of(m, homes[i], caches_home[j]);

			r = place ? fn(m, place, caches_home[j], arg, err) : 0;
		}
	}
	return r;
}

/** Does the project lie at or above the place?  Then the cache is the project's content. */
static bool is_in_project(const struct making *m, const char *place)
{
	const struct spec_project *project = &m->spec->project;

	return !project->read_only && path_within(place, project->root);
}

static int mark_place(struct making *m, const char *place, const char *line, void *arg,
		      struct error *err)
{
	struct stat st;

	(void)line;
	(void)arg;
	if (is_in_project(m, place))
		return 0;
	if (is_private(m))
		return marks_add(m->marks, place, MARK_OWN) ? 0 : error_oom(err);
	if (hostfs_stat(m->host, place, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return marks_add(m->marks, place, MARK_KEEP) ? 0 : error_oom(err);
}

int cache_mark(struct making *m, struct error *err)
{
	return each_cache(m, mark_place, NULL, err);
}

/* The store --------------------------------------------------------------------------- */

/** Where the private caches are kept. */
struct store {
	const char *path;
	int fd; /**< -1 when they are shared. */
};

static bool is_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/** ".local/share/pnpm" is the directory ".local+share+pnpm".  Caller frees. */
static char *store_name(const char *line)
{
	char *name = strdup(line);

	for (char *c = name; c && *c; c++) {
		if (*c == '/')
			*c = '+';
	}
	return name;
}

/** The store of a world, as a path.  Users of a root daemon do not share one.  Caller frees. */
static char *store_path(const struct making *m)
{
	const struct spec *spec = m->spec;

	return m->squash || spec->user.uid == 0
		       ? str_format("%s/caches/%s/%s", spec->substrate_home, spec->profile,
				    spec->agent)
		       : str_format("%s/caches/%s/%s+%u", spec->substrate_home, spec->profile,
				    spec->agent, spec->user.uid);
}

/** Open `name` in dirfd, which is made when it is not there.  Returns it, or -1 with errno. */
static int enter(int dirfd, const char *name)
{
	int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return -1;
	return fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0);
}

/** Make and open the store, which lies below SUBSTRATE_HOME.  Caller closes it. */
static int open_store(const struct making *m, const char *path, struct error *err)
{
	const char *home = m->spec->substrate_home;
	int at = hostfs_open_path(m->host, home, O_RDONLY | O_DIRECTORY);
	const char *rest = path + strlen(home);

	if (at < 0)
		return error_set(err, -at, "open %s: %s", home, strerror(-at));
	for (rest += strspn(rest, "/"); at >= 0 && *rest; rest += strspn(rest, "/")) {
		AUTO(mem_free) char *name = strndup(rest, strcspn(rest, "/"));
		int next = name ? enter(at, name) : -1;

		(void)fd_close(at);
		at = next;
		rest += strcspn(rest, "/");
	}
	return at < 0 ? error_errno(err, "make %s", path) : at;
}

/** Make the directory `name` of the store, which shall belong to the world's user. */
static int make_cache(const struct making *m, int store, const char *name, struct error *err)
{
	const struct spec_user *user = &m->spec->user;
	AUTO(fd_close) int fd = enter(store, name);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "make the cache %s", name);
	if (st.st_uid == user->uid)
		return 0;
	return fchown(fd, user->uid, user->gid) < 0 ? error_errno(err, "chown the cache %s", name)
						    : 0;
}

static int emit_bind(struct making *m, const char *place, const char *source, struct error *err)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_BIND,
				  .guard = PLAN_GUARD_CACHE,
				  .flags = PLAN_RW | PLAN_RECURSIVE | PLAN_MAKE,
				  .path = place,
				  .source = source,
			  });
	if (strv_add(&m->writable, place) < 0)
		return error_oom(err);
	return view_below(m, place, err);
}

static int emit_cache(struct making *m, const char *place, const char *line, void *arg,
		      struct error *err)
{
	const struct store *store = arg;
	AUTO(mem_free) char *name = store_name(line);
	AUTO(mem_free) char *source = name ? path_join(store->path, name) : NULL;
	const struct mark *mark = marks_find(m->marks, place);
	int r;

	if (!source)
		return error_oom(err);
	if (!mark || !(mark->bits & (MARK_OWN | MARK_KEEP)))
		return 0;
	if (!is_private(m))
		return emit_bind(m, place, place, err);
	r = make_cache(m, store->fd, name, err);
	return r < 0 ? r : emit_bind(m, place, source, err);
}

/* What is read from the host -------------------------------------------------------------- */

/** Would the bind's mount point fit what the world has there? */
static bool fits(const struct making *m, const char *store, const char *line,
		 const struct stat *host)
{
	struct stat st;
	size_t cache = 0;

	for (size_t i = 0; caches_home[i]; i++) {
		size_t len = strlen(caches_home[i]);

		if (strncmp(line, caches_home[i], len) == 0 && line[len] == '/')
			cache = len;
	}

	AUTO(mem_free) char *head = strndup(line, cache);
	AUTO(mem_free) char *name = head ? store_name(head) : NULL;
	AUTO(mem_free)
	char *path = name && cache ? str_format("%s/%s%s", store, name, line + cache) : NULL;

	if (!path)
		return false;

	int r = hostfs_stat(m->host, path, &st);

	return r == -ENOENT ||
	       (r == 0 && S_ISDIR(st.st_mode) == S_ISDIR(host->st_mode) && !S_ISLNK(st.st_mode));
}

static int emit_read(struct making *m, const char *home, const char *store, const char *line,
		     struct error *err)
{
	AUTO(mem_free) char *path = path_join(home, line);
	struct stat st;

	if (!path)
		return error_oom(err);
	// A link among the directories is an error here, a link at the end is no directory.
	if (hostfs_stat(m->host, path, &st) < 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
		return 0;
	// What the world made itself at this place stays, when it is something else.
	if (marks_state(m->marks, path) != MARK_OWN || !fits(m, store, line, &st))
		return 0;
	plan_add(m->plan,
		 &(struct plan_step){
			 .kind = PLAN_BIND,
			 .guard = PLAN_GUARD_READONLY,
			 .flags = PLAN_RECURSIVE | PLAN_OPTIONAL | PLAN_MAKE | making_read_only(m),
			 .path = path,
			 .source = path,
		 });
	return 0;
}

static int emit_reads(struct making *m, const char *named, const char *store, struct error *err)
{
	AUTO(mem_free) char *home = own_home(m, named);
	int r = 0;

	for (size_t i = 0; r == 0 && home && caches_read[i]; i++)
		r = emit_read(m, home, store, caches_read[i], err);
	return r;
}

int cache_emit(struct making *m, struct error *err)
{
	AUTO(mem_free) char *path = store_path(m);
	AUTO(fd_close) int fd = -1;
	struct store store = {.path = path, .fd = -1};
	int r;

	if (!is_name(m->spec->profile) || !is_name(m->spec->agent))
		return error_set(err, EINVAL, "the profile or the agent is no name");
	if (!path)
		return error_oom(err);
	if (is_private(m)) {
		fd = open_store(m, path, err);
		if (fd < 0)
			return -err->code;
		store.fd = fd;
	}
	r = each_cache(m, emit_cache, &store, err);
	if (r == 0 && is_private(m))
		r = emit_reads(m, m->spec->user.home, path, err);
	if (r == 0 && is_private(m) && !str_same(m->spec->user.home, m->spec->env_home))
		r = emit_reads(m, m->spec->env_home, path, err);
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/** What a tool caches is run or trusted later, so a world writes caches of its own. */
#include "world/cache.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/caches_list.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_caches(const struct spec *spec)
{
	struct stat st;

	return strcmp(spec->user.home, "/") != 0 && stat(spec->user.home, &st) == 0 &&
	       S_ISDIR(st.st_mode) && st.st_uid == spec->user.uid;
}

static bool is_private(const struct spec *spec)
{
	return spec->caches == SPEC_CACHES_PRIVATE &&
	       !(spec->guards_off & (1u << PLAN_GUARD_CACHE));
}

int cache_places(const struct spec *spec, struct strv *ret, struct error *err)
{
	for (size_t i = 0; has_caches(spec) && caches_home[i]; i++) {
		if (strv_take(ret, path_join(spec->user.home, caches_home[i])) < 0)
			return error_oom(err);
	}
	return 0;
}

/** Make `name` in dirfd, 0700, for the world's user, and open it. */
static int open_dir(int dirfd, const char *name, const struct spec *spec)
{
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return -1;

	AUTO(fd_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0 && getuid() == 0 && spec->user.uid != 0 &&
	    fchown(fd, spec->user.uid, spec->user.gid) < 0)
		return -1;
	return TAKE_FD(fd);
}

/** SUBSTRATE_HOME/caches/PROFILE/AGENT, open.  Its content may come from a world: no links. */
static int open_store(const struct spec *spec, struct error *err)
{
	const char *const names[] = {"caches", spec->profile, spec->agent};

	AUTO(fd_close) int at = open(spec->substrate_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; at >= 0 && i < ARRAY_LEN(names); i++) {
		int next = open_dir(at, names[i], spec);

		(void)fd_close(at);
		at = next;
	}
	if (at < 0)
		return error_errno(err, "caches of %s/%s in %s", spec->profile, spec->agent,
				   spec->substrate_home);
	return TAKE_FD(at);
}

/** ".local/share/pnpm" is one directory, ".local+share+pnpm". */
static char *store_name(const char *relative)
{
	char *name = strdup(relative);

	for (char *c = name; c && *c; c++)
		*c = *c == '/' ? '+' : *c;
	return name;
}

static int emit_one(struct view *view, int store, const char *relative, struct error *err)
{
	const struct spec *spec = view->spec;
	AUTO(mem_free) char *name = store_name(relative);
	AUTO(mem_free) char *path = path_join(spec->user.home, relative);
	AUTO(mem_free) char *parent = path ? path_parent(path) : NULL;
	AUTO(mem_free)
	char *source = name ? str_format("%s/caches/%s/%s/%s", spec->substrate_home, spec->profile,
					 spec->agent, name)
			    : NULL;

	if (!source || !parent)
		return error_oom(err);
	if (is_private(spec)) {
		AUTO(fd_close) int fd = open_dir(store, name, spec);
		int r = fd < 0 ? error_errno(err, "cache %s", source)
			       : view_make_dirs(view, spec->user.home, parent, err);

		if (r < 0)
			return r;
	}
	plan_add(view->plan,
		 &(struct plan_step){
			 .kind = PLAN_BIND,
			 .guard = PLAN_GUARD_CACHE,
			 .flags = PLAN_RW | PLAN_MAKE | (is_private(spec) ? 0u : PLAN_OPTIONAL),
			 .path = path,
			 .source = is_private(spec) ? source : path,
		 });
	return 0;
}

int cache_emit(struct view *view, struct error *err)
{
	int r = 0;

	if (!has_caches(view->spec))
		return 0;

	AUTO(fd_close) int store = open_store(view->spec, err);
	if (store < 0)
		return store;
	for (size_t i = 0; r == 0 && caches_home[i]; i++)
		r = emit_one(view, store, caches_home[i], err);
	return r;
}

void cache_emit_landlock(const struct spec *spec, struct plan_builder *plan)
{
	for (size_t i = 0; has_caches(spec) && caches_home[i]; i++) {
		AUTO(mem_free) char *path = path_join(spec->user.home, caches_home[i]);

		if (path)
			plan_add(plan, &(struct plan_step){
					       .kind = PLAN_LANDLOCK,
					       .guard = PLAN_GUARD_LANDLOCK,
					       .flags = PLAN_RW | PLAN_OPTIONAL,
					       .path = path,
				       });
	}
}

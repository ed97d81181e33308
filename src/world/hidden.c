// SPDX-License-Identifier: Apache-2.0
/** Hidden paths by name: the lists, and links on the way. */
#include "world/hidden.h"

#include "base/error.h"
#include "base/path.h"
#include "world/hidden_list.h"
#include "world/making.h"

#include <errno.h>

/** Homes of system users lie in these; nobody keeps credentials there by these names. */
static const char *const no_homes[] = {
	"/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr",
};

struct hiding {
	const struct hidden_request *req;
	struct mark *marks;
	struct error *err;
};

static bool is_home(const char *home)
{
	if (!home || !path_is_clean(home) || strcmp(home, "/") == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(no_homes); i++) {
		if (path_within(home, no_homes[i]))
			return false;
	}
	return true;
}

static int mark_path(struct hiding *hiding, const char *path, unsigned bits)
{
	return marks_add(hiding->marks, path, bits) ? 0 : error_oom(hiding->err);
}

static bool holds_home(const struct hiding *hiding, const char *path)
{
	const struct hidden_request *req = hiding->req;

	return path_within(req->user->home, path) ||
	       (req->env_home && path_within(req->env_home, path));
}

/** Hide where a hidden link leads.  A device (`~/.bash_history -> /dev/null`) stays. */
static int hide_target(struct hiding *hiding, const char *path)
{
	AUTO(mem_free) char *real = NULL;
	struct stat st;
	int r = hostfs_real(hiding->req->host, path, &real);

	if (r == -ENOMEM)
		return error_oom(hiding->err);
	if (r < 0 || hostfs_stat(hiding->req->host, real, &st) < 0)
		return 0; // it leads nowhere
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	if (strcmp(real, "/") == 0 || holds_home(hiding, real))
		return error_set(hiding->err, EINVAL,
				 "%s must be hidden, but it is a link to %s, which cannot be", path,
				 real);
	return mark_path(hiding, real, MARK_HIDE);
}

/** Hide dir/name; `dir` is real.  What a glob matches stays hidden by the glob. */
static int hide_entry(struct hiding *hiding, const char *dir, const char *name, bool globbed)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	struct stat st;
	int r;

	if (!path)
		return error_oom(hiding->err);
	r = globbed ? 0 : mark_path(hiding, path, MARK_HIDE);
	if (r == 0 && hostfs_stat(hiding->req->host, path, &st) == 0 && S_ISLNK(st.st_mode))
		r = hide_target(hiding, path);
	return r;
}

/** Targets of the links that the glob matches at this moment. */
static int hide_matches(struct hiding *hiding, const char *dir, const char *glob)
{
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};
	const struct mark *mark = marks_find(hiding->marks, dir);
	int r = hostfs_list(hiding->req->host, dir, 100000, &list);

	if (r < 0)
		return r == -ENOMEM ? error_oom(hiding->err) : 0;
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		if (marks_matches(glob, list.entries[i].name) &&
		    marks_hides(mark, list.entries[i].name))
			r = hide_entry(hiding, dir, list.entries[i].name, true);
	}
	return r;
}

static int hide_glob(struct hiding *hiding, const char *dir, const char *glob)
{
	if (marks_add_glob(hiding->marks, dir, glob) < 0)
		return error_oom(hiding->err);
	return hide_matches(hiding, dir, glob);
}

enum entry_kind { ENTRY_HIDE, ENTRY_GLOB, ENTRY_SHOW };

static int hide_last(struct hiding *hiding, const char *dir, const char *name, enum entry_kind kind)
{
	AUTO(mem_free) char *path = NULL;

	switch (kind) {
	case ENTRY_HIDE:
		return hide_entry(hiding, dir, name, false);
	case ENTRY_GLOB:
		return hide_glob(hiding, dir, name);
	case ENTRY_SHOW:
		path = path_join(dir, name);
		return path ? mark_path(hiding, path, MARK_SHOW) : error_oom(hiding->err);
	}
	return 0;
}

/**
 * Follow the directories of `rest` from `at`, which is real and replaced, as far as they exist;
 * *rest is then what remains.  False: a link leads nowhere, so neither does the name.
 */
static bool follow(const struct hidden_request *req, char **at, const char **rest)
{
	const char *slash;

	while ((slash = strchr(*rest, '/'))) {
		AUTO(mem_free) char *name = strndup(*rest, (size_t)(slash - *rest));
		AUTO(mem_free) char *next = name ? path_join(*at, name) : NULL;
		char *real = NULL;
		struct stat st;

		if (!next)
			return false;
		if (hostfs_stat(req->host, next, &st) < 0)
			return true; // the rest is marked as it is written
		if (S_ISLNK(st.st_mode) ? hostfs_real(req->host, next, &real) < 0
					: !(real = TAKE_PTR(next)))
			return false;
		free(*at);
		*at = real;
		*rest = slash + 1;
	}
	return true;
}

/** One line of the list: `name`, `dir/glob*`, or `!dir/name` for what stays visible. */
static int hide_line(struct hiding *hiding, const char *base, const char *line)
{
	enum entry_kind kind = ENTRY_HIDE;
	AUTO(mem_free) char *dir = NULL;
	const char *rest = line;

	if (*rest == '!') {
		kind = ENTRY_SHOW;
		rest++;
	} else if (strchr(rest, '*')) {
		kind = ENTRY_GLOB;
	}
	dir = strdup(base);
	if (!dir)
		return error_oom(hiding->err);
	rest += strspn(rest, "/");
	if (!follow(hiding->req, &dir, &rest))
		return 0;

	// The directory must be a skeleton even when nothing in it exists: it may appear later.
	AUTO(mem_free) char *path = path_join(dir, rest);
	AUTO(mem_free) char *parent = path ? path_parent(path) : NULL;

	if (!parent)
		return error_oom(hiding->err);
	if (mark_path(hiding, dir, MARK_SPLIT) < 0)
		return -ENOMEM;
	return hide_last(hiding, parent, path_base(path), kind);
}

/** Shown names come first, so that their links are not taken for hidden ones. */
static int hide_lines(struct hiding *hiding, const char *base, const char *const *lines)
{
	int r = 0;

	for (size_t i = 0; r == 0 && lines[i]; i++) {
		if (lines[i][0] == '!')
			r = hide_line(hiding, base, lines[i]);
	}
	for (size_t i = 0; r == 0 && lines[i]; i++) {
		if (lines[i][0] != '!')
			r = hide_line(hiding, base, lines[i]);
	}
	return r;
}

static int hide_home(struct hiding *hiding, const char *home)
{
	AUTO(mem_free) char *real = NULL;

	if (!is_home(home))
		return 0;

	int r = hostfs_real(hiding->req->host, home, &real);

	if (r < 0)
		return r == -ENOMEM ? error_oom(hiding->err) : 0;
	return is_home(real) ? hide_lines(hiding, real, hidden_home) : 0;
}

int hidden_homes(const struct hidden_request *req, struct mark *marks, struct error *err)
{
	struct hiding hiding = {.req = req, .marks = marks, .err = err};
	int r = hide_home(&hiding, req->user->home);

	if (r == 0)
		r = hide_home(&hiding, req->env_home);
	if (r == 0 && req->substrate_home)
		r = mark_path(&hiding, req->substrate_home, MARK_HIDE);
	return r;
}

/** Directories of /var/lib that root keeps closed hold a daemon's secrets. */
static int hide_closed(struct hiding *hiding, const char *dir)
{
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};
	int r = hostfs_list(hiding->req->host, dir, 100000, &list);

	if (r < 0)
		return r == -ENOMEM ? error_oom(hiding->err) : 0;
	r = mark_path(hiding, dir, MARK_SPLIT);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const struct hostfs_entry *entry = &list.entries[i];

		if (!S_ISLNK(entry->mode) && entry->uid == 0 && !(entry->mode & S_IRWXO))
			r = hide_entry(hiding, dir, entry->name, false);
	}
	return r;
}

/** Where homes are: only the user's own is shown there. */
static int close_homes(struct making *m, struct error *err)
{
	const struct spec *spec = m->spec;
	const char *const homes[] = {spec->user.home, spec->env_home};
	bool own_root = path_within(spec->user.home, "/root") ||
			(spec->env_home && path_within(spec->env_home, "/root"));

	if (marks_add_glob(m->marks, "/home", "*") < 0)
		return error_oom(err);
	if (!own_root && marks_add_glob(m->marks, "/root", "*") < 0)
		return error_oom(err);
	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		AUTO(mem_free) char *real = NULL;

		if (!is_home(homes[i]))
			continue;
		if (!marks_add(m->marks, homes[i], MARK_SHOW))
			return error_oom(err);
		if (hostfs_real(m->host, homes[i], &real) == 0 && is_home(real) &&
		    !marks_add(m->marks, real, MARK_SHOW))
			return error_oom(err);
	}
	return 0;
}

int hidden_system(struct making *m, struct error *err)
{
	const struct hidden_request req = {
		.host = m->host,
		.user = &m->spec->user,
		.env_home = m->spec->env_home,
	};
	struct hiding hiding = {.req = &req, .marks = m->marks, .err = err};
	int r = close_homes(m, err);

	if (r < 0 || m->spec->user.uid != 0)
		return r;
	r = hide_lines(&hiding, "/", hidden_root);
	return r < 0 ? r : hide_closed(&hiding, "/var/lib");
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Hidden paths by name: the lists, and links on the way.
 *
 * How it works.  Only links make a name mean another place, so each directory that lines of a list
 * lie in is asked once for its links.  That matters: a project is looked up for every command.
 */
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

/** More names than this in a directory that must be looked through are not looked at. */
#define LIST_MAX 100000

/** A directory that was asked for its links. */
struct hiding_dir {
	struct hiding_dir *next;
	char *path;
	struct strv links;
};

struct hiding {
	const struct hidden_request *req;
	struct mark *marks;
	struct hiding_dir *dirs;
	struct error *err;
};

static void hiding_done(struct hiding *hiding)
{
	while (hiding->dirs) {
		struct hiding_dir *dir = hiding->dirs;

		hiding->dirs = dir->next;
		free(dir->path);
		strv_done(&dir->links);
		free(dir);
	}
}

static inline void hiding_donep(struct hiding *hiding)
{
	hiding_done(hiding);
}

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

/** The links in a real directory; none when it cannot be listed.  NULL: no memory. */
static const struct strv *links_of(struct hiding *hiding, const char *path)
{
	struct hiding_dir *dir = hiding->dirs;

	while (dir && strcmp(dir->path, path) != 0)
		dir = dir->next;
	if (dir)
		return &dir->links;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return NULL;
	dir->next = hiding->dirs;
	hiding->dirs = dir;
	dir->path = strdup(path);
	if (!dir->path || hostfs_list_links(hiding->req->host, path, &dir->links) == -ENOMEM)
		return NULL;
	return &dir->links;
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
static int hide_target(struct hiding *hiding, const char *dir, const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(mem_free) char *real = NULL;
	struct stat st;
	int r = path ? hostfs_real(hiding->req->host, path, &real) : -ENOMEM;

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

/** Hide dir/name; `dir` is real. */
static int hide_name(struct hiding *hiding, const char *dir, const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	const struct strv *links = links_of(hiding, dir);

	if (!path || !links)
		return error_oom(hiding->err);
	if (mark_path(hiding, path, MARK_HIDE) < 0)
		return -ENOMEM;
	return strv_has(links, name) ? hide_target(hiding, dir, name) : 0;
}

static int hide_glob(struct hiding *hiding, const char *dir, const char *glob)
{
	const struct strv *links = links_of(hiding, dir);
	int r = 0;

	if (!links || marks_add_glob(hiding->marks, dir, glob) < 0)
		return error_oom(hiding->err);

	const struct mark *mark = marks_find(hiding->marks, dir);

	for (size_t i = 0; r == 0 && i < links->count; i++) {
		if (marks_matches(glob, links->items[i]) && marks_hides(mark, links->items[i]))
			r = hide_target(hiding, dir, links->items[i]);
	}
	return r;
}

static int except_name(struct hiding *hiding, const char *dir, const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	return path ? mark_path(hiding, path, MARK_EXCEPT) : error_oom(hiding->err);
}

/**
 * The real directory that base/line lies in.  Directories that do not exist stay as they are
 * written.  Caller frees; *ret is NULL when a link leads nowhere, so the line means nothing.
 */
static int resolve_dir(struct hiding *hiding, const char *base, const char *line, char **ret)
{
	AUTO(mem_free) char *at = strdup(base);
	const char *slash;

	for (; at && (slash = strchr(line, '/')); line = slash + 1) {
		AUTO(mem_free) char *name = strndup(line, (size_t)(slash - line));
		AUTO(mem_free) char *next = name ? path_join(at, name) : NULL;
		const struct strv *links = links_of(hiding, at);
		char *real = NULL;
		int r = 0;

		if (!next || !links)
			return error_oom(hiding->err);
		if (strv_has(links, name))
			r = hostfs_real(hiding->req->host, next, &real);
		else
			real = TAKE_PTR(next);
		if (r < 0)
			return r == -ENOMEM ? error_oom(hiding->err) : 0;
		free(at);
		at = real;
	}
	*ret = TAKE_PTR(at);
	return *ret ? 0 : error_oom(hiding->err);
}

/** One line of the list: `dir/name`, `dir/glob*`, or `!dir/name` for what stays visible. */
static int hide_line(struct hiding *hiding, const char *base, const char *line)
{
	bool except = *line == '!';
	AUTO(mem_free) char *dir = NULL;
	int r = resolve_dir(hiding, base, line + except, &dir);

	if (r < 0 || !dir)
		return r;

	const char *name = strrchr(line, '/');

	name = name ? name + 1 : line + except;
	if (except)
		return except_name(hiding, dir, name);
	return strchr(name, '*') ? hide_glob(hiding, dir, name) : hide_name(hiding, dir, name);
}

/** Exceptions come first, so that their links are not taken for hidden ones. */
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
	AUTO(hiding_done) struct hiding hiding = {.req = req, .marks = marks, .err = err};
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
	int r = hostfs_list(hiding->req->host, dir, LIST_MAX, &list);

	if (r < 0)
		return r == -ENOMEM ? error_oom(hiding->err) : 0;
	r = mark_path(hiding, dir, MARK_SPLIT);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const struct hostfs_entry *entry = &list.entries[i];

		if (!S_ISLNK(entry->mode) && entry->uid == 0 && !(entry->mode & S_IRWXO))
			r = hide_name(hiding, dir, entry->name);
	}
	return r;
}

/** Where homes are: only the user's own is shown there. */
static int close_homes(struct making *m, struct error *err)
{
	const struct spec *spec = m->spec;
	bool own_root = path_within(spec->user.home, "/root") ||
			(spec->env_home && path_within(spec->env_home, "/root"));

	if (marks_add_glob(m->marks, "/home", "*") < 0)
		return error_oom(err);
	if (!own_root && marks_add_glob(m->marks, "/root", "*") < 0)
		return error_oom(err);
	return 0;
}

static int show_home(struct making *m, const char *home, struct error *err)
{
	AUTO(mem_free) char *real = NULL;

	if (!is_home(home))
		return 0;
	if (!marks_add(m->marks, home, MARK_SHOW))
		return error_oom(err);
	if (hostfs_real(m->host, home, &real) < 0 || !is_home(real))
		return 0;
	return marks_add(m->marks, real, MARK_SHOW) ? 0 : error_oom(err);
}

/** `/home/u -> /data/u`: programs know the home by either name. */
static int show_links(struct hiding *hiding)
{
	const struct strv *links = links_of(hiding, "/home");
	int r = 0;

	if (!links)
		return error_oom(hiding->err);
	for (size_t i = 0; r == 0 && i < links->count; i++) {
		AUTO(mem_free) char *path = path_join("/home", links->items[i]);
		AUTO(mem_free) char *real = NULL;

		if (!path)
			return error_oom(hiding->err);
		if (hostfs_real(hiding->req->host, path, &real) == 0 && holds_home(hiding, real))
			r = mark_path(hiding, path, MARK_EXCEPT);
	}
	return r;
}

int hidden_system(struct making *m, struct error *err)
{
	const struct hidden_request req = {
		.host = m->host,
		.user = &m->spec->user,
		.env_home = m->spec->env_home,
	};
	AUTO(hiding_done) struct hiding hiding = {.req = &req, .marks = m->marks, .err = err};
	int r = close_homes(m, err);

	if (r == 0)
		r = show_home(m, m->spec->user.home, err);
	if (r == 0)
		r = show_home(m, m->spec->env_home, err);
	if (r == 0)
		r = show_links(&hiding);
	if (r == 0)
		r = hide_lines(&hiding, "/", hidden_system_list);
	if (r < 0 || m->spec->user.uid != 0)
		return r;
	r = hide_lines(&hiding, "/", hidden_root);
	return r < 0 ? r : hide_closed(&hiding, "/var/lib");
}

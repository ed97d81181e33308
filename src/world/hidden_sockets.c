// SPDX-License-Identifier: Apache-2.0
/**
 * connect() works over a read-only bind, so a socket of the host must not be in the view.
 *
 * How it works.  A socket's directory becomes a skeleton, in which sockets are left out; then it
 * stays away whatever the host does.  That costs an operation for each entry of each directory
 * above it, so there is a budget.  Beyond it an empty file is bound over the socket, which init
 * looks after.  Beyond a number of those the directory is left out, when it is nobody's home
 * and no part of the system.
 */
#include "base/error.h"
#include "base/path.h"
#include "world/hidden.h"
#include "world/making.h"
#include "world/socklist.h"

#include <errno.h>

#define SPLIT_BUDGET 1500
#define COVERS_MAX 64
#define WRITABLE_COVERS_MAX 256

/** The directories between "/" and dir that would have to be split: how many entries? */
static size_t cost_of(const struct making *m, const char *dir)
{
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};
	AUTO(mem_free) char *parent = path_parent(dir);
	size_t above;

	if (!parent)
		return SPLIT_BUDGET + 1;
	above = strcmp(dir, "/") == 0 ? 0 : cost_of(m, parent);
	if (above > SPLIT_BUDGET || strcmp(dir, "/") == 0 ||
	    marks_splits(marks_find(m->marks, dir)))
		return above;
	if (hostfs_list(m->host, dir, SPLIT_BUDGET, &list) < 0)
		return SPLIT_BUDGET + 1;
	return above + list.count;
}

/** May a directory be left out as a whole? */
static bool is_expendable(const struct making *m, const char *dir)
{
	static const char *const system_dirs[] = {"/bin", "/etc",  "/lib", "/lib64",
						  "/opt", "/sbin", "/usr"};
	const struct mark *mark = marks_find(m->marks, dir);

	for (size_t i = 0; i < ARRAY_LEN(system_dirs); i++) {
		if (path_within(dir, system_dirs[i]))
			return false;
	}
	return strcmp(dir, "/") != 0 && !(mark && (marks_keeps(mark) || marks_wants(mark)));
}

static int hide_socket(struct making *m, const char *path, size_t *budget, struct error *err)
{
	AUTO(mem_free) char *dir = path_parent(path);
	const char *hide = NULL;
	size_t cost;

	if (!dir)
		return error_oom(err);
	cost = cost_of(m, dir);
	if (cost <= *budget) {
		*budget -= cost;
		hide = path;
	} else if (m->covers.count < COVERS_MAX) {
		return strv_add(&m->covers, path) < 0 ? error_oom(err) : 0;
	} else if (is_expendable(m, dir)) {
		hide = dir;
	}
	return hide && !marks_add(m->marks, hide, MARK_HIDE) ? error_oom(err) : 0;
}

/** A socket in a tree that is writable as a whole. */
static int cover_socket(struct making *m, const char *path, struct error *err)
{
	if (m->writable_covers.count >= WRITABLE_COVERS_MAX)
		return 0;
	return strv_add(&m->writable_covers, path) < 0 ? error_oom(err) : 0;
}

int hidden_sockets(struct making *m, struct error *err)
{
	AUTO(strv_done) struct strv paths = {0};
	size_t budget = SPLIT_BUDGET;
	int r = socklist_parse(m->host->sockets, &paths) < 0 ? error_oom(err) : 0;

	for (size_t i = 0; r == 0 && i < paths.count; i++) {
		AUTO(mem_free) char *real = NULL;
		struct stat st;

		if (hostfs_real(m->host, paths.items[i], &real) < 0 ||
		    hostfs_stat(m->host, real, &st) < 0 || !S_ISSOCK(st.st_mode))
			continue;

		unsigned state = marks_state(m->marks, real);

		// Where nothing of the host is bound it needs nothing.
		if (state == 0)
			r = hide_socket(m, real, &budget, err);
		else if (state == MARK_KEEP)
			r = cover_socket(m, real, err);
	}
	return r;
}

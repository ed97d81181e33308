// SPDX-License-Identifier: Apache-2.0
/** Hidden paths from the list, the environment and the state of the host. */
#include "world/hidden.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/hidden_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>

/** More sockets than this are a flood; the rest is left to the limits in SECURITY.md. */
#define SOCKETS_MAX 512

/** Add a path and what it resolves to. */
static int add_path(struct strv *ret, const char *path, struct error *err)
{
	struct error ignored = {0};
	char *real = NULL;

	if (!strv_has(ret, path) && strv_add(ret, path) < 0)
		return error_oom(err);
	if (path_real(path, &real, &ignored) < 0)
		return 0;
	if (strv_has(ret, real)) {
		free(real);
		return 0;
	}
	return strv_take(ret, real) < 0 ? error_oom(err) : 0;
}

/** Add what the glob in the last component of `path` matches now. */
static int add_glob(struct strv *ret, const char *path, struct error *err)
{
	AUTO(mem_free) char *parent = path_parent(path);
	DIR *dir = parent ? opendir(parent) : NULL;
	const struct dirent *entry;
	int r = parent ? 0 : error_oom(err);

	while (r == 0 && dir && (entry = readdir(dir))) {
		if (fnmatch(path_base(path), entry->d_name, FNM_PERIOD) != 0)
			continue;

		AUTO(mem_free) char *found = path_join(parent, entry->d_name);

		r = found ? add_path(ret, found, err) : error_oom(err);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

static int add_entry(struct strv *ret, const char *path, struct error *err)
{
	int r = strchr(path, '*') ? add_glob(ret, path, err) : 0;

	// The pattern itself is no file, but it makes a skeleton of its parent.
	return r < 0 ? r : add_path(ret, path, err);
}

static int add_home(struct strv *ret, const char *home, struct error *err)
{
	if (!home || strcmp(home, "/") == 0)
		return 0;
	for (size_t i = 0; hidden_home[i]; i++) {
		AUTO(mem_free) char *path = path_join(home, hidden_home[i]);
		int r = path ? add_entry(ret, path, err) : error_oom(err);

		if (r < 0)
			return r;
	}

	// The name stands for "any key that may appear": .ssh is always a skeleton.
	AUTO(mem_free) char *ssh = path_join(home, ".ssh/id_*");

	return ssh ? add_path(ret, ssh, err) : error_oom(err);
}

/** Directories in /var/lib that root keeps closed are somebody's secrets. */
static int add_closed(struct strv *ret, const char *parent, struct error *err)
{
	DIR *dir = opendir(parent);
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && dir && (entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode) || (st.st_mode & (S_IROTH | S_IXOTH)))
			continue;

		AUTO(mem_free) char *path = path_join(parent, entry->d_name);

		r = path ? add_path(ret, path, err) : error_oom(err);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

int hidden_collect(const struct spec_user *user, const char *env_home, const char *substrate_home,
		   struct strv *ret, struct error *err)
{
	int r = add_path(ret, substrate_home, err);

	if (r == 0)
		r = add_home(ret, user->home, err);
	if (r == 0)
		r = add_home(ret, env_home, err);
	for (size_t i = 0; r == 0 && user->uid == 0 && hidden_root[i]; i++)
		r = add_entry(ret, hidden_root[i], err);
	if (r == 0 && user->uid == 0)
		r = add_closed(ret, "/var/lib", err);
	return r;
}

/** Each pathname socket that the host has now; field 8 of /proc/net/unix is its path. */
static int add_sockets(struct strv *hidden, struct error *err)
{
	FILE *table = fopen("/proc/net/unix", "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;
	int r = 0;

	while (r == 0 && table && count < SOCKETS_MAX && getline(&line, &size, table) > 0) {
		char *path = strstr(line, " /");

		if (!path)
			continue;
		path++;
		path[strcspn(path, "\n")] = '\0';
		if (!path_is_clean(path))
			continue;
		count++;
		r = add_path(hidden, path, err);
	}
	free(line);
	if (table)
		(void)fclose(table);
	return r;
}

/** True when a hidden path other than `path` itself is this file. */
static bool is_hidden_inode(const struct strv *hidden, size_t count, const struct stat *st)
{
	for (size_t i = 0; i < count; i++) {
		struct stat other;

		if (lstat(hidden->items[i], &other) == 0 && other.st_dev == st->st_dev &&
		    other.st_ino == st->st_ino)
			return true;
	}
	return false;
}

/** A bind mount of a hidden directory somewhere else would show it: field 5 is where. */
static int add_mounts(struct strv *hidden, struct error *err)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	size_t count = hidden->count;
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && table && getline(&line, &size, table) > 0) {
		char *path = line;
		struct stat st;

		for (int field = 0; path && field < 4; field++) {
			path = strchr(path, ' ');
			path = path ? path + 1 : NULL;
		}
		if (!path)
			continue;
		path[strcspn(path, " ")] = '\0';
		if (path_is_clean(path) && path[1] != '\0' && lstat(path, &st) == 0 &&
		    is_hidden_inode(hidden, count, &st))
			r = add_path(hidden, path, err);
	}
	free(line);
	if (table)
		(void)fclose(table);
	return r;
}

int hidden_collect_host(struct strv *hidden, struct error *err)
{
	int r = add_mounts(hidden, err);

	return r < 0 ? r : add_sockets(hidden, err);
}

bool hidden_ssh_visible(const char *name)
{
	for (size_t i = 0; hidden_ssh_visible_list[i]; i++) {
		if (strcmp(hidden_ssh_visible_list[i], name) == 0)
			return true;
	}
	return str_ends(name, ".pub");
}

// SPDX-License-Identifier: Apache-2.0
/** The host's file system, by descriptor beneath a root. */
#include "world/hostfs.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TABLE_MAX (16u << 20)

/** A missing table is an empty one: /proc/net/unix does not exist on every kernel. */
static char *read_table(const char *path)
{
	struct error ignored = {0};
	char *text = NULL;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, TABLE_MAX, &text, &len, &ignored) < 0)
		return strdup("");
	return text;
}

int hostfs_open(const char *root, struct hostfs *ret, struct error *err)
{
	AUTO(hostfs_close) struct hostfs fs = {.root_fd = -1};

	fs.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fs.root_fd < 0)
		return error_errno(err, "open %s", root);

	int r = path_real(root, &fs.root, err);

	if (r < 0)
		return r;
	*ret = fs;
	fs = (struct hostfs){.root_fd = -1};
	return 0;
}

int hostfs_read_tables(struct hostfs *fs, struct error *err)
{
	free(fs->mounts);
	free(fs->sockets);
	fs->mounts = read_table("/proc/self/mountinfo");
	fs->sockets = read_table("/proc/net/unix");
	return fs->mounts && fs->sockets ? 0 : error_oom(err);
}

void hostfs_close(struct hostfs *fs)
{
	// A zeroed one is closed too, and 0 is nobody's root.
	if (fs->root)
		(void)fd_close(fs->root_fd);
	free(fs->root);
	free(fs->mounts);
	free(fs->sockets);
	*fs = (struct hostfs){.root_fd = -1};
}

/** What openat2() takes for a path: relative, "." for the root. */
static const char *relative(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

int hostfs_open_path(const struct hostfs *fs, const char *path, uint64_t flags)
{
	int fd = fd_open_beneath(fs->root_fd, relative(path), flags, 0);

	return fd < 0 ? -errno : fd;
}

int hostfs_stat(const struct hostfs *fs, const char *path, struct stat *ret)
{
	int fd = hostfs_open_path(fs, path, O_PATH | O_NOFOLLOW);

	if (fd < 0)
		return fd;

	int r = fstat(fd, ret) < 0 ? -errno : 0;

	(void)fd_close(fd);
	return r;
}

/** The path of a descriptor below the root, without the root's own.  Caller frees. */
static int path_of(const struct hostfs *fs, int fd, char **ret)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)], text[PATH_MAX];
	size_t skip = strcmp(fs->root, "/") == 0 ? 0 : strlen(fs->root);

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	ssize_t n = readlink(link, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (strncmp(text, fs->root, skip) != 0 || !path_is_clean(text))
		return -ENOENT;
	if (text[skip] && text[skip] != '/')
		return -ENOENT;
	*ret = strdup(text[skip] ? text + skip : "/");
	return *ret ? 0 : -ENOMEM;
}

int hostfs_real(const struct hostfs *fs, const char *path, char **ret)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	AUTO(fd_close) int fd = (int)syscall(SYS_openat2, fs->root_fd, path, &how, sizeof(how));
	struct stat seen, named;
	AUTO(mem_free) char *real = NULL;

	if (fd < 0)
		return -errno;

	int r = path_of(fs, fd, &real);

	if (r < 0 || !real)
		return r;
	// A name that /proc made up (" (deleted)", or of another mount namespace) is no path.
	if (fstat(fd, &seen) < 0)
		return -errno;
	r = hostfs_stat(fs, real, &named);
	if (r < 0)
		return r;
	if (seen.st_dev != named.st_dev || seen.st_ino != named.st_ino)
		return -ENOENT;
	*ret = TAKE_PTR(real);
	return 0;
}

int hostfs_link(const struct hostfs *fs, const char *path, char **ret)
{
	AUTO(fd_close) int fd = hostfs_open_path(fs, path, O_PATH | O_NOFOLLOW);
	char text[PATH_MAX];

	if (fd < 0)
		return fd;

	ssize_t n = readlinkat(fd, "", text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int hostfs_read(const struct hostfs *fs, const char *path, size_t max, char **ret, size_t *ret_len)
{
	struct stat st;
	int r = hostfs_stat(fs, path, &st);

	// Asked before it is opened: opening a device can do something.
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (size_t)st.st_size > max)
		return -EINVAL;

	AUTO(fd_close) int fd = hostfs_open_path(fs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	AUTO(mem_free) char *text = calloc(1, (size_t)st.st_size + 1);

	if (fd < 0)
		return fd;
	if (!text)
		return -ENOMEM;

	ssize_t n = fd_read_full(fd, text, (size_t)st.st_size);

	if (n < 0)
		return -errno;
	*ret = TAKE_PTR(text);
	*ret_len = (size_t)n;
	return 0;
}

/** Open for readdir(); NULL with *ret_error when it is no directory that can be listed. */
static DIR *open_stream(const struct hostfs *fs, const char *path, int *ret_error)
{
	int fd = hostfs_open_path(fs, path, O_RDONLY | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (stream)
		return stream;
	*ret_error = fd < 0 ? fd : -errno;
	if (fd >= 0)
		(void)fd_close(fd);
	return NULL;
}

static bool is_link(DIR *stream, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_LNK;
	return fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

int hostfs_list_links(const struct hostfs *fs, const char *path, struct strv *ret)
{
	int r = 0;
	DIR *stream = open_stream(fs, path, &r);
	const struct dirent *entry;

	while (stream && r == 0 && (entry = readdir(stream))) {
		if (is_link(stream, entry))
			r = strv_add(ret, entry->d_name);
	}
	if (stream)
		(void)closedir(stream);
	return r;
}

void hostfs_dir_done(struct hostfs_dir *dir)
{
	for (size_t i = 0; i < dir->count; i++)
		free(dir->entries[i].name);
	free(dir->entries);
	*dir = (struct hostfs_dir){0};
}

static int compare_entries(const void *a, const void *b)
{
	const struct hostfs_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_entry(struct hostfs_dir *dir, size_t *cap, int dirfd, const char *name)
{
	struct stat st = {0};

	if (dir->count == *cap) {
		size_t grown_cap = *cap ? 2 * *cap : 64;
		struct hostfs_entry *grown =
			reallocarray(dir->entries, grown_cap, sizeof(dir->entries[0]));

		if (!grown)
			return -ENOMEM;
		dir->entries = grown;
		*cap = grown_cap;
	}

	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		st = (struct stat){0};
	dir->entries[dir->count++] = (struct hostfs_entry){
		.name = copy,
		.mode = st.st_mode,
		.uid = st.st_uid,
		.size = (uint64_t)st.st_size,
	};
	return 0;
}

static int read_entries(DIR *stream, size_t max, struct hostfs_dir *dir)
{
	const struct dirent *entry;
	size_t cap = 0;
	int r = 0;

	errno = 0;
	while (r == 0 && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = dir->count == max ? -E2BIG : add_entry(dir, &cap, dirfd(stream), entry->d_name);
		errno = 0;
	}
	return r == 0 && errno != 0 ? -errno : r;
}

int hostfs_list(const struct hostfs *fs, const char *path, size_t max, struct hostfs_dir *ret)
{
	AUTO(hostfs_dir_done) struct hostfs_dir dir = {0};
	int r = 0;
	DIR *stream = open_stream(fs, path, &r);

	if (!stream)
		return r;
	r = read_entries(stream, max, &dir);
	(void)closedir(stream);
	if (r < 0)
		return r;
	if (dir.count > 0)
		qsort(dir.entries, dir.count, sizeof(dir.entries[0]), compare_entries);
	*ret = dir;
	dir = (struct hostfs_dir){0};
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The host's file system as the compiler of plans looks at it: everything beneath one directory
 * that stands for "/", without ever being led out of it, and the two tables of the kernel that
 * matter.  A test gives it a made-up tree and made-up tables.
 *
 * Functions return 0 or -errno and need no error text: what is not there is a normal answer.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>
#include <sys/stat.h>

struct error;

/** Zero-initialise; root_fd is -1 while closed. */
struct hostfs {
	int root_fd;   /**< O_PATH of what stands for "/". */
	char *root;    /**< Its real path. */
	char *mounts;  /**< Text of /proc/self/mountinfo. */
	char *sockets; /**< Text of /proc/net/unix. */
};

/** Open `root`; both tables are NULL.  Free with hostfs_close(). */
int hostfs_open(const char *root, struct hostfs *ret, struct error *err);

/** Read both tables of this process. */
int hostfs_read_tables(struct hostfs *fs, struct error *err);

/** Close it; works on a zeroed or closed one. */
void hostfs_close(struct hostfs *fs);
static inline void hostfs_closep(struct hostfs *fs)
{
	hostfs_close(fs);
}

/** lstat().  A symlink in a directory of the path is -ELOOP. */
int hostfs_stat(const struct hostfs *fs, const char *path, struct stat *ret);

/** Open beneath the root as fd_open_beneath() does.  Returns a descriptor or -errno. */
int hostfs_open_path(const struct hostfs *fs, const char *path, uint64_t flags);

/** Resolve every symlink; the path must exist.  Caller frees *ret. */
int hostfs_real(const struct hostfs *fs, const char *path, char **ret);

/** The text of a symlink.  Caller frees *ret. */
int hostfs_link(const struct hostfs *fs, const char *path, char **ret);

/** Read a regular file of at most `max` bytes, NUL-terminated.  Caller frees *ret. */
int hostfs_read(const struct hostfs *fs, const char *path, size_t max, char **ret, size_t *ret_len);

/** Add the names of a directory's symlinks.  Cheaper than a list, and in no order. */
int hostfs_list_links(const struct hostfs *fs, const char *path, struct strv *ret);

/** One name in a directory. */
struct hostfs_entry {
	char *name;
	mode_t mode; /**< 0: it cannot be looked at. */
	uid_t uid;
	uint64_t size;
};

/** A directory, sorted by name. */
struct hostfs_dir {
	struct hostfs_entry *entries;
	size_t count;
};

/** List a directory.  More than `max` entries are -E2BIG. */
int hostfs_list(const struct hostfs *fs, const char *path, size_t max, struct hostfs_dir *ret);

/** Free a list; works on a zeroed one. */
void hostfs_dir_done(struct hostfs_dir *dir);
static inline void hostfs_dir_donep(struct hostfs_dir *dir)
{
	hostfs_dir_done(dir);
}

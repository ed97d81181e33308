// SPDX-License-Identifier: Apache-2.0
/** File descriptors: -1 means none, every one is CLOEXEC from birth. */
#pragma once

#include "base/compiler.h"

#include <stdint.h>
#include <sys/types.h>

struct error;

/** Close fd unless it is -1.  Keeps errno.  Returns -1. */
int fd_close(int fd);
DEFINE_AUTO(int, fd_close)

/** Read until `size` bytes or end of file.  Returns the bytes read, or -1 with errno. */
ssize_t fd_read_full(int fd, void *data, size_t size);

/** Write all of it.  Returns 0, or -1 with errno. */
int fd_write_full(int fd, const void *data, size_t size);

/** Set or clear O_NONBLOCK.  Returns 0, or -1 with errno. */
int fd_set_nonblock(int fd, int on);

/** Set or clear FD_CLOEXEC.  Returns 0, or -1 with errno. */
int fd_set_cloexec(int fd, int on);

/** The whole of a small file, NUL-terminated.  At most `max` bytes, else -E2BIG.  Caller frees. */
int fd_read_file(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len,
		 struct error *err);

/**
 * A sealed memfd with these bytes: nobody can change or resize it.
 * On success the caller owns *ret.
 */
int fd_sealed(const char *name, const void *data, size_t size, int *ret, struct error *err);

/**
 * openat2() beneath dirfd: never through a symlink, a magic link or "..", and never out of it.
 * `flags` are open flags (O_CLOEXEC is added).  Returns the descriptor, or -1 with errno.
 */
int fd_open_beneath(int dirfd, const char *path, uint64_t flags, uint32_t mode);

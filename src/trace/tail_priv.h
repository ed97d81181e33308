// SPDX-License-Identifier: Apache-2.0
/** A file that only grows, by whole pieces: what cannot be written whole is taken back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

struct tail {
	int fd;        /**< Owned, O_APPEND; -1 while there is no file. */
	uint64_t size; /**< Its length, as far as we wrote it. */
	dev_t dev;     /**< Which file it is. */
	ino_t ino;
	bool stuck; /**< A piece could be neither written nor taken back. */
};

/**
 * Open or make the file `name` below dirfd, mode 0600.  *ret_made tells that it was made.
 * `tail` is written on success only.
 */
int tail_open(struct tail *tail, int dirfd, const char *name, bool *ret_made, struct error *err);

/** Close it; fine when it is closed. */
void tail_close(struct tail *tail);

/**
 * Append all of it, in one write() as a rule.  On failure the file is as long as before, or
 * `stuck` is set.
 */
int tail_append(struct tail *tail, const void *data, size_t len, struct error *err);

/** Take back everything beyond `size`.  On failure `stuck` is set. */
void tail_cut(struct tail *tail, uint64_t size);

/** Check that `name` is still this file, and as long as we left it; else -ESTALE. */
int tail_check(const struct tail *tail, int dirfd, const char *name, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/**
 * The files of a trace: trace.jsonl is written; trace.jsonl.1, .2, ... were, in that order.
 */
#pragma once

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct error;

#define TRACE_FILES_CURRENT "trace.jsonl"
#define TRACE_FILES_NAME_SIZE 32
#define TRACE_FILES_SEQ_MAX 999999999u /**< The highest number; others are not ours. */

/** A snapshot of the files, oldest first.  Zero-initialise it (with fd -1). */
struct trace_files {
	uint32_t *seqs;       /**< Numbers of the rotated files, ascending.  Owned. */
	size_t count;         /**< How many. */
	int current;          /**< The file that was current at the time of the snapshot, or -1. */
	uint32_t current_seq; /**< Its number when it was rotated since, else 0. */
};

/** Free it; works on an empty one. */
void trace_files_done(struct trace_files *files);
static inline void trace_files_donep(struct trace_files *files)
{
	trace_files_done(files);
}

/** The name of a rotated file, or of the current one when seq is 0. */
void trace_files_name(uint32_t seq, char ret[static TRACE_FILES_NAME_SIZE]);

/** The number in a rotated file's name, or 0 when it is not such a name. */
uint32_t trace_files_seq(const char *name);

/**
 * Open a file of ours below dirfd by its name.
 *
 * `flags` are open flags; links are not followed, and what is not a regular file of this user
 * is refused with -EPERM.  -ENOENT when it does not exist.
 */
int trace_files_open(int dirfd, const char *name, int flags, int *ret, struct error *err);

/** The highest number of a rotated file, or 0. */
int trace_files_last(int dirfd, uint32_t *ret, struct error *err);

/** Rename the current file to `name`, never over a file that is there. */
int trace_files_rename(int dirfd, const char *name, struct error *err);

/** Take a snapshot, right also while the writer rotates.  On success the caller owns *ret. */
int trace_files_snap(int dirfd, struct trace_files *ret, struct error *err);

/** Files in the snapshot, the current one included. */
size_t trace_files_total(const struct trace_files *files);

/** Name of the file at an index: 0 is the oldest. */
void trace_files_name_at(const struct trace_files *files, size_t index,
			 char ret[static TRACE_FILES_NAME_SIZE]);

/** Open the file at an index for reading.  The caller owns *ret. */
int trace_files_open_at(const struct trace_files *files, int dirfd, size_t index, int *ret,
			struct error *err);

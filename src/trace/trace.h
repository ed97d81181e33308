// SPDX-License-Identifier: Apache-2.0
/**
 * The trace: an append-only file of span events, each with the SHA-256 of the line before.
 *
 * How it works: trace_append() writes the line with one write() before it returns; the file is
 * synced within a second (or at once with TRACE_SYNC_ALWAYS).  A torn last line is moved to
 * trace.torn at open.  Each command_start without a command_complete is closed by a
 * command_complete with status "lost" at open.  Rotation: at `rotate_bytes` the file becomes
 * trace.jsonl.N and the chain goes on.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct error;
struct loop;
struct trace;

enum trace_sync {
	TRACE_SYNC_GROUP,  /**< fdatasync() within a second. */
	TRACE_SYNC_ALWAYS, /**< fdatasync() before trace_append() returns. */
};

struct trace_options {
	int dirfd; /**< SUBSTRATE_HOME.  Borrowed for the life of the trace. */
	enum trace_sync sync;
	uint64_t rotate_bytes; /**< 0: 64 MiB. */
};

/** What was found and mended when the trace was opened. */
struct trace_recovery {
	uint64_t torn_bytes;    /**< Moved to trace.torn. */
	uint32_t lost_commands; /**< Closed with status "lost". */
};

/** Open or make trace.jsonl (0600).  The caller owns *ret. */
int trace_open(struct loop *loop, const struct trace_options *options, struct trace **ret,
	       struct trace_recovery *ret_recovery, struct error *err);

/** Sync and close.  NULL is fine.  Returns NULL. */
struct trace *trace_close(struct trace *trace);
DEFINE_AUTO(struct trace *, trace_close)

/**
 * Append one event: `line` is a JSON object without newline and without "prev", which is added.
 *
 * On an error nothing of the line stays in the file, and the command that it was for must be
 * refused.  A full disk (-ENOSPC, -EDQUOT, -EFBIG) passes: a later append may succeed.  After a
 * failed sync, a line that could not be taken back, or a file that another program touched
 * (-ESTALE), every later append fails with that reason until the trace is opened anew.
 * A process with a file size limit must ignore SIGXFSZ.
 *
 * @return     0; -EINVAL (not a line, or a command_start without a plain span_id), -E2BIG (over
 *             16 MiB), -EEXIST (a command_start whose span is open), -ENOMEM, or as above.
 */
int trace_append(struct trace *trace, const char *line, size_t len, struct error *err);

/**
 * As trace_append(), for what has happened and cannot be refused any more: when the line cannot be
 * written, it is kept and written before any other line.  The error says why it could not be
 * written now.  When more than 1 MiB waits, trace_append() fails until the trace is opened anew.
 */
int trace_record(struct trace *trace, const char *line, size_t len, struct error *err);

/** Hex SHA-256 of the last line: what the next line's "prev" will be. */
const char *trace_head(const struct trace *trace);

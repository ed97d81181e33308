// SPDX-License-Identifier: Apache-2.0
/**
 * The writer of the trace.
 *
 * How it works
 * - One append is one write().  When it fails or is short (disk full, a limit), the file is cut
 *   back to its old length, so there never is half a line that a later one would follow.
 * - Rotation renames trace.jsonl to the next free number and makes a new file.  A crash in
 *   between leaves no trace.jsonl; opening then goes on from the highest number.  The first
 *   line of the new file lists the commands that are still open, so finding those at open
 *   means reading one file, the current one (or, while that is empty, the one before).
 * - An event that has happened already (trace_record()) and cannot be written waits in the backlog,
 *   which goes first.  While it cannot be written nothing else is, so no command starts; when it
 *   cannot take one more, none starts until the trace is opened anew.
 * - A trace that cannot be trusted any more (a failed sync, a line that could not be taken
 *   back, a file changed by another program) is broken: every later append is refused
 *   with the reason, and so is the command that it was for.  Opening it anew mends it.
 */
#include "trace/trace.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "hash/sha256.h"
#include "trace/recover_priv.h"
#include "trace/span.h"
#include "trace/tail_priv.h"
#include "trace/trace_files_priv.h"
#include "trace/trace_flush_priv.h"
#include "trace/trace_line.h"
#include "trace/unfinished_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ROTATE_BYTES ((uint64_t)64 << 20)

/** A buffer that one huge line made is not kept. */
#define KEEP_BYTES ((size_t)256 << 10)

/** Of events that happened and could not be written yet. */
#define BACKLOG_BYTES ((size_t)1 << 20)

static const char prev_key[] = ",\"prev\":\"";

/** What the writer adds to a line: `,"prev":"<hash>"}` instead of `}`, and the newline. */
#define PREV_BYTES (sizeof(prev_key) - 1 + TRACE_LINE_HASH + sizeof("\"\n") - 1)

struct trace {
	struct tail tail; /**< trace.jsonl. */
	int dirfd;        /**< Borrowed. */
	enum trace_sync sync;
	uint64_t rotate_bytes;
	uint32_t seq;                   /**< The highest number of a rotated file. */
	char head[TRACE_LINE_HASH + 1]; /**< Hash of the last line. */
	struct unfinished open;
	struct trace_flush flush;
	struct buf backlog;  /**< Lines that go before any other, each with a newline. */
	bool lost;           /**< The backlog could not take one. */
	struct buf line;     /**< Scratch. */
	struct error broken; /**< Why no line is taken any more; code 0 while one is. */
};

/** Refuse every later append with the reason in err.  Returns r. */
static int break_trace(struct trace *trace, int r, const struct error *err)
{
	trace->broken = *err;
	return r;
}

/** Make names (a new file, a rename) durable. */
static int sync_dir(int dirfd, struct error *err)
{
	AUTO(fd_close) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	// Some file systems cannot sync a directory; there is nothing better to be had there.
	if (fd >= 0 && fsync(fd) < 0 && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return error_errno(err, "sync the directory of the trace");
	return fd < 0 ? error_errno(err, "open the directory of the trace") : 0;
}

static int sync_file(struct trace *trace, struct error *err)
{
	if (fdatasync(trace->tail.fd) < 0)
		return break_trace(trace, error_errno(err, "sync the trace"), err);
	return 0;
}

/** Write one line with its "prev", and move the head on. */
static int append_line(struct trace *trace, const char *line, size_t len, struct error *err)
{
	struct buf *out = &trace->line;
	uint64_t before = trace->tail.size;
	char head[SHA256_HEX_SIZE];

	out->len = 0;
	(void)buf_room(out, len + PREV_BYTES);
	buf_add(out, line, len - 1);
	buf_adds(out, prev_key);
	buf_add(out, trace->head, TRACE_LINE_HASH);
	buf_adds(out, "\"}\n");
	if (out->failed || sha256_hex(out->data, out->len - 1, head) < 0) {
		buf_done(out);
		return error_oom(err);
	}

	int r = tail_append(&trace->tail, out->data, out->len, err);

	if (r == 0 && trace->sync == TRACE_SYNC_ALWAYS) {
		r = sync_file(trace, err);
		if (r < 0)
			tail_cut(&trace->tail, before);
	}
	if (trace->tail.stuck)
		return break_trace(trace, error_wrap(err, r, "half a line is left over"), err);
	if (r < 0)
		return r;
	memcpy(trace->head, head, sizeof(trace->head));
	if (trace->sync == TRACE_SYNC_GROUP)
		trace_flush_note(&trace->flush, trace->tail.fd);
	if (out->cap > KEEP_BYTES)
		buf_done(out);
	return 0;
}

/** Give the current file the next number.  After it there is no current file. */
static int rotate(struct trace *trace, struct error *err)
{
	char name[TRACE_FILES_NAME_SIZE];

	uint32_t last;
	int r = trace_files_last(trace->dirfd, &last, err);

	if (r == 0 && last >= TRACE_FILES_SEQ_MAX)
		r = error_set(err, EOVERFLOW, "the trace has too many files");
	if (r == 0)
		r = sync_file(trace, err);
	if (r < 0)
		return r;
	trace_files_name(last + 1, name);
	r = trace_files_rename(trace->dirfd, name, err);
	if (r < 0)
		return r;
	trace->seq = last + 1;
	trace_flush_forget(&trace->flush);
	tail_close(&trace->tail);
	return 0;
}

/** See that there is a current file, begun with the list of open commands after a rotation. */
static int begin_file(struct trace *trace, struct error *err)
{
	AUTO(buf_done) struct buf line = {0};
	bool made = false;
	int r = 0;

	if (trace->tail.fd < 0) {
		r = tail_open(&trace->tail, trace->dirfd, TRACE_FILES_CURRENT, &made, err);
		if (r == 0 && !made)
			return break_trace(trace,
					   error_set(err, ESTALE,
						     "%s was made by another "
						     "program",
						     TRACE_FILES_CURRENT),
					   err);
	}
	if (r == 0 && made)
		r = sync_dir(trace->dirfd, err);
	if (r < 0 || trace->tail.size || !trace->seq)
		return r;
	if (unfinished_print(&trace->open, trace->seq, &line) < 0)
		return error_oom(err);
	return append_line(trace, line.data, line.len, err);
}

/** Check that the trace takes lines, and that the file is the one we left. */
static int check_trace(struct trace *trace, struct error *err)
{
	if (!trace->broken.code && trace->flush.code) {
		(void)error_set(&trace->broken, trace->flush.code, "sync the trace: %s",
				strerror(trace->flush.code));
	}
	if (trace->broken.code) {
		*err = trace->broken;
		return error_wrap(err, -err->code, "the trace is closed");
	}
	if (trace->tail.fd < 0)
		return 0;

	int r = tail_check(&trace->tail, trace->dirfd, TRACE_FILES_CURRENT, err);

	return r < 0 ? break_trace(trace, r, err) : 0;
}

static int check_line(const char *line, size_t len, struct trace_line *ret, struct error *err)
{
	if (len > TRACE_LINE_MAX - PREV_BYTES)
		return error_set(err, E2BIG, "the event is larger than a line of the trace may be");
	if (len < sizeof("{\"\":0}") - 1 || line[len - 1] != '}' || memchr(line, '\n', len) ||
	    trace_line_peek(line, len, ret) < 0)
		return error_set(err, EINVAL, "not a line of the trace");
	return 0;
}

/** Keep the list of open commands before a line is written; undo_open() takes that back. */
static int note_start(struct trace *trace, const struct trace_line *parts, struct error *err)
{
	int r = unfinished_add(&trace->open, parts);

	if (r == -EEXIST)
		return error_set(err, EEXIST, "a command with this span is already open");
	if (r == -EINVAL)
		return error_set(err, EINVAL, "a command's start needs a span id");
	return r < 0 ? error_oom(err) : 0;
}

static int write_event(struct trace *trace, const char *line, size_t len, struct error *err)
{
	struct trace_line parts;
	int r = check_line(line, len, &parts, err);

	if (r == 0)
		r = check_trace(trace, err);
	if (r == 0 && trace->tail.fd >= 0 && trace->tail.size &&
	    trace->tail.size + len + PREV_BYTES > trace->rotate_bytes)
		r = rotate(trace, err);
	if (r == 0)
		r = begin_file(trace, err);
	if (r < 0)
		return r;

	bool start = trace_line_is(&parts.event_type, span_event_name(SPAN_COMMAND_START));
	bool complete = trace_line_is(&parts.event_type, span_event_name(SPAN_COMMAND_COMPLETE));

	if (start)
		r = note_start(trace, &parts, err);
	if (r < 0)
		return r;
	r = append_line(trace, line, len, err);
	if (r < 0 ? start : complete)
		unfinished_remove(&trace->open, &parts);
	return r;
}

/** Write what could not be written when it happened. */
static int drain_backlog(struct trace *trace, struct error *err)
{
	struct buf *backlog = &trace->backlog;
	size_t done = 0;
	int r = 0;

	while (r == 0 && done < backlog->len) {
		const char *line = backlog->data + done;
		const char *end = memchr(line, '\n', backlog->len - done);
		size_t len = (size_t)(end - line);

		r = write_event(trace, line, len, err);
		if (r == 0)
			done += len + 1;
	}
	if (done == backlog->len) {
		buf_done(backlog);
		return r;
	}
	memmove(backlog->data, backlog->data + done, backlog->len - done);
	backlog->len -= done;
	return r;
}

int trace_append(struct trace *trace, const char *line, size_t len, struct error *err)
{
	if (trace->lost)
		return error_set(err, ENOSPC,
				 "events were lost while the trace could not be written: start "
				 "the daemon again");

	int r = drain_backlog(trace, err);

	return r < 0 ? r : write_event(trace, line, len, err);
}

/** Keep a line for later. */
static void keep_event(struct trace *trace, const char *line, size_t len)
{
	struct buf *backlog = &trace->backlog;

	if (backlog->len + len + 1 > BACKLOG_BYTES || !buf_room(backlog, len + 1)) {
		trace->lost = true;
		return;
	}
	buf_add(backlog, line, len);
	buf_adds(backlog, "\n");
}

int trace_record(struct trace *trace, const char *line, size_t len, struct error *err)
{
	struct trace_line parts;
	int r = check_line(line, len, &parts, err);

	if (r < 0)
		return r;
	r = drain_backlog(trace, err);
	if (r == 0)
		r = write_event(trace, line, len, err);
	if (r < 0 && !trace->broken.code)
		keep_event(trace, line, len);
	return r;
}

const char *trace_head(const struct trace *trace)
{
	return trace->head;
}

/** Find where the trace stands: from the current file or, when that has no line, the one before. */
static int recover(struct trace *trace, struct trace_recovery *recovery, struct error *err)
{
	struct recover_state state;
	int r = recover_scan(trace->tail.fd, &trace->open, &state, err);

	if (r < 0)
		return r;
	recovery->torn_bytes = trace->tail.size - state.whole;
	if (recovery->torn_bytes) {
		r = recover_torn(&trace->tail, trace->dirfd, state.whole, err);
		if (r < 0)
			return r;
	}
	if (!state.has_line && trace->seq) {
		char name[TRACE_FILES_NAME_SIZE];
		AUTO(fd_close) int fd = -1;

		trace_files_name(trace->seq, name);
		r = trace_files_open(trace->dirfd, name, O_RDONLY, &fd, err);
		if (r == 0)
			r = recover_scan(fd, &trace->open, &state, err);
		if (r < 0)
			return r;
	}
	if (state.has_line)
		memcpy(trace->head, state.head, sizeof(trace->head));
	return 0;
}

/** Give every open command the result "lost". */
static int close_lost(struct trace *trace, struct trace_recovery *recovery, struct error *err)
{
	AUTO(buf_done) struct buf line = {0};
	int r;

	// The first line of a file names the open commands, so it comes before any is closed.
	if (unfinished_any(&trace->open)) {
		r = begin_file(trace, err);
		if (r < 0)
			return r;
	}
	while ((r = unfinished_close(&trace->open, &line)) > 0) {
		r = append_line(trace, line.data, line.len, err);
		if (r < 0)
			return error_wrap(err, r, "close the commands that were lost");
		recovery->lost_commands++;
		line.len = 0;
	}
	return r < 0 ? error_oom(err) : 0;
}

static int start_trace(struct trace *trace, struct trace_recovery *recovery, struct error *err)
{
	bool made;
	int r = trace_files_last(trace->dirfd, &trace->seq, err);

	if (r == 0)
		r = tail_open(&trace->tail, trace->dirfd, TRACE_FILES_CURRENT, &made, err);
	if (r == 0 && made)
		r = sync_dir(trace->dirfd, err);
	if (r == 0)
		r = recover(trace, recovery, err);
	if (r == 0)
		r = close_lost(trace, recovery, err);
	return r;
}

int trace_open(struct loop *loop, const struct trace_options *options, struct trace **ret,
	       struct trace_recovery *ret_recovery, struct error *err)
{
	struct trace_recovery recovery = {0};
	AUTO(trace_close) struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return error_oom(err);
	trace->tail.fd = -1;
	trace->dirfd = options->dirfd;
	trace->sync = options->sync;
	trace->rotate_bytes = options->rotate_bytes ? options->rotate_bytes : ROTATE_BYTES;
	memset(trace->head, '0', TRACE_LINE_HASH);

	int r = trace_flush_open(&trace->flush, loop, err);

	if (r == 0)
		r = start_trace(trace, &recovery, err);
	if (r < 0)
		return error_wrap(err, r, "open the trace");
	*ret = TAKE_PTR(trace);
	*ret_recovery = recovery;
	return 0;
}

struct trace *trace_close(struct trace *trace)
{
	if (!trace)
		return NULL;

	struct error ignored = {0};

	(void)drain_backlog(trace, &ignored); // nobody is left to be told
	trace_flush_close(&trace->flush);
	if (trace->tail.fd >= 0)
		(void)fdatasync(trace->tail.fd);
	tail_close(&trace->tail);
	unfinished_done(&trace->open);
	buf_done(&trace->backlog);
	buf_done(&trace->line);
	free(trace);
	return NULL;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Walking the chain.
 *
 * Each line names the hash of the one before it.  The walk keeps the hash of the last line and
 * compares; after damage it goes on with what it finds, so one change is one damage.
 */
#include "base/error.h"
#include "base/fd.h"
#include "hash/sha256.h"
#include "trace/span.h"
#include "trace/trace_files_priv.h"
#include "trace/trace_line.h"
#include "trace/trace_read.h"
#include "trace/trace_scan_priv.h"
#include "trace/trace_verify_priv.h"
#include "json/decode.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

/** A torn end of the current file may be a line that the disk makes wait. */
#define PATIENCE_MS 2000

struct walk {
	struct trace_verify_result *result;
	unsigned patience_ms;
	const char *wanted; /**< The head that was noted, or NULL. */
	bool found;         /**< It turned up. */
	bool gap;           /**< The line before is not known: its hash can not be compared. */
	uint32_t last;      /**< Number of the file before this one, or 0. */
	char prev[65];      /**< What the next line's prev has to be. */
	char name[TRACE_FILES_NAME_SIZE];
};

static const struct {
	const char *name;
	const char *what;
} damages[] = {
	[TRACE_DAMAGE_NONE] = {"none", ""},
	[TRACE_DAMAGE_NOT_JSON] = {"not_json", "the line is not one JSON object"},
	[TRACE_DAMAGE_NO_PREV] = {"no_prev", "the line does not end in \"prev\""},
	[TRACE_DAMAGE_WRONG_PREV] = {"wrong_prev",
				     "\"prev\" is not the hash of the line before: this line or "
				     "that one was changed, added or removed"},
	[TRACE_DAMAGE_TORN] = {"torn", "the last line has no end"},
	[TRACE_DAMAGE_MISSING_FILE] = {"missing_file", "the file is missing"},
	[TRACE_DAMAGE_UNREADABLE] = {"unreadable", "not a regular file of this user"},
	[TRACE_DAMAGE_HEAD] = {"head", "no line has the hash that was noted"},
};

const char *trace_verify_name(enum trace_damage damage)
{
	return damages[damage].name;
}

static void report(struct walk *walk, enum trace_damage damage, const char *file, uint64_t line)
{
	struct trace_verify_result *result = walk->result;

	if (result->damages++)
		return;
	result->damage = damage;
	result->line = line;
	(void)snprintf(result->file, sizeof(result->file), "%s", file);
	(void)snprintf(result->what, sizeof(result->what), "%s", damages[damage].what);
}

/** Report the file after number `last` as missing. */
static void report_missing(struct walk *walk)
{
	char name[TRACE_FILES_NAME_SIZE];

	trace_files_name(walk->last + 1, name);
	report(walk, TRACE_DAMAGE_MISSING_FILE, name, 0);
	walk->gap = true;
}

/** A file's first line tells which file it follows; so the last rotated one is missed as well. */
static void check_rotation(struct walk *walk, const char *text, size_t len)
{
	struct trace_line parts;

	if (trace_line_peek(text, len, &parts) < 0 ||
	    !trace_line_is(&parts.event_type, span_event_name(SPAN_TRACE_ROTATE)))
		return;

	struct error ignored = {0};
	AUTO(value_free) json_t *root = NULL;

	if (decode_text(text, len, TRACE_LINE_MAX, &root, &ignored) == 0 &&
	    json_integer_value(json_object_get(root, "after")) > walk->last)
		report_missing(walk);
}

static enum trace_damage judge(const struct walk *walk, const char *text, size_t len)
{
	const char *prev = trace_line_prev(text, len);
	struct trace_line parts;

	if (trace_line_parse(text, len, &parts) < 0)
		return TRACE_DAMAGE_NOT_JSON;
	if (!prev)
		return TRACE_DAMAGE_NO_PREV;
	if (!walk->gap && memcmp(prev, walk->prev, TRACE_LINE_HASH) != 0)
		return TRACE_DAMAGE_WRONG_PREV;
	return TRACE_DAMAGE_NONE;
}

static int visit(struct walk *walk, const struct trace_scanner *scan, struct error *err)
{
	if (scan->number == 1 && !walk->gap)
		check_rotation(walk, scan->text, scan->len);

	enum trace_damage damage = judge(walk, scan->text, scan->len);

	if (damage != TRACE_DAMAGE_NONE)
		report(walk, damage, walk->name, scan->number);
	walk->gap = false;
	if (sha256_hex(scan->text, scan->len, walk->prev) < 0)
		return error_oom(err);
	memcpy(walk->result->head, walk->prev, sizeof(walk->prev));
	if (walk->wanted && strcasecmp(walk->wanted, walk->prev) == 0)
		walk->found = true;
	return 0;
}

static int walk_file(struct walk *walk, int fd, unsigned patience_ms, struct error *err)
{
	AUTO(trace_scan_done) struct trace_scanner scan;
	int r;

	trace_scan_init(&scan, fd, patience_ms);
	while ((r = trace_scan_next(&scan, err)) > TRACE_SCAN_END) {
		if (r == TRACE_SCAN_TORN) {
			report(walk, TRACE_DAMAGE_TORN, walk->name, scan.number);
			continue;
		}
		walk->result->lines++;
		if (r == TRACE_SCAN_LINE) {
			r = visit(walk, &scan, err);
			if (r < 0)
				return r;
			continue;
		}
		report(walk, TRACE_DAMAGE_NOT_JSON, walk->name, scan.number);
		walk->gap = true;
	}
	return r < 0 ? error_wrap(err, r, "%s", walk->name) : 0;
}

/** Walk the file at an index; that it can not be opened is damage, not an error. */
static int walk_index(struct walk *walk, const struct trace_files *files, int dirfd, size_t index,
		      struct error *err)
{
	AUTO(fd_close) int fd = -1;
	int r = trace_files_open_at(files, dirfd, index, &fd, err);

	if (r == -EPERM || r == -ENOENT || r == -EACCES) {
		report(walk, TRACE_DAMAGE_UNREADABLE, walk->name, 0);
		walk->gap = true;
		return 0;
	}
	return r < 0 ? r : walk_file(walk, fd, index == files->count ? walk->patience_ms : 0, err);
}

static int walk_files(struct walk *walk, const struct trace_files *files, int dirfd,
		      struct error *err)
{
	for (size_t i = 0; i < trace_files_total(files); i++) {
		uint32_t seq = i < files->count ? files->seqs[i] : files->current_seq;

		if (seq > walk->last + 1)
			report_missing(walk);
		trace_files_name(seq, walk->name);

		int r = walk_index(walk, files, dirfd, i, err);

		if (r < 0)
			return r;
		walk->last = seq;
	}
	return 0;
}

int trace_verify_patient(int dirfd, const char *head, unsigned patience_ms,
			 struct trace_verify_result *ret, struct error *err)
{
	struct trace_verify_result result = {0};
	AUTO(trace_files_done) struct trace_files files = {.current = -1};
	struct walk walk = {.result = &result, .patience_ms = patience_ms, .wanted = head};
	int r = trace_files_snap(dirfd, &files, err);

	if (r == -EPERM) {
		report(&walk, TRACE_DAMAGE_UNREADABLE, TRACE_FILES_CURRENT, 0);
		*ret = result;
		return 0;
	}
	if (r < 0)
		return r;
	memset(walk.prev, '0', TRACE_LINE_HASH);
	walk.found = head && strcmp(head, walk.prev) == 0; // noted while there was no line
	r = walk_files(&walk, &files, dirfd, err);
	if (r < 0)
		return r;
	if (head && !walk.found)
		report(&walk, TRACE_DAMAGE_HEAD, "", 0);
	result.intact = result.damages == 0;
	*ret = result;
	return 0;
}

int trace_verify(int dirfd, const char *head, struct trace_verify_result *ret, struct error *err)
{
	return trace_verify_patient(dirfd, head, PATIENCE_MS, ret, err);
}

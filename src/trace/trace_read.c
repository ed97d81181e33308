// SPDX-License-Identifier: Apache-2.0
/**
 * Looking things up in the trace.
 *
 * Lines are found by their first few fields, without parsing them; only those that are part of the
 * answer become JSON.  Span ids carry the time they were made (UUID version 7), and files
 * are in the order of time, so files that ended long before a span began are not read.
 */
#include "trace/trace_read.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "trace/span.h"
#include "trace/trace_files_priv.h"
#include "trace/trace_line.h"
#include "trace/trace_scan_priv.h"
#include "json/decode.h"

#include <errno.h>

#define SPAN_BYTES_MAX ((size_t)64 << 20)

/** Clocks are set back now and then; by more than this is not reckoned with. */
#define CLOCK_SLACK_NS ((uint64_t)3600 * 1000000000)

/** When the id was made, in nanoseconds, or 0 when the id does not tell. */
static uint64_t id_time_ns(const char *span_id)
{
	uint64_t ms = 0;

	if (!id_valid("spn", span_id))
		return 0;
	for (const char *at = span_id + 4; at < span_id + 4 + 13; at++) {
		if (*at != '-')
			ms = ms * 16 + (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
	}
	return ms * 1000000;
}

/** True when the file's first line was written before `ts`.  In doubt false. */
static bool begins_before(const struct trace_files *files, int dirfd, size_t index, const char *ts)
{
	AUTO(fd_close) int fd = -1;
	AUTO(trace_scan_done) struct trace_scanner scan = {0};
	struct error ignored = {0}; // what is wrong turns up when the file is read
	struct trace_line parts;

	if (trace_files_open_at(files, dirfd, index, &fd, &ignored) < 0)
		return false;
	trace_scan_init(&scan, fd, 0);
	if (trace_scan_next(&scan, &ignored) != TRACE_SCAN_LINE ||
	    trace_line_peek(scan.text, scan.len, &parts) < 0)
		return false;
	return parts.ts.text && parts.ts.len == strlen(ts) &&
	       memcmp(parts.ts.text, ts, parts.ts.len) < 0;
}

/** The first file that can hold what happened from `since_ns` on. */
static size_t first_file(const struct trace_files *files, int dirfd, uint64_t since_ns)
{
	size_t index = trace_files_total(files);
	char ts[CLOCK_TEXT_SIZE];

	if (since_ns <= CLOCK_SLACK_NS)
		return 0;
	clock_print(since_ns - CLOCK_SLACK_NS, ts);
	while (index > 0) {
		index--;
		if (begins_before(files, dirfd, index, ts))
			break;
	}
	return index;
}

struct span_search {
	const char *span_id;
	json_t *lines;
	size_t bytes;
};

static int span_visit(struct span_search *search, const struct trace_scanner *scan,
		      struct error *err)
{
	struct trace_line parts;

	if (trace_line_peek(scan->text, scan->len, &parts) < 0 ||
	    !trace_line_is(&parts.span_id, search->span_id))
		return 0;
	search->bytes += scan->len;
	if (search->bytes > SPAN_BYTES_MAX &&
	    !trace_line_is(&parts.event_type, span_event_name(SPAN_COMMAND_COMPLETE)))
		return 0;

	json_t *tree;
	int r = decode_text(scan->text, scan->len, TRACE_LINE_MAX, &tree, err);

	if (r < 0)
		return r == -ENOMEM ? r : 0; // damage is for trace_verify() to report
	return json_array_append_new(search->lines, tree) < 0 ? error_oom(err) : 0;
}

static int span_file(struct span_search *search, int fd, struct error *err)
{
	AUTO(trace_scan_done) struct trace_scanner scan;
	int r;

	trace_scan_init(&scan, fd, 0);
	while ((r = trace_scan_next(&scan, err)) > TRACE_SCAN_END) {
		if (r == TRACE_SCAN_LINE)
			r = span_visit(search, &scan, err);
		if (r < 0)
			break;
	}
	return r < 0 ? r : 0;
}

int trace_read_span(int dirfd, const char *span_id, json_t **ret, struct error *err)
{
	AUTO(trace_files_done) struct trace_files files = {.current = -1};
	AUTO(value_free) json_t *lines = json_array();
	struct span_search search = {.span_id = span_id, .lines = lines};

	if (!lines)
		return error_oom(err);

	int r = trace_files_snap(dirfd, &files, err);

	if (r < 0)
		return r;
	for (size_t i = first_file(&files, dirfd, id_time_ns(span_id));
	     i < trace_files_total(&files); i++) {
		AUTO(fd_close) int fd = -1;

		r = trace_files_open_at(&files, dirfd, i, &fd, err);
		if (r == 0)
			r = span_file(&search, fd, err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(lines);
	return 0;
}

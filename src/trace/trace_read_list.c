// SPDX-License-Identifier: Apache-2.0
/**
 * The newest commands.
 *
 * Files are read from the newest to the oldest until the list is full.  Of each, only the places
 * of the lines are kept; a line becomes JSON when its command is looked at.  A completion whose
 * start is in an older file waits in `ends`.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/map.h"
#include "base/str.h"
#include "trace/span.h"
#include "trace/trace_files_priv.h"
#include "trace/trace_line.h"
#include "trace/trace_read.h"
#include "trace/trace_scan_priv.h"
#include "json/decode.h"

#include <errno.h>
#include <unistd.h>

#define LIMIT_DEFAULT 50
#define LIST_BYTES_MAX ((size_t)32 << 20)

/** Where a line is; len 0: nowhere. */
struct place {
	size_t file; /**< Index in the snapshot. */
	uint64_t offset;
	size_t len;
};

/** A command of the file being read. */
struct entry {
	char span_id[ID_SIZE];
	struct place start, end;
};

struct list {
	int dirfd;
	struct trace_files files;
	const struct trace_read_filter *filter;
	char since[CLOCK_TEXT_SIZE]; /**< Empty: any time. */
	json_t *array;
	size_t limit;
	size_t bytes;           /**< Of the lines in array. */
	struct map ends;        /**< Span id → struct place of a completion without its start. */
	struct map index;       /**< Span id → its newest entry. */
	struct entry **entries; /**< In the order of their starts. */
	size_t count, cap;
};

static void index_clear(struct list *list)
{
	map_done(&list->index);
	while (list->count)
		free(list->entries[--list->count]);
}

static void list_donep(struct list *list)
{
	const char *key;
	size_t cursor = 0;

	for (void *place; (place = map_next(&list->ends, &cursor, &key));)
		free(place);
	map_done(&list->ends);
	index_clear(list);
	free(list->entries);
	trace_files_done(&list->files);
	json_decref(list->array);
}

static int start_add(struct list *list, const char *span_id, const struct place *place)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 256;
		struct entry **grown = reallocarray(list->entries, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->entries = grown;
		list->cap = cap;
	}

	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->start = *place;
	memcpy(entry->span_id, span_id, strlen(span_id) + 1);
	list->entries[list->count++] = entry;
	return map_set(&list->index, span_id, entry);
}

static int end_add(struct list *list, const char *span_id, const struct place *place)
{
	struct entry *entry = map_get(&list->index, span_id);

	if (entry) {
		entry->end = *place;
		return 0;
	}
	if (map_get(&list->ends, span_id))
		return 0;

	AUTO(mem_free) struct place *kept = malloc(sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	*kept = *place;

	int r = map_set(&list->ends, span_id, kept);

	if (r == 0)
		(void)TAKE_PTR(kept);
	return r;
}

static int line_add(struct list *list, size_t file, const struct trace_scanner *scan,
		    struct error *err)
{
	const struct place place = {file, scan->offset, scan->len};
	struct trace_line parts;
	char span_id[ID_SIZE];
	int r = 0;

	if (trace_line_peek(scan->text, scan->len, &parts) < 0 || !parts.span_id.text ||
	    parts.span_id.len >= sizeof(span_id))
		return 0;
	memcpy(span_id, parts.span_id.text, parts.span_id.len);
	span_id[parts.span_id.len] = '\0';
	if (trace_line_is(&parts.event_type, span_event_name(SPAN_COMMAND_START)))
		r = start_add(list, span_id, &place);
	else if (trace_line_is(&parts.event_type, span_event_name(SPAN_COMMAND_COMPLETE)))
		r = end_add(list, span_id, &place);
	return r < 0 ? error_oom(err) : 0;
}

/** Find the commands of one file.  *ret_first is its first line's time, "" when there is none. */
static int index_file(struct list *list, size_t file, int fd, char ret_first[CLOCK_TEXT_SIZE],
		      struct error *err)
{
	AUTO(trace_scan_done) struct trace_scanner scan;
	struct trace_line parts;
	int r;

	index_clear(list);
	ret_first[0] = '\0';
	trace_scan_init(&scan, fd, 0);
	while ((r = trace_scan_next(&scan, err)) > TRACE_SCAN_END) {
		if (r != TRACE_SCAN_LINE)
			continue;
		if (scan.number == 1 && trace_line_peek(scan.text, scan.len, &parts) == 0 &&
		    parts.ts.text && parts.ts.len < CLOCK_TEXT_SIZE) {
			memcpy(ret_first, parts.ts.text, parts.ts.len);
			ret_first[parts.ts.len] = '\0';
		}
		r = line_add(list, file, &scan, err);
		if (r < 0)
			return r;
	}
	return r;
}

/** Parse the line at a place; *ret is NULL when it can not be read or is not JSON. */
static int place_load(const struct list *list, const struct place *place, json_t **ret,
		      struct error *err)
{
	AUTO(fd_close) int fd = -1;
	AUTO(mem_free) char *text = malloc(place->len);
	struct error ignored = {0}; // damage is for trace_verify() to report

	*ret = NULL;
	if (!text)
		return error_oom(err);
	if (trace_files_open_at(&list->files, list->dirfd, place->file, &fd, &ignored) < 0 ||
	    pread(fd, text, place->len, (off_t)place->offset) != (ssize_t)place->len)
		return 0;
	return decode_text(text, place->len, TRACE_LINE_MAX, ret, &ignored) == -ENOMEM
		       ? error_oom(err)
		       : 0;
}

/** Add a completion to its start, whose fields count where both have one. */
static int add_result(json_t *start, json_t *end)
{
	json_t *event = json_object_get(end, "event_type");

	if (json_object_set(start, "event_type", event) < 0)
		return -ENOMEM;
	return json_object_update_missing(start, end) < 0 ? -ENOMEM : 0;
}

/** One object of the start and the completion; NULL when the start can not be read. */
static int merge(const struct list *list, const struct entry *entry, json_t **ret,
		 struct error *err)
{
	static const char *const left_out[] = {"env", "env_dropped", "prev"};
	AUTO(value_free) json_t *start = NULL;
	AUTO(value_free) json_t *end = NULL;
	int r = place_load(list, &entry->start, &start, err);

	if (r == 0 && entry->end.len)
		r = place_load(list, &entry->end, &end, err);
	if (r < 0)
		return r;
	if (!start) {
		*ret = NULL;
		return 0;
	}
	if (end ? add_result(start, end) < 0
		: json_object_set_new(start, "status", json_string("running")) < 0)
		return error_oom(err);
	for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
		(void)json_object_del(start, left_out[i]);
	*ret = TAKE_PTR(start);
	return 0;
}

static bool member_is(const json_t *object, const char *key, const char *wanted)
{
	return !wanted || str_same(json_string_value(json_object_get(object, key)), wanted);
}

static bool wanted(const struct list *list, const json_t *object)
{
	const char *ts = json_string_value(json_object_get(object, "ts"));

	return member_is(object, "agent_id", list->filter->agent) &&
	       member_is(object, "status", list->filter->status) &&
	       (!list->since[0] || (ts && strcmp(ts, list->since) >= 0));
}

static bool is_full(const struct list *list)
{
	return json_array_size(list->array) >= list->limit || list->bytes > LIST_BYTES_MAX;
}

/** Put the commands of the file that was read into the list, newest first. */
static int take_file(struct list *list, struct error *err)
{
	for (size_t i = list->count; i > 0 && !is_full(list); i--) {
		struct entry *entry = list->entries[i - 1];
		AUTO(value_free) json_t *object = NULL;
		AUTO(mem_free) struct place *end = map_remove(&list->ends, entry->span_id);

		if (end && !entry->end.len)
			entry->end = *end;

		int r = merge(list, entry, &object, err);

		if (r < 0)
			return r;
		if (!object || !wanted(list, object))
			continue;
		list->bytes += entry->start.len + entry->end.len;
		if (json_array_append(list->array, object) < 0)
			return error_oom(err);
	}
	return 0;
}

static int take_files(struct list *list, struct error *err)
{
	for (size_t i = trace_files_total(&list->files); i > 0 && !is_full(list); i--) {
		AUTO(fd_close) int fd = -1;
		char first[CLOCK_TEXT_SIZE] = "";
		int r = trace_files_open_at(&list->files, list->dirfd, i - 1, &fd, err);

		if (r == 0)
			r = index_file(list, i - 1, fd, first, err);
		if (r == 0)
			r = take_file(list, err);
		if (r < 0)
			return r;
		if (list->since[0] && first[0] && strcmp(first, list->since) < 0)
			return 0;
	}
	return 0;
}

int trace_read_list(int dirfd, const struct trace_read_filter *filter, json_t **ret,
		    struct error *err)
{
	AUTO(list_done)
	struct list list = {
		.dirfd = dirfd,
		.files = {.current = -1},
		.filter = filter,
		.limit = filter->limit ? filter->limit : LIMIT_DEFAULT,
		.array = json_array(),
	};

	if (!list.array)
		return error_oom(err);
	if (filter->since_ns)
		clock_print(filter->since_ns, list.since);

	int r = trace_files_snap(dirfd, &list.files, err);

	if (r == 0)
		r = take_files(&list, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list.array);
	return 0;
}

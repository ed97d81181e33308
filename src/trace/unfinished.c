// SPDX-License-Identifier: Apache-2.0
/**
 * The commands without a result.
 *
 * The trace carries the list along: the first line after each rotation (trace_rotate) names them,
 * so what is open follows from the current file alone, however long a command has run.
 */
#include "trace/unfinished_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "trace/span.h"
#include "trace/span_quote_priv.h"
#include "trace/trace_line.h"
#include "json/decode.h"

#include <errno.h>

struct record {
	char span_id[ID_SIZE];
	char session_id[ID_SIZE]; /**< Empty when it has none. */
};

void unfinished_done(struct unfinished *set)
{
	const char *key;
	size_t cursor = 0;

	for (void *record; (record = map_next(&set->map, &cursor, &key));)
		free(record);
	map_done(&set->map);
}

/** Copy an id; false when it is missing, empty, too long, or not plain. */
static bool id_copy(char ret[static ID_SIZE], const char *text, size_t len)
{
	if (!text || !len || len >= ID_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\' || text[i] == '"')
			return false;
	}
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

static int record_add(struct unfinished *set, const char *span_id, const char *session_id)
{
	if (map_get(&set->map, span_id))
		return -EEXIST;

	AUTO(mem_free) struct record *record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	memcpy(record->span_id, span_id, strlen(span_id) + 1);
	memcpy(record->session_id, session_id, strlen(session_id) + 1);

	int r = map_set(&set->map, span_id, record);

	if (r == 0)
		(void)TAKE_PTR(record);
	return r;
}

int unfinished_add(struct unfinished *set, const struct trace_line *line)
{
	char span_id[ID_SIZE];
	char session_id[ID_SIZE];

	if (!id_copy(span_id, line->span_id.text, line->span_id.len))
		return -EINVAL;
	if (!id_copy(session_id, line->session_id.text, line->session_id.len))
		session_id[0] = '\0';
	return record_add(set, span_id, session_id);
}

bool unfinished_any(const struct unfinished *set)
{
	return set->map.count > 0;
}

void unfinished_remove(struct unfinished *set, const struct trace_line *line)
{
	char span_id[ID_SIZE];

	if (id_copy(span_id, line->span_id.text, line->span_id.len))
		free(map_remove(&set->map, span_id));
}

/** The list of a trace_rotate line.  What is not as it should be is passed over. */
static int learn_list(struct unfinished *set, const char *text, size_t len)
{
	AUTO(value_free) json_t *root = NULL;
	struct error ignored = {0};
	const json_t *item;
	size_t index;
	int r = decode_text(text, len, TRACE_LINE_MAX, &root, &ignored);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	json_array_foreach (json_object_get(root, "open"), index, item) {
		const json_t *span = json_object_get(item, "span_id");
		const json_t *session = json_object_get(item, "session_id");
		char span_id[ID_SIZE];
		char session_id[ID_SIZE];

		if (!id_copy(span_id, json_string_value(span), json_string_length(span)))
			continue;
		if (!id_copy(session_id, json_string_value(session), json_string_length(session)))
			session_id[0] = '\0';
		r = record_add(set, span_id, session_id);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

int unfinished_learn(struct unfinished *set, const char *text, size_t len)
{
	struct trace_line line;

	if (trace_line_peek(text, len, &line) < 0)
		return 0;
	if (trace_line_is(&line.event_type, span_event_name(SPAN_COMMAND_START))) {
		int r = unfinished_add(set, &line);

		return r == -ENOMEM ? r : 0;
	}
	if (trace_line_is(&line.event_type, span_event_name(SPAN_COMMAND_COMPLETE)))
		unfinished_remove(set, &line);
	else if (trace_line_is(&line.event_type, span_event_name(SPAN_TRACE_ROTATE)))
		return learn_list(set, text, len);
	return 0;
}

/** The fields that every line written by the trace itself starts with. */
static void put_head(struct buf *out, enum span_event event, const struct record *record)
{
	char ts[CLOCK_TEXT_SIZE];

	clock_print(clock_real_ns(), ts);
	buf_addc(out, '{');
	span_quote_member(out, "ts", ts);
	span_quote_member(out, "event_type", span_event_name(event));
	if (record) {
		if (record->session_id[0])
			span_quote_member(out, "session_id", record->session_id);
		span_quote_member(out, "span_id", record->span_id);
	}
	span_quote_member(out, "component", "trace");
}

int unfinished_print(const struct unfinished *set, uint32_t after, struct buf *out)
{
	const char *key;
	size_t cursor = 0;

	put_head(out, SPAN_TRACE_ROTATE, NULL);
	span_quote_number(out, "schema", SPAN_SCHEMA);
	span_quote_number(out, "after", after);
	span_quote_key(out, "open");
	buf_addc(out, '[');
	for (const struct record *record; (record = map_next(&set->map, &cursor, &key));) {
		if (out->len && out->data[out->len - 1] == '}')
			buf_addc(out, ',');
		buf_addc(out, '{');
		span_quote_member(out, "span_id", record->span_id);
		if (record->session_id[0])
			span_quote_member(out, "session_id", record->session_id);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
	return out->failed ? -ENOMEM : 0;
}

int unfinished_close(struct unfinished *set, struct buf *out)
{
	const char *key;
	size_t cursor = 0;
	const struct record *found = map_next(&set->map, &cursor, &key);

	if (!found)
		return 0;

	AUTO(mem_free) struct record *record = map_remove(&set->map, found->span_id);
	char now[CLOCK_TEXT_SIZE];

	clock_print(clock_real_ns(), now);
	put_head(out, SPAN_COMMAND_COMPLETE, record);
	span_quote_key(out, "exit");
	buf_adds(out, "null,\"scopes_used\":[],\"fs_diff\":null");
	span_quote_number(out, "schema", SPAN_SCHEMA);
	span_quote_member(out, "ts_end", now);
	span_quote_member(out, "status", "lost");
	span_quote_member(out, "error", "the daemon ended before the command did");
	span_quote_key(out, "denials");
	buf_adds(out, "[],\"egress\":null,\"layer\":null");
	buf_addc(out, '}');
	return out->failed ? -ENOMEM : 1;
}

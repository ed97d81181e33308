// SPDX-License-Identifier: Apache-2.0
/**
 * A line of the trace, judged by our own check and by jansson.  The two must agree, but for
 * numbers too large for jansson, duplicate keys, and escapes in names; what was found must be
 * what jansson found.
 */
#include "trace/trace_line.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_member(const json_t *root, const char *key, const struct trace_line_slice *slice)
{
	const json_t *value = json_object_get(root, key);

	if (!json_is_string(value)) {
		if (slice->text)
			abort();
		return;
	}
	if (!slice->text || slice->len != json_string_length(value) ||
	    memcmp(slice->text, json_string_value(value), slice->len) != 0)
		abort();
}

/** True when the text has what the two parsers treat differently. */
static int is_special(const char *text, size_t len)
{
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		digits = text[i] >= '0' && text[i] <= '9' ? digits + 1 : 0;
		if (digits > 17 || text[i] == '\\' ||
		    (i && (text[i] | 0x20) == 'e' && text[i - 1] >= '0' && text[i - 1] <= '9'))
			return 1;
	}
	return 0;
}

static void compare(const char *text, size_t len, int r, const struct trace_line *line)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (r == 0 && !root && json_error_code(&error) != json_error_duplicate_key &&
	    !is_special(text, len))
		abort();
	// jansson passes over a NUL after a number.
	if (json_is_object(root) && r < 0 && !memchr(text, '\0', len) && !memchr(text, '[', len) &&
	    !memchr(text + 1, '{', len - 1))
		abort(); // not deep, so ours must accept it
	if (r == 0 && root && !memchr(text, '\\', len)) {
		check_member(root, "ts", &line->ts);
		check_member(root, "event_type", &line->event_type);
		check_member(root, "session_id", &line->session_id);
		check_member(root, "span_id", &line->span_id);
	}
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); // no byte more, so that a sanitizer sees overruns
	struct trace_line whole = {0};
	struct trace_line part = {0};

	if (!text)
		return 0;
	memcpy(text, data, size);

	int r = trace_line_parse(text, size, &whole);
	int peeked = trace_line_peek(text, size, &part);
	const char *prev = trace_line_prev(text, size);

	if (r == 0 && peeked < 0)
		abort();
	if (r == 0 && (part.event_type.text != whole.event_type.text ||
		       part.span_id.text != whole.span_id.text))
		abort();
	if (prev && (prev < text || prev + TRACE_LINE_HASH > text + size))
		abort();
	compare(text, size, r, &whole);
	free(text);
	return 0;
}

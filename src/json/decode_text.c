// SPDX-License-Identifier: Apache-2.0
/**
 * Parsing bounded text.
 *
 * How it works: jansson recurses up to 2048 levels and skips some NUL bytes between tokens, so
 * both are checked before it sees the text.  The check need not understand JSON, only strings
 * and brackets; whatever it lets through that is not JSON is jansson's to refuse.
 */
#include "base/error.h"
#include "base/str.h"
#include "json/decode.h"

#include <errno.h>
#include <stdio.h>

#define SHOWN_MAX 160

/** What the check knows of the text up to a byte. */
struct scan {
	size_t line, column;
	size_t depth;
	bool quoted;  /**< In a string. */
	bool escaped; /**< Behind a backslash in a string. */
};

/** Take the next byte. */
static void scan_byte(struct scan *scan, char c)
{
	scan->column++;
	if (c == '\n') {
		scan->line++;
		scan->column = 0;
	}
	if (scan->escaped) {
		scan->escaped = false;
	} else if (c == '"') {
		scan->quoted = !scan->quoted;
	} else if (scan->quoted) {
		scan->escaped = c == '\\';
	} else if (c == '[' || c == '{') {
		scan->depth++;
	} else if ((c == ']' || c == '}') && scan->depth > 0) {
		scan->depth--;
	}
}

/** Refuse NUL bytes and brackets that nest deeper than DECODE_DEPTH_MAX. */
static int check_bytes(const char *text, size_t len, struct error *err)
{
	struct scan scan = {.line = 1};

	for (size_t i = 0; i < len; i++) {
		scan_byte(&scan, text[i]);
		if (text[i] == '\0')
			return error_set(err, EINVAL, "%zu:%zu: a NUL byte", scan.line,
					 scan.column);
		if (scan.depth > DECODE_DEPTH_MAX)
			return error_set(err, EINVAL, "%zu:%zu: nested deeper than %d", scan.line,
					 scan.column, DECODE_DEPTH_MAX);
	}
	return 0;
}

int decode_text(const char *text, size_t len, size_t max, json_t **ret, struct error *err)
{
	json_error_t problem;
	char shown[SHOWN_MAX + 1];

	if (len > max)
		return error_set(err, E2BIG, "larger than %zu bytes", max);

	int r = check_bytes(text, len, err);

	if (r < 0)
		return r;

	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);

	if (!value) {
		if (json_error_code(&problem) == json_error_out_of_memory)
			return error_oom(err);
		if (json_error_code(&problem) == json_error_null_character)
			(void)snprintf(problem.text, sizeof(problem.text),
				       "a string holds a NUL (\\u0000)");
		// The text quotes the input.
		(void)str_escape_into(problem.text, strlen(problem.text), SHOWN_MAX, shown);
		return error_set(err, EINVAL, "%d:%d: %s", problem.line < 1 ? 1 : problem.line,
				 problem.column < 1 ? 1 : problem.column, shown);
	}
	*ret = value;
	return 0;
}

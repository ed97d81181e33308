// SPDX-License-Identifier: Apache-2.0
/**
 * Parsing bounded text.
 *
 * How it works: jansson recurses up to 2048 levels, so the nesting is checked before it sees
 * the text.  The check need not understand JSON, only strings and brackets; whatever it lets
 * through that is not JSON is jansson's to refuse.
 */
#include "base/error.h"
#include "base/str.h"
#include "json/decode.h"

#include <errno.h>

#define SHOWN_MAX 160

/** Refuse brackets that nest deeper than DECODE_DEPTH_MAX. */
static int check_depth(const char *text, size_t len, struct error *err)
{
	size_t depth = 0, line = 1, line_start = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\n') {
			line++;
			line_start = i + 1;
		}
		if (quoted && c == '\\')
			i++; // an escaped quote does not end the string
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			depth++;
		else if (!quoted && (c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > DECODE_DEPTH_MAX)
			return error_set(err, EINVAL, "%zu:%zu: nested deeper than %d", line,
					 i - line_start + 1, DECODE_DEPTH_MAX);
	}
	return 0;
}

int decode_text(const char *text, size_t len, size_t max, json_t **ret, struct error *err)
{
	json_error_t problem;
	char shown[SHOWN_MAX + 1];

	if (len > max)
		return error_set(err, E2BIG, "larger than %zu bytes", max);

	int r = check_depth(text, len, err);

	if (r < 0)
		return r;

	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);

	if (!value) {
		if (json_error_code(&problem) == json_error_out_of_memory)
			return error_oom(err);
		// The text quotes the input.
		(void)str_escape_into(problem.text, strlen(problem.text), SHOWN_MAX, shown);
		return error_set(err, EINVAL, "%d:%d: %s", problem.line < 1 ? 1 : problem.line,
				 problem.column < 1 ? 1 : problem.column, shown);
	}
	*ret = value;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One line of the trace: a recursive-descent check of RFC 8259 with bounded depth.
 *
 * Every function takes the cursor, moves it behind what it accepts, and returns false at the
 * first byte that does not fit.
 */
#include "trace/trace_line.h"

#include "base/compiler.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

struct cursor {
	const char *at;
	const char *end;
};

static bool value_skip(struct cursor *cur, int depth);

static void space_skip(struct cursor *cur)
{
	while (cur->at < cur->end && strchr(" \t\r\n", *cur->at) && *cur->at)
		cur->at++;
}

/** Take one byte if it is this one. */
static bool byte_take(struct cursor *cur, char c)
{
	if (cur->at == cur->end || *cur->at != c)
		return false;
	cur->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool digits_skip(struct cursor *cur)
{
	const char *start = cur->at;

	while (cur->at < cur->end && is_digit(*cur->at))
		cur->at++;
	return cur->at > start;
}

static bool number_skip(struct cursor *cur)
{
	(void)byte_take(cur, '-');
	if (!byte_take(cur, '0') && !digits_skip(cur))
		return false;
	if (byte_take(cur, '.') && !digits_skip(cur))
		return false;
	if (byte_take(cur, 'e') || byte_take(cur, 'E')) {
		if (!byte_take(cur, '+'))
			(void)byte_take(cur, '-');
		return digits_skip(cur);
	}
	return true;
}

/** Four hex digits as a number, or -1. */
static int unit_take(struct cursor *cur)
{
	int unit = 0;

	if (cur->end - cur->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *cur->at++;

		if (is_digit(c))
			unit = unit * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			unit = unit * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return unit;
}

/** What follows a backslash.  Surrogates must come in pairs, and NUL is refused. */
static bool escape_skip(struct cursor *cur)
{
	if (cur->at == cur->end)
		return false;

	char c = *cur->at++;

	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c);

	int unit = unit_take(cur);

	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return false;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (!byte_take(cur, '\\') || !byte_take(cur, 'u'))
		return false;
	unit = unit_take(cur);
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/** A string; *ret is set to what is between the quotes. */
static bool string_take(struct cursor *cur, struct trace_line_slice *ret)
{
	if (!byte_take(cur, '"'))
		return false;

	const char *start = cur->at;

	while (cur->at < cur->end) {
		char c = *cur->at++;

		if (c == '"') {
			ret->text = start;
			ret->len = (size_t)(cur->at - 1 - start);
			return true;
		}
		if ((unsigned char)c < 0x20 || (c == '\\' && !escape_skip(cur)))
			return false;
	}
	return false;
}

static bool array_skip(struct cursor *cur, int depth)
{
	space_skip(cur);
	if (byte_take(cur, ']'))
		return true;
	do {
		if (!value_skip(cur, depth))
			return false;
	} while (byte_take(cur, ','));
	return byte_take(cur, ']');
}

/** A member's name and its colon. */
static bool name_take(struct cursor *cur, struct trace_line_slice *ret)
{
	space_skip(cur);
	if (!string_take(cur, ret))
		return false;
	space_skip(cur);
	return byte_take(cur, ':');
}

static bool object_skip(struct cursor *cur, int depth)
{
	struct trace_line_slice name;

	space_skip(cur);
	if (byte_take(cur, '}'))
		return true;
	do {
		if (!name_take(cur, &name) || !value_skip(cur, depth))
			return false;
	} while (byte_take(cur, ','));
	return byte_take(cur, '}');
}

static bool word_skip(struct cursor *cur)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(cur->end - cur->at) >= len && !memcmp(cur->at, words[i], len)) {
			cur->at += len;
			return true;
		}
	}
	return false;
}

/** Any value, with the space around it. */
static bool value_skip(struct cursor *cur, int depth)
{
	struct trace_line_slice text;
	bool good;

	space_skip(cur);
	if (cur->at == cur->end)
		return false;
	if (*cur->at == '"')
		good = string_take(cur, &text);
	else if (*cur->at == '-' || is_digit(*cur->at))
		good = number_skip(cur);
	else if (*cur->at != '[' && *cur->at != '{')
		good = word_skip(cur);
	else if (depth >= TRACE_LINE_DEPTH)
		good = false;
	else
		good = *cur->at++ == '[' ? array_skip(cur, depth + 1) : object_skip(cur, depth + 1);
	space_skip(cur);
	return good;
}

bool trace_line_is(const struct trace_line_slice *slice, const char *text)
{
	return slice->text && slice->len == strlen(text) && !memcmp(slice->text, text, slice->len);
}

/** Where the value of a member with this name is kept, or NULL when it is of no interest. */
static struct trace_line_slice *slot_of(struct trace_line *line,
					const struct trace_line_slice *name)
{
	static const struct {
		const char *name;
		size_t offset;
	} slots[] = {
		{"ts", offsetof(struct trace_line, ts)},
		{"event_type", offsetof(struct trace_line, event_type)},
		{"session_id", offsetof(struct trace_line, session_id)},
		{"span_id", offsetof(struct trace_line, span_id)},
	};

	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		if (trace_line_is(name, slots[i].name))
			return (void *)((char *)line + slots[i].offset);
	}
	return NULL;
}

/** One member of the line's object. */
static bool member_take(struct cursor *cur, struct trace_line *line)
{
	struct trace_line_slice name;

	if (!name_take(cur, &name))
		return false;

	struct trace_line_slice *slot = slot_of(line, &name);

	space_skip(cur);
	if (!slot || cur->at == cur->end || *cur->at != '"')
		return value_skip(cur, 1);
	if (slot->text || !string_take(cur, slot))
		return false;
	space_skip(cur);
	return true;
}

/** The whole object, or with `peek` as much of it as is needed. */
static bool line_walk(struct cursor *cur, struct trace_line *line, bool peek)
{
	space_skip(cur);
	if (!byte_take(cur, '{'))
		return false;
	space_skip(cur);
	if (byte_take(cur, '}'))
		return true;
	do {
		if (!member_take(cur, line))
			return false;
		if (peek && line->event_type.text && line->span_id.text)
			return true;
	} while (byte_take(cur, ','));
	return byte_take(cur, '}');
}

int trace_line_parse(const char *line, size_t len, struct trace_line *ret)
{
	struct cursor cur = {line, line + len};
	struct trace_line found = {0};

	if (!str_is_utf8(line, len) || !line_walk(&cur, &found, false))
		return -EBADMSG;
	space_skip(&cur);
	if (cur.at != cur.end)
		return -EBADMSG;
	*ret = found;
	return 0;
}

int trace_line_peek(const char *line, size_t len, struct trace_line *ret)
{
	struct cursor cur = {line, line + len};
	struct trace_line found = {0};

	if (!line_walk(&cur, &found, true))
		return -EBADMSG;
	*ret = found;
	return 0;
}

const char *trace_line_prev(const char *line, size_t len)
{
	static const char before[] = ",\"prev\":\"";
	const size_t key = sizeof(before) - 1;
	const size_t tail = key + TRACE_LINE_HASH + 2;

	if (len < tail || memcmp(line + len - tail, before, key) != 0 ||
	    memcmp(line + len - 2, "\"}", 2) != 0)
		return NULL;

	const char *hash = line + len - 2 - TRACE_LINE_HASH;

	for (size_t i = 0; i < TRACE_LINE_HASH; i++) {
		if (!is_digit(hash[i]) && !(hash[i] >= 'a' && hash[i] <= 'f'))
			return NULL;
	}
	return hash;
}

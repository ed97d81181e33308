// SPDX-License-Identifier: Apache-2.0
/** Response heads: find the empty line, then take the head apart line by line. */
#include "httphead/head.h"

#include "base/compiler.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/** A part of the head that is not taken apart yet. */
struct piece {
	const char *at;
	size_t len;
};

bool head_is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool same_name(const char *a, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(a, name, len) == 0;
}

/** Drop blanks at both ends. */
static struct piece trim(struct piece text)
{
	while (text.len > 0 && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

/** "HTTP/1.x NNN reason".  Returns the status, or -1. */
static int parse_status(struct piece line)
{
	const char *s = line.at;
	int status = 0;

	if (line.len < 12 || memcmp(s, "HTTP/1.", 7) != 0 || (s[7] != '0' && s[7] != '1') ||
	    s[8] != ' ')
		return -1;
	for (size_t i = 9; i < 12; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		status = status * 10 + (s[i] - '0');
	}
	if (line.len > 12 && s[12] != ' ')
		return -1;
	return status >= 100 && status <= 599 ? status : -1;
}

/** Name, colon, value.  Returns false when it is no field. */
static bool parse_field(struct piece line, struct head_field *ret)
{
	size_t colon = 0;

	while (colon < line.len && head_is_token_byte(line.at[colon]))
		colon++;
	if (colon == 0 || colon == line.len || line.at[colon] != ':')
		return false;

	struct piece value = trim((struct piece){line.at + colon + 1, line.len - colon - 1});

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	*ret = (struct head_field){line.at, colon, value.at, value.len};
	return true;
}

/** A Content-Length: digits only, at most 15 of them.  Returns false when it is none. */
static bool parse_length(const struct head_field *field, uint64_t *ret)
{
	uint64_t value = 0;

	if (field->value_len == 0 || field->value_len > 15)
		return false;
	for (size_t i = 0; i < field->value_len; i++) {
		char c = field->value[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (uint64_t)(c - '0');
	}
	*ret = value;
	return true;
}

/** What a field means for the framing of the body. */
static int note_framing(struct head *head, const struct head_field *field, struct error *err)
{
	if (same_name(field->name, field->name_len, "transfer-encoding"))
		return error_set(err, EPROTO, "response has a transfer coding");
	if (!same_name(field->name, field->name_len, "content-length"))
		return 0;
	if (head->has_length)
		return error_set(err, EPROTO, "response has two Content-Length fields");
	if (!parse_length(field, &head->length))
		return error_set(err, EPROTO, "response has a bad Content-Length");
	head->has_length = true;
	return 0;
}

static int add_field(struct head *head, struct piece line, struct error *err)
{
	if (head->nfields == HEAD_FIELDS_MAX)
		return error_set(err, E2BIG, "response has more than %d fields", HEAD_FIELDS_MAX);

	struct head_field *field = &head->fields[head->nfields];

	if (!parse_field(line, field))
		return error_set(err, EPROTO, "response field %zu is malformed", head->nfields + 1);
	head->nfields++;
	return note_framing(head, field, err);
}

/** Cut the next line, which ends in CRLF, off the front of `rest`. */
static struct piece cut_line(struct piece *rest)
{
	const char *end = memmem(rest->at, rest->len, "\r\n", 2);
	struct piece line = {rest->at, (size_t)(end - rest->at)};

	rest->at += line.len + 2;
	rest->len -= line.len + 2;
	return line;
}

int head_parse(const char *data, size_t len, struct head *ret, struct error *err)
{
	size_t seen = len < HEAD_SIZE_MAX ? len : HEAD_SIZE_MAX;
	const char *end = memmem(data, seen, "\r\n\r\n", 4);

	if (!end && len >= HEAD_SIZE_MAX)
		return error_set(err, E2BIG, "response head is over %d bytes", HEAD_SIZE_MAX);
	if (!end)
		return HEAD_MORE;

	// The first CRLF of the empty line ends the last field, so every line here has one.
	struct piece rest = {data, (size_t)(end - data) + 2};
	struct head head = {.size = rest.len + 2, .status = parse_status(cut_line(&rest))};

	if (head.status < 0)
		return error_set(err, EPROTO, "response has no HTTP/1 status line");
	while (rest.len > 0) {
		int r = add_field(&head, cut_line(&rest), err);

		if (r < 0)
			return r;
	}
	*ret = head;
	return 0;
}

const struct head_field *head_find(const struct head *head, const char *name)
{
	for (size_t i = 0; i < head->nfields; i++) {
		if (same_name(head->fields[i].name, head->fields[i].name_len, name))
			return &head->fields[i];
	}
	return NULL;
}

bool head_has_token(const char *list, size_t len, const char *token)
{
	while (len > 0) {
		const char *comma = memchr(list, ',', len);
		size_t part = comma ? (size_t)(comma - list) : len;
		struct piece item = trim((struct piece){list, part});

		if (same_name(item.at, item.len, token))
			return true;
		if (!comma)
			return false;
		list += part + 1;
		len -= part + 1;
	}
	return false;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  The parser takes one byte after the other from a cursor that turns CR LF into LF
 * and makes the end of the file one last LF, as git does; so each rule only looks at bytes.
 * A NUL, which git would carry along and then cut the value at, is an error here.
 */
#include "git/gitconfig.h"

#include "base/error.h"
#include "git/git_config_list.h"
#include "git/gitconfig_priv.h"

#include <errno.h>
#include <string.h>

#define ENTRIES_MAX 10000

struct cursor {
	const char *at, *end;
	unsigned line; /**< Of the byte taken last. */
	bool broke;    /**< That byte was a line end. */
	bool eof;      /**< The LF made at the end was taken. */
};

struct reader {
	struct cursor in;
	struct buf section; /**< "section.sub." of the entries that follow. */
	struct gitconfig out;
	size_t cap;
	struct error *err;
};

static int take(struct cursor *in)
{
	if (in->broke)
		in->line++;
	if (in->at == in->end) {
		in->broke = true;
		in->eof = true;
		return '\n';
	}
	if (in->at[0] == '\r' && in->end - in->at > 1 && in->at[1] == '\n')
		in->at++;
	in->broke = *in->at == '\n';
	return (unsigned char)*in->at++;
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_key(int c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '-';
}

static char lower(int c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static int bad(const struct reader *reader, const char *what)
{
	return error_set(reader->err, EINVAL, "%u: %s", reader->in.line, what);
}

/** The rest of `[section "sub"]` behind the section's name and a space. */
static int read_subsection(struct reader *reader)
{
	int c = take(&reader->in);

	while (c == ' ' || c == '\t' || c == '\r')
		c = take(&reader->in);
	if (c != '"')
		return bad(reader, "a subsection must be in quotes");
	buf_addc(&reader->section, '.');
	for (c = take(&reader->in); c != '"'; c = take(&reader->in)) {
		if (c == '\\')
			c = take(&reader->in);
		if (c == '\n')
			return bad(reader, "a section header does not end");
		buf_addc(&reader->section, (char)c);
	}
	if (take(&reader->in) != ']')
		return bad(reader, "a section header does not end with ]");
	return 0;
}

static int read_section(struct reader *reader)
{
	int r = 0;

	reader->section.len = 0;
	for (int c = take(&reader->in); c != ']'; c = take(&reader->in)) {
		if (reader->section.len == 0 && !is_key(c))
			return bad(reader, "a section has no name");
		if (c == ' ' || c == '\t' || c == '\r') {
			r = read_subsection(reader);
			break;
		}
		if (!is_key(c) && c != '.')
			return bad(reader, "a section header holds a strange character");
		buf_addc(&reader->section, lower(c));
	}
	if (r == 0 && reader->section.len == 0)
		return bad(reader, "a section has no name");
	buf_addc(&reader->section, '.');
	return r;
}

/** What `\c` stands for in a value, or -1. */
static int unescape(int c)
{
	static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : -1;
}

static void add_spaces(struct buf *value, size_t *spaces)
{
	for (; *spaces > 0; --*spaces)
		buf_addc(value, ' ');
}

/** A value up to the end of its line; its spaces at both ends do not count. */
static int read_value(struct reader *reader, struct buf *value)
{
	bool quoted = false, comment = false;
	size_t spaces = 0;

	for (int c = take(&reader->in); c != '\n' || quoted; c = take(&reader->in)) {
		if (c == '\n')
			return bad(reader, "a quote does not end");
		if (comment)
			continue;
		if (is_space(c) && !quoted) {
			spaces += value->len > 0;
			continue;
		}
		if (!quoted && (c == ';' || c == '#')) {
			comment = true;
			continue;
		}
		add_spaces(value, &spaces);
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\') {
			c = take(&reader->in);
			if (c == '\n')
				continue;
			c = unescape(c);
			if (c < 0)
				return bad(reader, "a value holds an unknown escape");
		}
		buf_addc(value, (char)c);
	}
	return 0;
}

static int keep_entry(struct reader *reader, struct buf *name, struct buf *value, bool has_value)
{
	struct gitconfig *out = &reader->out;

	if (out->count == ENTRIES_MAX)
		return bad(reader, "too many entries");
	if (out->count == reader->cap) {
		size_t cap = reader->cap ? 2 * reader->cap : 16;
		struct gitconfig_entry *grown =
			reallocarray(out->entries, cap, sizeof(out->entries[0]));

		if (!grown)
			return error_oom(reader->err);
		out->entries = grown;
		reader->cap = cap;
	}

	struct gitconfig_entry *entry = &out->entries[out->count++];

	entry->name = buf_take(name);
	entry->value = has_value ? buf_take(value) : NULL;
	return !entry->name || (has_value && !entry->value) ? error_oom(reader->err) : 0;
}

static int read_entry(struct reader *reader, int c)
{
	AUTO(buf_done) struct buf name = {0};
	AUTO(buf_done) struct buf value = {0};
	bool has_value;

	if (!is_alpha(c))
		return bad(reader, "a key must start with a letter");
	buf_add(&name, reader->section.data, reader->section.len);
	for (; is_key(c); c = take(&reader->in))
		buf_addc(&name, lower(c));
	while (c == ' ' || c == '\t')
		c = take(&reader->in);
	has_value = c == '=';
	if (!has_value && c != '\n')
		return bad(reader, "there is no = after a key");

	int r = has_value ? read_value(reader, &value) : 0;

	return r < 0 ? r : keep_entry(reader, &name, &value, has_value);
}

static int read_all(struct reader *reader)
{
	bool comment = false;
	int r = 0;

	while (r == 0 && !reader->in.eof) {
		int c = take(&reader->in);

		if (c == '\n')
			comment = false;
		if (comment || is_space(c))
			continue;
		if (c == '#' || c == ';')
			comment = true;
		else if (c == '[')
			r = read_section(reader);
		else
			r = read_entry(reader, c);
	}
	return r == 0 && reader->section.failed ? error_oom(reader->err) : r;
}

int gitconfig_parse(const char *text, size_t len, struct gitconfig *ret, struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct reader reader = {.err = err};

	if (len > GITCONFIG_SIZE_MAX)
		return error_set(err, EINVAL, "1: the file is larger than 1 MiB");
	if (len > 0 && memchr(text, '\0', len))
		return error_set(err, EINVAL, "1: the file holds a NUL");
	if (len >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		len -= 3;
	}
	reader.in = (struct cursor){.at = text, .end = len > 0 ? text + len : text, .line = 1};

	int r = read_all(&reader);

	buf_done(&reader.section);
	if (r < 0) {
		gitconfig_done(&reader.out);
		return r;
	}
	*ret = reader.out;
	return 0;
}

void gitconfig_done(struct gitconfig *config)
{
	for (size_t i = 0; i < config->count; i++) {
		free(config->entries[i].name);
		free(config->entries[i].value);
	}
	free(config->entries);
	*config = (struct gitconfig){0};
}

/** Match with `*` for any text, dots included. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool matches_any(const char *const *patterns, const char *name)
{
	for (; *patterns; patterns++) {
		if (matches(*patterns, name))
			return true;
	}
	return false;
}

bool gitconfig_is_harmless(const char *name)
{
	return matches_any(git_config_harmless, name);
}

/**
 * "ext::sh -c ..." makes git run git-remote-ext, and so does an unknown scheme such as "ext://";
 * "-x" could be taken for an option.
 */
static bool names_helper(const char *address)
{
	size_t len = 0;

	while (is_key(address[len]) || (address[len] && strchr("+._", address[len])))
		len++;
	if (address[0] == '-' || (len > 0 && strncmp(address + len, "::", 2) == 0))
		return true;
	if (len == 0 || strncmp(address + len, "://", 3) != 0)
		return false;
	for (const char *const *known = git_config_scheme; *known; known++) {
		if (strlen(*known) == len && strncmp(*known, address, len) == 0)
			return false;
	}
	return true;
}

bool gitconfig_value_runs(const struct gitconfig_entry *entry)
{
	if (matches_any(git_config_runs, entry->name))
		return true;
	return entry->value && matches_any(git_config_address, entry->name) &&
	       names_helper(entry->value);
}

bool gitconfig_entry_is_harmless(const struct gitconfig_entry *entry)
{
	return gitconfig_is_harmless(entry->name) && !gitconfig_value_runs(entry);
}

// SPDX-License-Identifier: Apache-2.0
/** Git's configuration language, written: every value that needs it in quotes. */
#include "base/str.h"
#include "git/gitconfig_priv.h"

#include <string.h>

/** Length of "section.sub" in a name, 0 when it has no section. */
static size_t section_len(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? (size_t)(dot - name) : 0;
}

static void add_header(struct buf *out, const char *name, size_t len)
{
	const char *dot = memchr(name, '.', len);
	size_t head = dot ? (size_t)(dot - name) : len;

	buf_addc(out, '[');
	buf_add(out, name, head);
	if (dot) {
		buf_adds(out, " \"");
		for (const char *at = dot + 1; at < name + len; at++) {
			if (*at == '"' || *at == '\\')
				buf_addc(out, '\\');
			buf_addc(out, *at);
		}
		buf_addc(out, '"');
	}
	buf_adds(out, "]\n");
}

static void add_value(struct buf *out, const char *value)
{
	static const char plain[] = "\n\t\b\"\\", escape[] = "ntb\"\\";

	buf_adds(out, " = \"");
	for (; *value; value++) {
		const char *at = strchr(plain, *value);

		if (at)
			buf_addc(out, '\\');
		buf_add(out, at ? &escape[at - plain] : value, 1);
	}
	buf_addc(out, '"');
}

void gitconfig_text_add(struct gitconfig_text *text, const struct gitconfig_entry *entry)
{
	size_t len = section_len(entry->name);
	bool open = text->section && section_len(text->section) == len &&
		    strncmp(text->section, entry->name, len) == 0;

	// Only a file's first entries can be without a section, so they need no header.
	if (len > 0 && !open)
		add_header(text->out, entry->name, len);
	text->section = entry->name;
	buf_addc(text->out, '\t');
	buf_adds(text->out, len > 0 ? entry->name + len + 1 : entry->name);
	if (entry->value)
		add_value(text->out, entry->value);
	buf_addc(text->out, '\n');
}

// SPDX-License-Identifier: Apache-2.0
/** mountinfo: "id parent major:minor root point options [tags] - type source options". */
#include "world/mountlist.h"

#include "base/path.h"

#include <errno.h>
#include <string.h>

/** The kernel writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/** Copy field `n`, counted from 0, of a line; NULL: there is none, or no memory. */
static char *field(const char *line, const char *end, int n)
{
	for (; n > 0; n--) {
		line = memchr(line, ' ', (size_t)(end - line));
		if (!line)
			return NULL;
		line++;
	}

	const char *stop = memchr(line, ' ', (size_t)(end - line));
	char *text = strndup(line, (size_t)((stop ? stop : end) - line));

	if (text)
		unescape(text);
	return text;
}

static void entry_done(struct mountlist_entry *entry)
{
	free(entry->device);
	free(entry->root);
	free(entry->point);
	free(entry->type);
}

/** Fill an entry; false when the line is none. */
static bool parse_line(const char *line, const char *end, struct mountlist_entry *ret)
{
	const char *dash = memmem(line, (size_t)(end - line), " - ", 3);

	if (!dash)
		return false;
	*ret = (struct mountlist_entry){
		.device = field(line, dash, 2),
		.root = field(line, dash, 3),
		.point = field(line, dash, 4),
		.type = field(dash + 3, end, 0),
	};
	return ret->device && ret->root && ret->point && ret->type && path_is_clean(ret->point);
}

int mountlist_parse(const char *text, struct mountlist *ret)
{
	AUTO(mountlist_done) struct mountlist list = {0};

	for (const char *end; *text; text = *end ? end + 1 : end) {
		struct mountlist_entry entry = {0};

		end = text + strcspn(text, "\n");
		if (!parse_line(text, end, &entry)) {
			entry_done(&entry);
			continue;
		}

		struct mountlist_entry *grown =
			reallocarray(list.entries, list.count + 1, sizeof(entry));

		if (!grown) {
			entry_done(&entry);
			return -ENOMEM;
		}
		list.entries = grown;
		list.entries[list.count++] = entry;
	}
	*ret = list;
	list = (struct mountlist){0};
	return 0;
}

void mountlist_done(struct mountlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		entry_done(&list->entries[i]);
	free(list->entries);
	*list = (struct mountlist){0};
}

const struct mountlist_entry *mountlist_of(const struct mountlist *list, const char *path)
{
	const struct mountlist_entry *best = NULL;

	// Of two mounts at one place the later one is on top.
	for (size_t i = 0; i < list->count; i++) {
		const struct mountlist_entry *entry = &list->entries[i];

		if (path_within(path, entry->point) &&
		    (!best || strlen(entry->point) >= strlen(best->point)))
			best = entry;
	}
	return best;
}

bool mountlist_is_kernel(const struct mountlist_entry *entry)
{
	static const char *const types[] = {
		"binfmt_misc", "bpf",      "cgroup",   "cgroup2",    "configfs",   "debugfs",
		"devpts",      "devtmpfs", "efivarfs", "fusectl",    "mqueue",     "nfsd",
		"nsfs",        "proc",     "pstore",   "rpc_pipefs", "securityfs", "selinuxfs",
		"smackfs",     "sysfs",    "tracefs",
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], entry->type) == 0)
			return true;
	}
	return false;
}

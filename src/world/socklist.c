// SPDX-License-Identifier: Apache-2.0
/**
 * /proc/net/unix: "Num RefCount Protocol Flags Type St Inode Path".  A path may hold anything; a
 * line that starts inside a path with a newline in it is not clean, or is an address more.
 */
#include "world/socklist.h"

#include "base/path.h"

#include <errno.h>
#include <string.h>

#define FIELDS_BEFORE_PATH 7

/** Where the path of a line starts; NULL: it has none. */
static const char *path_start(const char *line, const char *end)
{
	for (int i = 0; i < FIELDS_BEFORE_PATH; i++) {
		while (line < end && *line == ' ')
			line++;
		while (line < end && *line != ' ')
			line++;
	}
	while (line < end && *line == ' ')
		line++;
	return line < end ? line : NULL;
}

int socklist_parse(const char *text, struct strv *ret)
{
	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");

		const char *start = path_start(text, end);

		if (!start || *start != '/')
			continue;

		AUTO(mem_free) char *path = strndup(start, (size_t)(end - start));

		if (!path)
			return -ENOMEM;
		if (path_is_clean(path) && strv_add(ret, path) < 0)
			return -ENOMEM;
	}
	return 0;
}

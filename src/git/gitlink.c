// SPDX-License-Identifier: Apache-2.0
/** Pointers between Git directories: a line of text, its end stripped as git strips it. */
#include "git/gitlink.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static const char marker[] = "gitdir: ";

int gitlink_parse_path(const char *text, size_t len, char **ret, struct error *err)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len == 0)
		return error_set(err, EINVAL, "it names no path");
	if (len >= PATH_MAX)
		return error_set(err, EINVAL, "its path is too long");
	if (memchr(text, '\0', len))
		return error_set(err, EINVAL, "its path holds a NUL");

	char *path = strndup(text, len);

	if (!path)
		return error_oom(err);
	*ret = path;
	return 0;
}

int gitlink_parse(const char *text, size_t len, char **ret, struct error *err)
{
	size_t skip = sizeof(marker) - 1;

	if (len < skip || memcmp(text, marker, skip) != 0)
		return error_set(err, EINVAL, "it does not start with '%s'", marker);
	return gitlink_parse_path(text + skip, len - skip, ret, err);
}

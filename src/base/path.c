// SPDX-License-Identifier: Apache-2.0
/** Path text. */
#include "base/path.h"

#include "base/error.h"
#include "base/str.h"

#include <stdlib.h>

char *path_join(const char *a, const char *b)
{
	if (b[0] == '/' || a[0] == '\0')
		return strdup(b);
	if (b[0] == '\0')
		return strdup(a);
	return str_format("%s%s%s", a, str_ends(a, "/") ? "" : "/", b);
}

char *path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return strdup("/");
	return strndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/** True for "", "." and "..", which no clean path has as a component. */
static bool is_special(const char *part, size_t len)
{
	return len == 0 || (part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.')));
}

bool path_is_clean(const char *path)
{
	if (path[0] != '/')
		return false;
	if (path[1] == '\0')
		return true;
	while (*path) {
		path++; // the slash
		size_t len = strcspn(path, "/");

		if (is_special(path, len))
			return false;
		path += len;
	}
	return true;
}

char *path_clean(const char *path)
{
	if (path[0] != '/')
		return NULL;

	char *clean = malloc(strlen(path) + 1);
	size_t used = 0;

	if (!clean)
		return NULL;
	while (*path) {
		path += strspn(path, "/");
		size_t len = strcspn(path, "/");

		if (len == 2 && is_special(path, len)) {
			while (used > 0 && clean[--used] != '/')
				;
		} else if (!is_special(path, len)) {
			clean[used] = '/';
			memcpy(clean + used + 1, path, len);
			used += len + 1;
		}
		path += len;
	}
	if (used == 0)
		clean[used++] = '/';
	clean[used] = '\0';
	return clean;
}

bool path_within(const char *path, const char *dir)
{
	return strcmp(path, dir) == 0 || path_below(path, dir);
}

bool path_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return path[0] == '/' && path[1] != '\0';
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

int path_real(const char *path, char **ret, struct error *err)
{
	char *real = realpath(path, NULL);

	if (!real)
		return error_errno(err, "%s", path);
	*ret = real;
	return 0;
}

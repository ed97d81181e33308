// SPDX-License-Identifier: Apache-2.0
/** Finding our own programs. */
#include "proc/program.h"

#include "base/compiler.h"
#include "base/error.h"
#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/** The directory of the running program.  Caller frees *ret. */
static int own_directory(char **ret, struct error *err)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		return error_errno(err, "readlink /proc/self/exe");
	if (n == (ssize_t)sizeof(path) - 1 || path[0] != '/')
		return error_set(err, ENAMETOOLONG, "the path of this program is not usable");
	path[n] = '\0';
	// A program that was replaced on disk reads "NAME (deleted)"; its directory is still right.
	char *dir = path_parent(path);

	if (!dir)
		return error_oom(err);
	*ret = dir;
	return 0;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int program_find(const char *name, char **ret, struct error *err)
{
	AUTO(mem_free) char *own_dir = NULL;
	int r = own_directory(&own_dir, err);

	if (r < 0)
		return r;
	if (name[0] == '\0' || strchr(name, '/'))
		return error_set(err, EINVAL, "'%s' is not a program name", name);

	const char *const dirs[] = {own_dir, SUBSTRATE_LIBEXECDIR};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path = path_join(dirs[i], name);

		if (!path)
			return error_oom(err);
		if (is_program(path)) {
			*ret = path;
			return 0;
		}
		free(path);
	}
	return error_set(err, ENOENT, "%s is neither in %s nor in %s", name, own_dir,
			 SUBSTRATE_LIBEXECDIR);
}

// SPDX-License-Identifier: Apache-2.0
/** Names that pass, and the environment that everybody starts from. */
#include "world/environ.h"

#include "world/env_list.h"

#include <errno.h>

#define SAFE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

bool environ_passes(const char *name)
{
	for (size_t i = 0; env_names[i]; i++) {
		if (strcmp(env_names[i], name) == 0)
			return true;
	}
	for (size_t i = 0; env_prefixes[i]; i++) {
		if (str_starts(name, env_prefixes[i]))
			return true;
	}
	return false;
}

bool environ_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && (name[0] < '0' || name[0] > '9') && strspn(name, NAME_CHARS) == len;
}

int environ_base(const struct spec *spec, struct strv *ret)
{
	const struct {
		const char *name, *value;
	} base[] = {
		{"HOME", spec->user.home},    {"USER", spec->user.name},
		{"LOGNAME", spec->user.name}, {"SHELL", spec->user.shell},
		{"PATH", SAFE_PATH},          {"LANG", "C.UTF-8"},
	};

	for (size_t i = 0; i < ARRAY_LEN(base); i++) {
		if (strv_env_set(ret, base[i].name, base[i].value) < 0)
			return -ENOMEM;
	}
	return 0;
}

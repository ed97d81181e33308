// SPDX-License-Identifier: Apache-2.0
/** Why this host allows no user namespace: the switches that distributions have for it. */
#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "sandbox/launch_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>

/** A switch, and the value at which it forbids user namespaces. */
static const struct {
	const char *name, *path;
	long forbids;
	const char *remedy;
} switches[] = {
	{"kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", 0, "1"},
	{"user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", 0, "15000"},
	{"kernel.apparmor_restrict_unprivileged_userns",
	 "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1, "0"},
};

static bool read_switch(const char *path, long *ret)
{
	AUTO(mem_free) char *text = NULL;
	struct error ignored = {0};
	size_t len = 0;

	if (fd_read_file(AT_FDCWD, path, 64, &text, &len, &ignored) < 0)
		return false;
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return str_to_long(text, 0, LONG_MAX, ret) == 0;
}

int launch_explain_refusal(int code, struct error *err)
{
	long value = 0;

	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		if (!read_switch(switches[i].path, &value) || value != switches[i].forbids)
			continue;
		return error_set(err, -code,
				 "user namespaces are not allowed here: %s is %ld (remedy: "
				 "sysctl %s=%s)",
				 switches[i].name, value, switches[i].name, switches[i].remedy);
	}
	if (code == -ENOSPC || code == -EUSERS)
		return error_set(err, -code,
				 "no more user namespaces: nested too deeply, or "
				 "user.max_user_namespaces is reached");
	return error_set(err, -code,
			 "user namespaces are not allowed here (a chroot, a container's seccomp or "
			 "capability rules, or a security module): %s",
			 strerror(-code));
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The daemon of the escape suite's companion runs: like substrated, but with guards left out.
 *
 * SUBSTRATE_WITHOUT is a comma-separated list of plan guards ("hide", "landlock"), families of
 * the system call filter ("seccomp:mount"), "caps", "nnp" or "fds".  It is never installed.
 */
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "filter/filter.h"
#include "sandbox/control.h"
#include "sandbox/plan.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t bit;
} hardenings[] = {
	{"caps", CONTROL_DROP_CAPS},
	{"nnp", CONTROL_NO_NEW_PRIVS},
	{"fds", CONTROL_CLOSE_FDS},
};

static int leave_out(const char *name, struct spec_without *ret, struct error *err)
{
	if (str_starts(name, "seccomp:")) {
		uint32_t families = 0;
		int r = filter_parse_families(name + strlen("seccomp:"), &families, err);

		ret->families |= families;
		return r;
	}
	for (size_t i = 0; i < ARRAY_LEN(hardenings); i++) {
		if (strcmp(hardenings[i].name, name) == 0) {
			ret->harden |= hardenings[i].bit;
			return 0;
		}
	}
	for (unsigned guard = PLAN_GUARD_NONE + 1; guard < PLAN_GUARD_END; guard++) {
		if (strcmp(plan_guard_name((enum plan_guard)guard), name) == 0) {
			ret->guards |= 1u << guard;
			return 0;
		}
	}
	return error_set(err, EINVAL, "SUBSTRATE_WITHOUT: there is no guard '%s'", name);
}

int main(void)
{
	struct daemon_options options = {.ready_fd = -1};
	const char *list = getenv("SUBSTRATE_WITHOUT");
	AUTO(mem_free) char *copy = strdup(list ? list : "");
	struct error err = {0};
	char *rest = copy;
	int r = 0;

	log_start("substrated-without", LOG_LEVEL_INFO);
	while (r == 0 && rest && rest[0] != '\0')
		r = leave_out(strsep(&rest, ","), &options.without, &err);
	if (r == 0)
		r = daemon_run(&options, &err);
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "%s", err.msg);
	return r < 0;
}

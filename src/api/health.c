// SPDX-License-Identifier: Apache-2.0
/** /healthz, and /v1/doctor: every mechanism, whether it works here, and what to do about it. */
#include "api/api_priv.h"

#include "base/error.h"
#include "http/problem.h"
#include "world/examine.h"
#include "json/decode.h"

#include <errno.h>

#define PROBE_MAX (64u << 10)
#define USERNS_REMEDY \
	"allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1, " \
	"user.max_user_namespaces above 0, on Ubuntu " \
	"kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile"

/** Reasons of the kernel's that need words. */
static const struct {
	const char *error, *words;
} reasons[] = {
	{"ENOSPC", "the limit user.max_user_namespaces is reached or 0"},
	{"EPERM", "the kernel or a security module does not permit it"},
	{"ENOSYS", "the kernel does not have it"},
};

/**
 * What the probe calls it, what it is for, whether a world needs it, and whether trying it takes a
 * user namespace.
 */
static const struct {
	const char *probe, *name, *remedy;
	bool needed, in_userns;
} mechanisms[] = {
	{"userns", "user namespace", USERNS_REMEDY, true, false},
	{"mountns", "mount namespace", USERNS_REMEDY, true, true},
	{"pidns", "PID namespace", USERNS_REMEDY, true, true},
	{"netns", "network namespace", USERNS_REMEDY, true, true},
	{"ipcns", "IPC namespace", USERNS_REMEDY, true, true},
	{"utsns", "UTS namespace", USERNS_REMEDY, true, true},
	{"cgroupns", "cgroup namespace", USERNS_REMEDY, true, true},
	{"proc", "own /proc",
	 "the container masks /proc: run it with unmasked paths (systempaths=unconfined)", true,
	 true},
	{"max_user_namespaces", "no nested user namespaces",
	 "/proc/sys/user must be writable in a new user namespace", true, true},
	{"seccomp", "system call filter", "use a kernel with CONFIG_SECCOMP_FILTER", true, false},
	{"landlock", "Landlock",
	 "use a kernel with Landlock (5.13 or later) and landlock in its lsm= list", false, false},
	{"pid_max", "kernel.pid_max per world",
	 "use kernel 6.14 or later, or limit pids by cgroups when that is available", false, true},
};

/** Later work enforces these; they are told so that nobody takes them for granted. */
static const struct {
	const char *name, *reason;
} not_yet[] = {
	{"cgroup limits", "cpu, memory and pids are not limited in this version"},
	{"egress rules", "a world has no network in this version"},
};

static json_t *mechanism(const char *name, bool works, const char *reason, const char *remedy)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "name", name, "state",
			 works ? "enforced" : "unavailable", "reason", reason, "remedy",
			 works ? NULL : remedy);
}

static bool found_works(const json_t *found)
{
	return json_is_true(json_object_get(found, "works"));
}

static const char *reason_of(const json_t *found)
{
	const char *error = json_string_value(json_object_get(found, "error"));
	const char *reason = json_string_value(json_object_get(found, "reason"));

	for (size_t i = 0; error && i < ARRAY_LEN(reasons); i++) {
		if (strcmp(reasons[i].error, error) == 0)
			return reasons[i].words;
	}
	if (reason)
		return reason;
	return found_works(found) ? "" : "the probe could not try it";
}

static json_t *judge(const json_t *probe)
{
	json_t *list = json_array();
	bool userns = found_works(json_object_get(probe, "userns"));
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
		const json_t *found = json_object_get(probe, mechanisms[i].probe);
		bool works = found_works(found);
		// Without a user namespace nothing that needs one could be tried.
		bool follows = !userns && !works && mechanisms[i].in_userns;

		ok = ok && (works || !mechanisms[i].needed);
		(void)json_array_append_new(
			list, mechanism(mechanisms[i].name, works,
					follows ? "it needs a user namespace" : reason_of(found),
					follows ? NULL : mechanisms[i].remedy));
	}
	for (size_t i = 0; i < ARRAY_LEN(not_yet); i++)
		(void)json_array_append_new(
			list, mechanism(not_yet[i].name, false, not_yet[i].reason, NULL));
	return json_pack("{s:i, s:b, s:o}", "schema", 1, "ok", ok, "mechanisms", list);
}

/** The client's exchange while the probe runs; x is NULL once it is gone. */
struct checkup {
	struct exchange *x;
};

static void checkup_gone(void *owner)
{
	struct checkup *checkup = owner;

	checkup->x = NULL;
}

static void checkup_done(const char *text, size_t len, const struct error *failure, void *owner)
{
	struct checkup *checkup = owner;
	struct error err = failure ? *failure : (struct error){0};
	json_t *probe = NULL;
	int r = failure ? -err.code : decode_text(text, len, PROBE_MAX, &probe, &err);

	if (checkup->x && r < 0)
		problem_internal(checkup->x, err.msg);
	else if (checkup->x)
		answer_json(checkup->x, 200, judge(probe));
	json_decref(probe);
	free(checkup);
}

void health_doctor(struct api *api, struct exchange *x, const struct http_request *req,
		   const char *rest)
{
	struct checkup *checkup = calloc(1, sizeof(*checkup));
	struct error err = {0};

	(void)req;
	(void)rest;
	if (!checkup) {
		problem_internal(x, "out of memory");
		return;
	}
	checkup->x = x;
	exchange_on_gone(x, checkup_gone, checkup);
	if (examine_start(api->options.loop, api->options.init_path, checkup_done, checkup, &err) <
	    0) {
		free(checkup);
		problem_internal(x, err.msg);
	}
}

void health_get(struct api *api, struct exchange *x, const struct http_request *req,
		const char *rest)
{
	(void)api;
	(void)req;
	(void)rest;
	answer_json(x, 200, json_pack("{s:s}", "status", "ok"));
}

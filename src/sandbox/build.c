// SPDX-License-Identifier: Apache-2.0
/** Executing a plan: one function an operation. */
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/build_priv.h"
#include "sandbox/landlock_priv.h"

#include <errno.h>
#include <unistd.h>

/** How an operation is executed, and what its PLAN_OPTIONAL forgives. */
static const struct {
	build_fn *run;
	bool mounts;    /**< Later lookups may find another tree. */
	bool any_error; /**< Optional: whatever the kernel says; else only what is missing. */
} operations[PLAN_OP_END] = {
	[PLAN_DIR] = {build_files_dir, false, false},
	[PLAN_LINK] = {build_files_link, false, false},
	[PLAN_FILE] = {build_files_file, false, false},
	[PLAN_COPY] = {build_files_copy, false, false},
	[PLAN_BIND] = {build_mounts_bind, true, false},
	[PLAN_SELF] = {build_mounts_self, true, false},
	[PLAN_TMPFS] = {build_mounts_tmpfs, true, true},
	[PLAN_PROC] = {build_mounts_proc, true, true},
	[PLAN_DEVPTS] = {build_mounts_devpts, true, true},
	[PLAN_SEAL] = {build_mounts_seal, false, false},
	[PLAN_SYSCTL] = {build_state_sysctl, false, true},
	[PLAN_HOSTNAME] = {build_state_hostname, false, false},
	[PLAN_LOOPBACK] = {build_state_loopback, false, true},
	[PLAN_PIVOT] = {build_mounts_pivot, false, false},
	[PLAN_USER] = {build_state_user, false, false},
	[PLAN_LANDLOCK] = {build_state_landlock, false, false},
	[PLAN_SECCOMP] = {build_state_seccomp, false, false},
};

int build_open(const struct build *build, const char *path, uint64_t flags)
{
	return fd_open_beneath(build->root, path[1] ? path + 1 : ".", flags, 0);
}

/** What "missing" is: not there, behind something that is no directory or a link, unreadable. */
static bool is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP || code == EACCES ||
	       code == ESTALE;
}

static int run_op(struct build *build, const struct plan_op *op, struct error *err)
{
	const char *path = plan_string(build->plan, op->path);
	const char *source = plan_string(build->plan, op->source);
	int r = operations[op->kind].run(build, op, err);

	// What is mounted at the directory that is kept open, or above it, hides it.
	if (operations[op->kind].mounts && path && path_within(build->parent.path, path))
		build->parent.fd = fd_close(build->parent.fd);
	if (r >= 0)
		return 0;
	if ((op->flags & PLAN_OPTIONAL) && (operations[op->kind].any_error || is_missing(-r)))
		return 0;
	return error_wrap(err, r, "%s %s%s%s", plan_kind_name((enum plan_op_kind)op->kind),
			  path ? path : "", source ? " <- " : "", source ? source : "");
}

int build_run(struct build *build, struct error *err)
{
	build->root = -1;
	build->proc = -1;
	build->ruleset = -1;
	build->parent.fd = -1;
	build->uid = geteuid();
	build->gid = getegid();
	build->abi = landlock_abi();

	int r = build_mounts_root(build, err);

	for (uint32_t i = 0; i < build->plan->nops && r == 0; i++)
		r = run_op(build, &build->plan->ops[i], err);
	if (r == 0 && !build->entered)
		return error_set(err, EINVAL, "the plan never enters the new root");
	return r;
}

void build_done(struct build *build)
{
	build->root = fd_close(build->root);
	build->proc = fd_close(build->proc);
	build->ruleset = fd_close(build->ruleset);
	build->parent.fd = fd_close(build->parent.fd);
	free(build->scratch);
	free(build->filter);
	build->scratch = NULL;
	build->filter = NULL;
}

// SPDX-License-Identifier: Apache-2.0
/** Check a request and turn it into what a world can run. */
#include "command/prepare.h"

#include "base/error.h"
#include "base/path.h"
#include "command/command.h"
#include "world/environ.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define AGENT_MAX 64

void prepare_done(struct prepare *prepare)
{
	spec_done(&prepare->spec);
	strv_done(&prepare->argv);
	free(prepare->cwd);
	*prepare = (struct prepare){0};
}

static int refuse(struct command_refusal *ret, int exit, const char *type, int r)
{
	ret->exit = exit;
	ret->type = type;
	return r;
}

static bool agent_is_valid(const char *agent)
{
	size_t len = strlen(agent);

	if (len < 1 || len > AGENT_MAX)
		return false;
	return strspn(agent, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len &&
	       strcmp(agent, ".") != 0 && strcmp(agent, "..") != 0;
}

static int check_names(const struct command_request *req, struct error *err)
{
	if (!req->agent)
		return error_set(err, EINVAL, "agent_id is required: 1 to 64 of [a-z0-9._-]");
	if (!agent_is_valid(req->agent))
		return error_set(err, EINVAL,
				 "agent_id '%.80s' is not valid: 1 to 64 of [a-z0-9._-]",
				 req->agent);
	if (req->profile && strcmp(req->profile, "default") != 0)
		return error_set(err, EINVAL, "there is no profile '%.80s'; allowed: default",
				 req->profile);
	if ((req->cmd != NULL) == (req->argv.count > 0))
		return error_set(err, EINVAL, "exactly one of cmd and argv must be given");
	if (req->argv.count > 0 && req->argv.items[0][0] == '\0')
		return error_set(err, EINVAL, "argv[0] is empty");
	if (req->cwd && req->cwd[0] != '/')
		return error_set(err, EINVAL, "cwd '%.80s' is not an absolute path", req->cwd);
	for (size_t i = 0; i < req->env.count; i++) {
		const char *entry = req->env.items[i];
		const char *eq = strchr(entry, '=');
		AUTO(mem_free) char *name = eq ? strndup(entry, (size_t)(eq - entry)) : NULL;

		if (!name || !environ_is_name(name))
			return error_set(err, EINVAL, "'%.80s' is no NAME=value", entry);
	}
	return 0;
}

static int set_argv(const struct command_request *req, struct strv *ret, struct error *err)
{
	const char *const shell[] = {"/bin/sh", "-c", req->cmd};
	size_t count = req->cmd ? ARRAY_LEN(shell) : req->argv.count;

	for (size_t i = 0; i < count; i++) {
		if (strv_add(ret, req->cmd ? shell[i] : req->argv.items[i]) < 0)
			return error_oom(err);
	}
	return 0;
}

/** With cwd NULL the command starts at the root of the caller's project. */
static int set_cwd(const struct command_request *req, struct prepare *ret, struct error *err)
{
	if (req->cwd)
		return path_real(req->cwd, &ret->cwd, err);
	ret->cwd = strdup(ret->spec.project.root);
	return ret->cwd ? 0 : error_oom(err);
}

int prepare_request(const struct command_request *req, const struct prepare_defaults *defaults,
		    struct prepare *ret, struct command_refusal *ret_refusal, struct error *err)
{
	const char *start = req->cwd ? req->cwd : req->default_cwd;
	int r = check_names(req, err);

	if (r == 0 && !start)
		r = error_set(err, EINVAL, "cwd is required: the caller's own is not known");
	if (r < 0)
		return refuse(ret_refusal, 2, "usage", r);

	r = set_argv(req, &ret->argv, err);
	if (r < 0)
		return refuse(ret_refusal, 125, "internal", r);

	r = spec_default(defaults->home, start, req->profile ? req->profile : "default", req->agent,
			 &ret->spec, err);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENAMETOOLONG)
		return refuse(ret_refusal, 2, "usage", r);
	if (r < 0)
		return refuse(ret_refusal, 125, "no-world", r);
	spec_leave_out(&ret->spec, &defaults->without);

	r = set_cwd(req, ret, err);
	return r < 0 ? refuse(ret_refusal, 2, "usage", r) : 0;
}

/**
 * A client sends its own HOME and the like.  In a world that runs as another user they would
 * name the wrong place, so values that are just the daemon's user's own give way.
 */
static bool is_callers_own(const struct strv *own, const char *entry)
{
	const char *const names[] = {"HOME=", "USER=", "LOGNAME=", "SHELL="};

	if (!own)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_starts(entry, names[i]))
			return strv_has(own, entry);
	}
	return false;
}

static int add_request_env(const struct command_request *req, const struct spec *spec,
			   struct strv *ret, struct error *err)
{
	struct spec self = {0};
	AUTO(strv_done) struct strv own = {0};
	bool other = spec->user.uid != getuid();
	int r = other ? spec_user_find(getuid(), &self.user, err) : 0;

	if (r == 0 && other)
		r = environ_base(&self, &own);
	for (size_t i = 0; r == 0 && i < req->env.count; i++) {
		const char *entry = req->env.items[i];
		const char *eq = strchr(entry, '=');
		AUTO(mem_free) char *name = strndup(entry, (size_t)(eq - entry));

		if (is_callers_own(other ? &own : NULL, entry))
			continue;
		r = name ? strv_env_set(ret, name, eq + 1) : -ENOMEM;
	}
	spec_done(&self);
	return r < 0 ? error_oom(err) : 0;
}

static int compare_entries(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

int prepare_environment(const struct command_request *req, const struct spec *spec, const char *cwd,
			const char *span_id, struct strv *ret, struct error *err)
{
	AUTO(strv_done) struct strv env = {0};
	int r = environ_base(spec, &env);

	if (r < 0)
		return error_oom(err);
	r = add_request_env(req, spec, &env, err);
	if (r < 0)
		return r;
	if (strv_env_set(&env, "PWD", cwd) < 0 ||
	    strv_env_set(&env, "SUBSTRATE_AGENT_ID", req->agent) < 0 ||
	    strv_env_set(&env, "SUBSTRATE_SPAN_ID", span_id) < 0)
		return error_oom(err);
	qsort(env.items, env.count, sizeof(env.items[0]), compare_entries);
	*ret = env;
	env = (struct strv){0};
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** The execute object by a table, and what comes back. */
#include "api/request.h"

#include "api/api_priv.h"
#include "base/error.h"
#include "json/decode.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/** A day is longer than any command that a client waits for by number. */
#define TIMEOUT_MAX_MS (7LL * 86400 * 1000)

/** The execute object as it is written. */
struct execute_object {
	char *profile, *cmd, *cwd, *agent_id, *standard_input, *traceparent;
	struct strv argv, env, env_dropped;
	bool pty, ephemeral, detach;
	int64_t timeout_ms, umask, rows, cols;
};

#define FIELD(field_name, field_kind, member) \
	.name = (field_name), .kind = (field_kind), \
	.offset = offsetof(struct execute_object, member)

static const struct decode_field execute_fields[] = {
	{FIELD("profile", DECODE_STRING, profile)},
	{FIELD("cmd", DECODE_STRING, cmd)},
	{FIELD("argv", DECODE_STRING_ARRAY, argv)},
	{FIELD("cwd", DECODE_STRING, cwd)},
	{FIELD("env", DECODE_STRING_MAP, env)},
	{FIELD("env_dropped", DECODE_STRING_ARRAY, env_dropped)},
	{FIELD("pty", DECODE_BOOL, pty)},
	{FIELD("rows", DECODE_INT, rows), .min = 1, .max = TERMINAL_SIZE_MAX},
	{FIELD("cols", DECODE_INT, cols), .min = 1, .max = TERMINAL_SIZE_MAX},
	{FIELD("agent_id", DECODE_STRING, agent_id)},
	{FIELD("ephemeral", DECODE_BOOL, ephemeral)},
	{FIELD("detach", DECODE_BOOL, detach)},
	{FIELD("timeout_ms", DECODE_INT, timeout_ms), .min = 1, .max = TIMEOUT_MAX_MS},
	{FIELD("umask", DECODE_INT, umask), .min = 0, .max = 0777},
	{FIELD("stdin", DECODE_STRING, standard_input)},
	{FIELD("traceparent", DECODE_STRING, traceparent)},
};

/** The directory of the calling process, or NULL when it is not known. */
static char *caller_cwd(const struct peer *peer)
{
	char link[64];
	char path[PATH_MAX];

	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)peer->pid);

	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || path[0] != '/')
		return NULL;
	path[n] = '\0';
	return strdup(path);
}

static int check_object(const struct execute_object *object, struct error *err)
{
	if (!object->agent_id || object->agent_id[0] == '\0')
		return error_set(err, EINVAL,
				 "agent_id is required: who asks, 1 to 64 of [a-z0-9._-]");
	if (object->standard_input && strcmp(object->standard_input, "stream") != 0 &&
	    strcmp(object->standard_input, "none") != 0)
		return error_set(err, EINVAL, "field 'stdin': expected \"stream\" or \"none\"");
	return 0;
}

/** Move what the request keeps out of the object. */
static void take_object(struct execute_object *object, struct command_request *ret)
{
	ret->want_stdin = !object->standard_input || strcmp(object->standard_input, "none") != 0;
	ret->profile = TAKE_PTR(object->profile);
	ret->cmd = TAKE_PTR(object->cmd);
	ret->cwd = TAKE_PTR(object->cwd);
	ret->agent = TAKE_PTR(object->agent_id);
	ret->traceparent = TAKE_PTR(object->traceparent);
	ret->argv = object->argv;
	object->argv = (struct strv){0};
	ret->env = object->env;
	object->env = (struct strv){0};
	ret->env_dropped = object->env_dropped;
	object->env_dropped = (struct strv){0};
	ret->ephemeral = object->ephemeral;
	ret->detach = object->detach;
	ret->timeout_ms = (uint64_t)object->timeout_ms;
	ret->umask = (unsigned)object->umask;
	ret->pty = object->pty;
	ret->rows = (unsigned)object->rows;
	ret->cols = (unsigned)object->cols;
}

int request_decode(json_t *object, const struct peer *peer, struct command_request *ret,
		   struct error *err)
{
	struct execute_object decoded = {.umask = 022, .rows = 24, .cols = 80};
	int r = decode_object(object, execute_fields, ARRAY_LEN(execute_fields), &decoded, err);

	if (r < 0)
		return r;
	r = check_object(&decoded, err);
	if (r == 0) {
		take_object(&decoded, ret);
		if (!ret->cwd)
			ret->default_cwd = caller_cwd(peer);
	}
	decode_done(execute_fields, ARRAY_LEN(execute_fields), &decoded);
	return r;
}

json_t *request_result(const struct command *command, const struct command_result *result)
{
	const char *world = command_world_id(command);
	json_t *object = json_pack(
		"{s:i, s:o, s:s, s:[], s:n, s:[], s:s, s:n, s:I, s:o, s:b}", "exit", result->exit,
		"signal", result->signal ? json_integer(result->signal) : json_null(), "span_id",
		command_span(command), "scopes_used", "fs_diff", "denials", "status",
		result->status, "layer", "duration_ms", (json_int_t)result->duration_ms, "world_id",
		world[0] ? json_string(world) : json_null(), "world_reused",
		command_world_reused(command));

	if (object && result->error)
		(void)json_object_set_new(object, "error", answer_text(result->error));
	return object;
}

/** Refusals by their stable name. */
static const struct {
	const char *type;
	unsigned status;
	const char *title;
} problems[] = {
	{"usage", 400, "Bad request"},
	{"no-world", 503, "No world can be built"},
	{"cwd-not-visible", 403, "Not visible in the world"},
	{"trace-unwritable", 507, "The trace cannot be written"},
	{"not-found", 404, "Command not found"},
	{"not-executable", 422, "Not executable"},
	{"spawn-failed", 500, "The command could not be started"},
};

unsigned request_problem_status(const struct command_refusal *refusal)
{
	for (size_t i = 0; i < ARRAY_LEN(problems); i++) {
		if (strcmp(problems[i].type, refusal->type) == 0)
			return problems[i].status;
	}
	return 500;
}

static const char *problem_title(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(problems); i++) {
		if (strcmp(problems[i].type, type) == 0)
			return problems[i].title;
	}
	return "Internal error";
}

json_t *request_problem(const struct command *command, const struct command_refusal *refusal)
{
	return json_pack("{s:o, s:s, s:i, s:o, s:i, s:s}", "type",
			 json_sprintf("urn:substrate:problem:%s", refusal->type), "title",
			 problem_title(refusal->type), "status",
			 (int)request_problem_status(refusal), "detail",
			 answer_text(refusal->detail), "exit", refusal->exit, "span_id",
			 command_span(command));
}

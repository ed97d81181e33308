// SPDX-License-Identifier: Apache-2.0
/** POST /v1/execute: run one command, collect its output, answer once. */
#include "api/api_priv.h"

#include "api/request.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "http/problem.h"

#include <errno.h>

/** Of each stream; what comes after it is read and dropped, and the answer says so. */
#define OUTPUT_MAX (16u << 20)

struct execute {
	struct exchange *x; /**< NULL once the client is gone. */
	struct command *command;
	struct buf output[2];
	bool truncated[2];
};

static struct execute *execute_free(struct execute *execute)
{
	buf_done(&execute->output[0]);
	buf_done(&execute->output[1]);
	free(execute);
	return NULL;
}

/** A detached command is answered now; its end is in the trace. */
static void command_started(struct command *command, void *owner)
{
	struct execute *execute = owner;

	if (!command_asked(command)->detach)
		return;
	command_detach(command);
	answer_json(execute->x, 202,
		    json_pack("{s:s, s:s, s:s, s:s, s:b}", "status", "running", "span_id",
			      command_span(command), "world_id", command_world_id(command),
			      "session_id", session_id(command_session(command)), "world_reused",
			      command_world_reused(command)));
	execute_free(execute);
}

static bool command_output(struct command *command, int channel, const void *data, size_t len,
			   void *owner)
{
	struct execute *execute = owner;
	struct buf *output = &execute->output[channel - 1];
	size_t room = OUTPUT_MAX - output->len;

	(void)command;
	if (len > room) {
		execute->truncated[channel - 1] = true;
		len = room;
	}
	buf_add(output, data, len);
	return true;
}

static void command_ignored(struct command *command, void *owner)
{
	(void)command;
	(void)owner;
}

static int add_output(json_t *object, const char *name, const struct buf *output)
{
	AUTO(mem_free)
	char *text = output->failed ? NULL : base64_encode(output->data, output->len);

	return text ? json_object_set_new(object, name, json_string_nocheck(text)) : -1;
}

static void command_exited(struct command *command, const struct command_result *result,
			   void *owner)
{
	struct execute *execute = owner;
	json_t *object = request_result(command, result);

	if (!object || add_output(object, "stdout_b64", &execute->output[0]) < 0 ||
	    add_output(object, "stderr_b64", &execute->output[1]) < 0) {
		json_decref(object);
		object = NULL;
	}
	if (object && execute->truncated[0])
		(void)json_object_set_new(object, "stdout_truncated", json_true());
	if (object && execute->truncated[1])
		(void)json_object_set_new(object, "stderr_truncated", json_true());
	command_detach(command);
	answer_json(execute->x, 200, object);
	execute_free(execute);
}

/** A program that is not there is a result of running it, not a failure of the API. */
static void answer_not_run(struct execute *execute, struct command *command,
			   const struct command_refusal *refusal)
{
	const struct command_result result = {
		.exit = refusal->exit,
		.status = refusal->exit == 127 ? "not_found" : "not_executable",
		.error = refusal->detail,
	};
	json_t *object = request_result(command, &result);

	if (object) {
		(void)json_object_set_new(object, "stdout_b64", json_string(""));
		(void)json_object_set_new(object, "stderr_b64", json_string(""));
	}
	answer_json(execute->x, 200, object);
}

static void command_refused(struct command *command, const struct command_refusal *refusal,
			    void *owner)
{
	struct execute *execute = owner;

	if (refusal->exit == 126 || refusal->exit == 127)
		answer_not_run(execute, command, refusal);
	else
		problem_reply_json(execute->x, request_problem_status(refusal),
				   request_problem(command, refusal));
	execute_free(execute);
}

static const struct command_ops command_ops = {
	.started = command_started,
	.output = command_output,
	.writable = command_ignored,
	.taken = command_ignored,
	.exited = command_exited,
	.drained = command_ignored,
	.refused = command_refused,
};

static void client_gone(void *owner)
{
	struct execute *execute = owner;

	command_abandon(execute->command);
	execute_free(execute);
}

void execute_post(struct api *api, struct exchange *x, const struct http_request *req,
		  const char *rest)
{
	struct command_request request = {0};
	struct error err = {0};
	json_t *body = answer_body(x, req);
	int r = body ? request_decode(body, req->peer, &request, &err) : -EINVAL;

	(void)rest;
	json_decref(body);
	if (!body)
		return;
	if (r < 0) {
		problem_bad_request(x, err.msg);
		return;
	}

	struct execute *execute = calloc(1, sizeof(*execute));

	request.want_stdin = false;
	if (execute)
		execute->x = x;
	r = execute ? command_start(api->options.commands, &request, &command_ops, execute,
				    &execute->command, &err)
		    : -ENOMEM;
	command_request_done(&request);
	if (r < 0) {
		if (execute)
			execute_free(execute);
		problem_internal(x, "out of memory");
		return;
	}
	exchange_on_gone(x, client_gone, execute);
}

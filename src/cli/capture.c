// SPDX-License-Identifier: Apache-2.0
/** Two buffers, and the object that they end up in. */
#include "cli/capture.h"

#include "base/base64.h"
#include "cli/exitcode.h"

void capture_done(struct capture *capture)
{
	buf_done(&capture->output[0]);
	buf_done(&capture->output[1]);
}

void capture_add(struct capture *capture, int channel, const void *data, size_t len)
{
	struct buf *output = &capture->output[channel - 1];
	size_t room = CAPTURE_MAX - output->len;

	if (len > room) {
		capture->truncated[channel - 1] = true;
		len = room;
	}
	buf_add(output, data, len);
}

static int set_output(json_t *object, const char *name, const struct buf *output)
{
	AUTO(mem_free)
	char *text = output->failed ? NULL
				    : base64_encode(output->data ? output->data : "", output->len);

	return text ? json_object_set_new(object, name, json_string_nocheck(text)) : -1;
}

/** What a refused command has in place of a result. */
static json_t *result_of_refusal(const json_t *problem)
{
	int exit = exitcode_of_object(problem);

	return json_pack("{s:i, s:n, s:O?, s:[], s:n, s:[], s:s, s:n, s:i, s:n, s:b, s:O?}", "exit",
			 exit, "signal", "span_id", json_object_get(problem, "span_id"),
			 "scopes_used", "fs_diff", "denials", "status",
			 exit == EXITCODE_NOT_FOUND ? "not_found" : "not_executable", "layer",
			 "duration_ms", 0, "world_id", "world_reused", 0, "error",
			 json_object_get(problem, "detail"));
}

json_t *capture_result(const struct capture *capture, json_t *message)
{
	const char *type = json_string_value(json_object_get(message, "type"));
	bool refused = type && strcmp(type, "problem") == 0;
	AUTO(value_free) json_t *object = refused ? result_of_refusal(message) : json_copy(message);

	if (!object || set_output(object, "stdout_b64", &capture->output[0]) < 0 ||
	    set_output(object, "stderr_b64", &capture->output[1]) < 0)
		return NULL;
	(void)json_object_del(object, "type"); // a refusal has none
	if (capture->truncated[0] &&
	    json_object_set_new(object, "stdout_truncated", json_true()) < 0)
		return NULL;
	if (capture->truncated[1] &&
	    json_object_set_new(object, "stderr_truncated", json_true()) < 0)
		return NULL;
	return TAKE_PTR(object);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * GET /v1/stream: one command over a WebSocket.
 *
 * The first text message is the execute object.  Binary messages start with a channel byte:
 * 0 stdin, 1 stdout, 2 stderr.  Both directions have back-pressure: a full queue towards the
 * client pauses the command's pipes, a full stdin pauses the socket.  A paused socket brings no
 * signal either, so a good client never has more than 192 KiB of stdin under way: it is told by
 * {"type": "stdin_taken", "bytes": TOTAL} how much the command took, or will never take.
 */
#include "api/api_priv.h"

#include "api/request.h"
#include "base/error.h"
#include "base/str.h"
#include "http/problem.h"
#include "json/decode.h"
#include "json/encode.h"

#include <errno.h>
#include <unistd.h>

#define START_MAX (4u << 20)
#define TEXT_MAX (64u << 10)
#define TAKEN_STEP (64u << 10) /* between two reports of what stdin took */
#define CLOSE_NORMAL 1000
#define CLOSE_PROTOCOL 1002

struct streaming {
	struct api *api;
	struct websocket *ws;
	struct command *command; /**< NULL before the start message. */
	struct peer peer;        /**< pid only: where the caller is. */
	uint64_t received;       /**< Bytes of stdin so far. */
	uint64_t told;           /**< The last total that the client was told. */
	bool exited;
};

static void send_json(struct streaming *streaming, json_t *object)
{
	AUTO(mem_free) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (text)
		(void)websocket_send(streaming->ws, true, text, strlen(text));
}

/** Close the socket and forget it.  The command, if any, is told by the caller. */
static void streaming_end(struct streaming *streaming, uint16_t code)
{
	websocket_close(streaming->ws, code);
	free(streaming);
}

static json_t *typed(const char *type, json_t *object)
{
	if (object && json_object_set_new(object, "type", json_string(type)) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* From the command --------------------------------------------------------------------- */

static json_t *notices(const struct spec *spec)
{
	json_t *list = json_array();

	if (spec->user.uid != getuid())
		(void)json_array_append_new(
			list, json_sprintf("the world runs as %s (uid %u), who owns the project",
					   spec->user.name, spec->user.uid));
	if (spec->project.read_only) {
		AUTO(mem_free)
		char *text = str_format("%s is read-only here: %s", spec->project.root,
					spec->project.reason);

		(void)json_array_append_new(list, text ? answer_text(text) : NULL);
	}
	return list;
}

static void command_started(struct command *command, void *owner)
{
	struct streaming *streaming = owner;
	struct session *session = command_session(command);
	const struct spec *spec = session_spec(session);

	send_json(streaming,
		  json_pack("{s:s, s:s, s:s, s:s, s:b, s:o?, s:o?, s:o?}", "type", "started",
			    "span_id", command_span(command), "world_id", command_world_id(command),
			    "session_id", session_id(session), "world_reused",
			    command_world_reused(command), "project",
			    encode_string(spec->project.root), "project_read_only",
			    spec->project.read_only ? answer_text(spec->project.reason) : NULL,
			    "notices", notices(spec)));
}

static bool command_output(struct command *command, int channel, const void *data, size_t len,
			   void *owner)
{
	struct streaming *streaming = owner;

	(void)command;
	return websocket_send_channel(streaming->ws, (uint8_t)channel, data, len);
}

static void command_taken(struct command *command, void *owner)
{
	struct streaming *streaming = owner;
	uint64_t taken = streaming->received - command_queued(command);

	if (streaming->exited || taken - streaming->told < TAKEN_STEP)
		return;
	streaming->told = taken;
	send_json(streaming,
		  json_pack("{s:s, s:I}", "type", "stdin_taken", "bytes", (json_int_t)taken));
}

static void command_writable(struct command *command, void *owner)
{
	struct streaming *streaming = owner;

	(void)command;
	websocket_pause(streaming->ws, false);
}

static void command_stopped(struct command *command, int signo, void *owner)
{
	(void)command;
	send_json(owner, json_pack("{s:s, s:i}", "type", "stopped", "signal", signo));
}

static void command_exited(struct command *command, const struct command_result *result,
			   void *owner)
{
	struct streaming *streaming = owner;

	streaming->exited = true;
	websocket_pause(streaming->ws, false);
	send_json(streaming, typed("exit", request_result(command, result)));
}

static void command_drained(struct command *command, void *owner)
{
	struct streaming *streaming = owner;

	(void)command;
	send_json(streaming, json_pack("{s:s}", "type", "drained"));
	streaming_end(streaming, CLOSE_NORMAL);
}

static void command_refused(struct command *command, const struct command_refusal *refusal,
			    void *owner)
{
	struct streaming *streaming = owner;
	json_t *problem = request_problem(command, refusal);

	if (problem) {
		// "type" says what the message is; the problem's own type moves aside.
		(void)json_object_set(problem, "problem", json_object_get(problem, "type"));
	}
	send_json(streaming, typed("problem", problem));
	streaming_end(streaming, CLOSE_NORMAL);
}

static const struct command_ops command_ops = {
	.started = command_started,
	.output = command_output,
	.writable = command_writable,
	.taken = command_taken,
	.stopped = command_stopped,
	.exited = command_exited,
	.drained = command_drained,
	.refused = command_refused,
};

/* From the client ---------------------------------------------------------------------- */

/** Tell a client that broke the rules, and end: its command is abandoned. */
static void refuse_client(struct streaming *streaming, const char *detail)
{
	if (streaming->command)
		command_abandon(streaming->command);
	send_json(streaming,
		  json_pack("{s:s, s:s, s:s, s:i, s:o, s:i}", "type", "problem", "problem",
			    "urn:substrate:problem:bad-request", "title", "Bad request", "status",
			    400, "detail", answer_text(detail), "exit", 2));
	streaming_end(streaming, CLOSE_PROTOCOL);
}

static void start_message(struct streaming *streaming, const char *data, size_t len)
{
	struct command_request request = {0};
	struct error err = {0};
	json_t *object = NULL;
	int r = decode_text(data, len, START_MAX, &object, &err);

	if (r == 0)
		r = request_decode(object, &streaming->peer, &request, &err);
	json_decref(object);
	if (r == 0)
		r = command_start(streaming->api->options.commands, &request, &command_ops,
				  streaming, &streaming->command, &err);
	command_request_done(&request);
	if (r < 0)
		refuse_client(streaming, err.msg);
}

static int on_close_stdin(struct streaming *streaming, const json_t *message, struct error *err)
{
	(void)message;
	(void)err;
	command_close_stdin(streaming->command);
	return 0;
}

static int on_signal(struct streaming *streaming, const json_t *message, struct error *err)
{
	const json_t *signo = json_object_get(message, "signal");

	if (!json_is_integer(signo) || json_integer_value(signo) < 1 ||
	    json_integer_value(signo) > 64)
		return error_set(err, EINVAL, "field 'signal': expected a signal number");
	return command_signal(streaming->command, (int)json_integer_value(signo), err);
}

static int on_continue(struct streaming *streaming, const json_t *message, struct error *err)
{
	(void)message;
	(void)err;
	command_continue(streaming->command);
	return 0;
}

static int size_of(const json_t *message, const char *name, unsigned *ret, struct error *err)
{
	json_int_t size = json_integer_value(json_object_get(message, name));

	if (size < 1 || size > TERMINAL_SIZE_MAX)
		return error_set(err, EINVAL, "field '%s': expected a number from 1 to %d", name,
				 TERMINAL_SIZE_MAX);
	*ret = (unsigned)size;
	return 0;
}

static int on_resize(struct streaming *streaming, const json_t *message, struct error *err)
{
	unsigned rows = 0;
	unsigned cols = 0;
	int r = size_of(message, "rows", &rows, err);

	if (r == 0)
		r = size_of(message, "cols", &cols, err);
	if (r == 0)
		command_resize(streaming->command, rows, cols);
	return r;
}

static const struct {
	const char *type;
	int (*fn)(struct streaming *streaming, const json_t *message, struct error *err);
} client_messages[] = {
	{"close_stdin", on_close_stdin},
	{"signal", on_signal},
	{"continue", on_continue},
	{"resize", on_resize},
};

static int text_message(struct streaming *streaming, const char *data, size_t len,
			struct error *err)
{
	json_t *message = NULL;
	int r = decode_text(data, len, TEXT_MAX, &message, err);

	if (r < 0)
		return r;

	const char *type = json_string_value(json_object_get(message, "type"));

	r = error_set(err, EINVAL, "unknown message type '%.40s'", type ? type : "(none)");
	for (size_t i = 0; type && i < ARRAY_LEN(client_messages); i++) {
		if (strcmp(client_messages[i].type, type) == 0)
			r = client_messages[i].fn(streaming, message, err);
	}
	json_decref(message);
	return r;
}

static void input_message(struct streaming *streaming, const char *data, size_t len)
{
	if (len < 1 || data[0] != 0) {
		refuse_client(streaming, "a binary message from the client starts with byte 0");
		return;
	}
	streaming->received += len - 1;
	if (!command_write(streaming->command, data + 1, len - 1))
		websocket_pause(streaming->ws, true);
	command_taken(streaming->command, streaming);
}

static void ws_message(struct websocket *ws, bool text, const void *data, size_t len, void *owner)
{
	struct streaming *streaming = owner;
	struct error err = {0};

	(void)ws;
	if (!streaming->command) {
		if (text)
			start_message(streaming, data, len);
		else
			refuse_client(streaming,
				      "the first message is the execute object, as text");
		return;
	}
	if (!text)
		input_message(streaming, data, len);
	else if (text_message(streaming, data, len, &err) < 0)
		refuse_client(streaming, err.msg);
}

static void ws_writable(struct websocket *ws, void *owner)
{
	struct streaming *streaming = owner;

	(void)ws;
	if (streaming->command)
		command_resume(streaming->command);
}

static void ws_gone(struct websocket *ws, void *owner)
{
	struct streaming *streaming = owner;

	(void)ws;
	if (streaming->command && (streaming->exited || command_asked(streaming->command)->detach))
		command_detach(streaming->command);
	else if (streaming->command)
		command_abandon(streaming->command);
	free(streaming);
}

static const struct websocket_ops ws_ops = {
	.message = ws_message,
	.writable = ws_writable,
	.gone = ws_gone,
};

void streaming_get(struct api *api, struct exchange *x, const struct http_request *req,
		   const char *rest)
{
	struct streaming *streaming = calloc(1, sizeof(*streaming));

	(void)rest;
	if (!streaming) {
		problem_internal(x, "out of memory");
		return;
	}
	streaming->api = api;
	streaming->peer = (struct peer){.pid = req->peer->pid, .pidfd = -1};
	if (exchange_upgrade(x, &ws_ops, streaming, &streaming->ws) < 0)
		free(streaming);
}

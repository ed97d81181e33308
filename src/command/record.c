// SPDX-License-Identifier: Apache-2.0
/** Fill the trace's plain structs; the formatting is the trace's own. */
#include "command/record.h"

#include "base/clock.h"
#include "base/error.h"
#include "command/command.h"
#include "trace/span.h"
#include "trace/trace.h"

/** Until policies exist the built-in rules are the policy, and the spec's hash is their commit. */
#define POLICY_BUILTIN "builtin"

/** Write a line that was printed with the result r; what has happened waits when it must. */
static int append(struct trace *trace, bool happened, int r, const struct buf *line,
		  struct error *err)
{
	if (r < 0 || line->failed)
		return error_oom(err);
	return happened ? trace_record(trace, line->data, line->len, err)
			: trace_append(trace, line->data, line->len, err);
}

static struct span_common command_common(const struct record_command *command,
					 enum span_event event)
{
	const struct command_request *req = command->request;

	return (struct span_common){
		.event = event,
		.ts_ns = command->started_ns,
		.session_id = command->session_id,
		.span_id = command->span_id,
		.component = "world",
		.world_id = command->world_id,
		.policy_id = POLICY_BUILTIN,
		.policy_commit = command->spec_hash,
		.profile = req->profile,
		.agent_id = req->agent,
	};
}

static struct span_command command_fields(const struct record_command *command)
{
	const struct command_request *req = command->request;

	return (struct span_command){
		.cwd = command->cwd,
		.cmd = req->cmd,
		.argv = command->argv->items,
		.env = command->env,
		.env_dropped = &req->env_dropped,
		.umask = req->umask,
		.world_image = command->plan_hash,
		.plan_hash = command->plan_hash,
		.traceparent = req->traceparent,
		.limits = "unavailable",
	};
}

int record_start(struct trace *trace, const struct record_command *command, struct error *err)
{
	struct span_common common = command_common(command, SPAN_COMMAND_START);
	struct span_command fields = command_fields(command);
	AUTO(buf_done) struct buf line = {0};

	return append(trace, false, span_print_command(&line, &common, &fields), &line, err);
}

int record_complete(struct trace *trace, const struct record_command *command,
		    const struct record_result *result, struct error *err)
{
	struct span_common common = command_common(command, SPAN_COMMAND_COMPLETE);
	struct span_command fields = command_fields(command);
	AUTO(buf_done) struct buf line = {0};

	fields.ts_end_ns = clock_real_ns();
	fields.duration_ms = result->duration_ms;
	fields.status = result->status;
	fields.exit = result->exit;
	fields.signal = result->signal;
	fields.error = result->error;
	fields.user_us = result->user_us;
	fields.system_us = result->system_us;
	fields.max_rss_kib = result->max_rss_kib;
	fields.stdout_bytes = result->stdout_bytes;
	fields.stderr_bytes = result->stderr_bytes;
	fields.world_reused = result->world_reused;
	return append(trace, command->started, span_print_command(&line, &common, &fields), &line,
		      err);
}

static struct span_common session_common(struct session *session, enum span_event event)
{
	const struct spec *spec = session_spec(session);
	struct world *world = session_world(session);

	return (struct span_common){
		.event = event,
		.ts_ns = clock_real_ns(),
		.session_id = session_id(session),
		.component = "world",
		.world_id = world ? world_id(world) : NULL,
		.policy_id = POLICY_BUILTIN,
		.policy_commit = world ? world_image(world)->spec_hash : NULL,
		.profile = spec->profile,
		.agent_id = spec->agent,
	};
}

int record_world(struct trace *trace, struct session *session, const char *reason,
		 struct error *err)
{
	struct span_common common =
		session_common(session, reason ? SPAN_WORLD_STOP : SPAN_WORLD_START);
	struct world *world = session_world(session);
	struct span_world fields = {
		.project = session_spec(session)->project.root,
		.backend = "linux",
		.plan_hash = world ? world_image(world)->hash : NULL,
		.reason = reason,
		.start_us = world ? world_start_us(world) : 0,
		.landlock_abi = world ? world_landlock_abi(world) : 0,
	};
	AUTO(buf_done) struct buf line = {0};

	return append(trace, true, span_print_world(&line, &common, &fields), &line, err);
}

int record_guard(struct trace *trace, struct session *session, const struct world_guarded *what,
		 struct error *err)
{
	struct span_common common =
		session_common(session, what->aside ? SPAN_SET_ASIDE : SPAN_PROTECT_GAP);
	const struct span_guard guard = {
		.path = what->path, .kept = what->kept, .detail = what->detail};
	AUTO(buf_done) struct buf line = {0};

	common.span_id = what->span_id;
	return append(trace, true, span_print_guard(&line, &common, &guard), &line, err);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The span events as text.
 *
 * The order of the fields is part of the format: what any reader needs first, so that a reader
 * (and the writer itself) finds event_type and span_id within the first few hundred bytes.
 */
#include "trace/span.h"

#include "base/clock.h"
#include "trace/span_quote_priv.h"

#include <assert.h>
#include <errno.h>

const char *span_event_name(enum span_event event)
{
	static const char *const names[] = {
		[SPAN_COMMAND_START] = "command_start",
		[SPAN_COMMAND_COMPLETE] = "command_complete",
		[SPAN_WORLD_START] = "world_start",
		[SPAN_WORLD_STOP] = "world_stop",
		[SPAN_PROTECT_GAP] = "protect_gap",
		[SPAN_SET_ASIDE] = "set_aside",
		[SPAN_TRACE_ROTATE] = "trace_rotate",
	};

	return names[event];
}

bool span_status_known(const char *status)
{
	size_t len = strlen(status);

	for (const char *at = SPAN_STATUSES; at; at = strstr(at, ", ")) {
		at += *at == ',' ? 2 : 0;
		if (len > 0 && len == strcspn(at, ",") && strncmp(at, status, len) == 0)
			return true;
	}
	return false;
}

static void put_time(struct buf *out, const char *key, uint64_t real_ns)
{
	char text[CLOCK_TEXT_SIZE];

	clock_print(real_ns, text);
	span_quote_member(out, key, text);
}

static void put_raw(struct buf *out, const char *key, const char *json)
{
	span_quote_key(out, key);
	buf_adds(out, json);
}

/** The fields that come first. */
static void put_head(struct buf *out, const struct span_common *common)
{
	buf_addc(out, '{');
	put_time(out, "ts", common->ts_ns);
	span_quote_member(out, "event_type", span_event_name(common->event));
	span_quote_member(out, "session_id", common->session_id);
	span_quote_member(out, "span_id", common->span_id);
	span_quote_member(out, "parent_span", common->parent_span);
	span_quote_member(out, "component", common->component);
	span_quote_member(out, "world_id", common->world_id);
	span_quote_member(out, "policy_id", common->policy_id);
	span_quote_member(out, "agent_id", common->agent_id);
}

static int put_end(struct buf *out)
{
	buf_addc(out, '}');
	return out->failed ? -ENOMEM : 0;
}

/** The result.  A command that did not exit has no exit status. */
static void put_outcome(struct buf *out, const struct span_command *command)
{
	if (command->exit >= 0)
		span_quote_number(out, "exit", (uint64_t)command->exit);
	else
		put_raw(out, "exit", "null");
	put_raw(out, "scopes_used", "[]");
	put_raw(out, "fs_diff", "null");
}

static void put_status(struct buf *out, const struct span_command *command)
{
	if (command->ts_end_ns)
		put_time(out, "ts_end", command->ts_end_ns);
	span_quote_number(out, "duration_ms", command->duration_ms);
	span_quote_member(out, "status", command->status);
	if (command->signal > 0)
		span_quote_number(out, "signal", (uint64_t)command->signal);
	else
		put_raw(out, "signal", "null");
	span_quote_member(out, "error", command->error);
}

/** What it takes to run the command again. */
static void put_request(struct buf *out, const struct span_common *common,
			const struct span_command *command)
{
	static char *const none[] = {NULL};

	span_quote_list(out, "argv", command->argv);
	if (command->env)
		span_quote_list(out, "env", command->env->items ? command->env->items : none);
	if (command->env_dropped) {
		char *const *names = command->env_dropped->items;

		span_quote_list(out, "env_dropped", names ? names : none);
	}
	span_quote_number(out, "umask", command->umask);
	span_quote_member(out, "world_image", command->world_image);
	span_quote_member(out, "plan_hash", command->plan_hash);
	span_quote_member(out, "policy_commit", common->policy_commit);
	span_quote_member(out, "profile", common->profile);
	span_quote_member(out, "traceparent", command->traceparent);
}

static void put_usage(struct buf *out, const struct span_command *command)
{
	put_raw(out, "denials", "[]");
	put_raw(out, "egress", "null");
	put_raw(out, "layer", "null");
	span_quote_member(out, "limits", command->limits);
	span_quote_number(out, "user_us", command->user_us);
	span_quote_number(out, "system_us", command->system_us);
	span_quote_number(out, "max_rss_kib", command->max_rss_kib);
	span_quote_number(out, "stdout_bytes", command->stdout_bytes);
	span_quote_number(out, "stderr_bytes", command->stderr_bytes);
	put_raw(out, "world_reused", command->world_reused ? "true" : "false");
}

int span_print_command(struct buf *out, const struct span_common *common,
		       const struct span_command *command)
{
	bool complete = common->event == SPAN_COMMAND_COMPLETE;

	assert(complete || common->event == SPAN_COMMAND_START);
	put_head(out, common);
	span_quote_member(out, "cwd", command->cwd);
	span_quote_member(out, "cmd", command->cmd);
	if (complete)
		put_outcome(out, command);
	span_quote_number(out, "schema", SPAN_SCHEMA);
	if (complete)
		put_status(out, command);
	put_request(out, common, command);
	if (complete)
		put_usage(out, command);
	return put_end(out);
}

int span_print_world(struct buf *out, const struct span_common *common,
		     const struct span_world *world)
{
	put_head(out, common);
	span_quote_number(out, "schema", SPAN_SCHEMA);
	span_quote_member(out, "project", world->project);
	span_quote_member(out, "backend", world->backend);
	span_quote_member(out, "plan_hash", world->plan_hash);
	span_quote_member(out, "policy_commit", common->policy_commit);
	span_quote_member(out, "profile", common->profile);
	span_quote_member(out, "reason", world->reason);
	if (common->event == SPAN_WORLD_START) {
		span_quote_number(out, "start_us", world->start_us);
		span_quote_number(out, "landlock_abi",
				  world->landlock_abi > 0 ? (uint64_t)world->landlock_abi : 0);
	}
	return put_end(out);
}

int span_print_guard(struct buf *out, const struct span_common *common,
		     const struct span_guard *guard)
{
	put_head(out, common);
	span_quote_number(out, "schema", SPAN_SCHEMA);
	span_quote_member(out, "path", guard->path);
	span_quote_member(out, "kept", guard->kept);
	span_quote_member(out, "detail", guard->detail);
	return put_end(out);
}

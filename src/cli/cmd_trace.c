// SPDX-License-Identifier: Apache-2.0
/** `substrate trace [SPAN]`: one command, all that is recorded of it. */
#include "base/error.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/columns.h"
#include "cli/daemon_call.h"
#include "cli/display.h"

#include <errno.h>

static const struct option_spec trace_options[] = {
	OPTION_JSON,
	OPTION_HELP,
	{"follow", 0, OPTION_LATER, NULL, 0, NULL},
	OPTION_END,
};

static const struct subcommand *const trace_subs[] = {&cmd_trace_list, &cmd_trace_verify, NULL};

/** The rows of the summary: what it says, and the field it is from. */
static const struct {
	const char *label, *field;
} rows[] = {
	{"span", "span_id"},
	{"command", NULL},
	{"cwd", "cwd"},
	{"agent", "agent_id"},
	{"profile", "profile"},
	{"session", "session_id"},
	{"world", "world_id"},
	{"reused", "world_reused"},
	{"started", "ts_start"},
	{"ended", "ts_end"},
	{"duration ms", "duration_ms"},
	{"status", "status"},
	{"exit", "exit"},
	{"signal", "signal"},
	{"error", "error"},
	{"user us", "user_us"},
	{"system us", "system_us"},
	{"max rss KiB", "max_rss_kib"},
	{"stdout bytes", "stdout_bytes"},
	{"stderr bytes", "stderr_bytes"},
	{"policy", "policy_id"},
	{"plan", "plan_hash"},
	{"not passed", "env_dropped"},
};

/** Start and completion as one object; the later one wins. */
static json_t *merge_events(const json_t *events)
{
	json_t *whole = json_object();
	json_t *event;
	size_t i;

	json_array_foreach (events, i, event) {
		const char *type = json_string_value(json_object_get(event, "event_type"));

		if (!type || !str_starts(type, "command_"))
			continue;
		if (strcmp(type, "command_start") == 0)
			(void)json_object_set(whole, "ts_start", json_object_get(event, "ts"));
		(void)json_object_update(whole, event);
	}
	return whole;
}

static void print_summary(const json_t *whole, struct buf *out)
{
	AUTO(columns_done) struct columns table = {.count = 2};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const json_t *value = rows[i].field ? json_object_get(whole, rows[i].field) : whole;

		if (!value || json_is_null(value))
			continue;
		columns_add(&table, rows[i].label);
		columns_take(&table, rows[i].field ? display_value(value, DISPLAY_MAX)
						   : display_command(whole, DISPLAY_MAX));
	}
	columns_print(&table, out);
}

/** What else happened in the span. */
static void print_others(const json_t *events, struct buf *out)
{
	AUTO(columns_done) struct columns table = {.count = 5};
	const json_t *event;
	size_t i;

	json_array_foreach (events, i, event) {
		const char *type = json_string_value(json_object_get(event, "event_type"));

		if (type && str_starts(type, "command_"))
			continue;
		columns_member(&table, event, "ts", DISPLAY_MAX);
		columns_member(&table, event, "event_type", DISPLAY_MAX);
		columns_member(&table, event, "path", DISPLAY_MAX);
		columns_member(&table, event, "detail", DISPLAY_MAX);
		columns_member(&table, event, "kept", DISPLAY_MAX);
	}
	if (table.cells.count == 0)
		return;
	buf_addc(out, '\n');
	columns_print(&table, out);
}

static int show_span(struct cli *cli, const char *span, struct error *err)
{
	AUTO(value_free) json_t *answer = NULL;
	AUTO(buf_done) struct buf path = {0};

	buf_adds(&path, "/v1/trace/");
	daemon_call_segment(&path, span);
	if (path.failed)
		return error_oom(err);

	const struct daemon_call call = {.method = "GET", .path = path.data};
	int r = daemon_call_ask(&call, &answer, err);
	if (r < 0)
		return r;
	if (cli->settings.json) {
		cli_print_json(cli, answer);
		return 0;
	}

	const json_t *events = json_object_get(answer, "events");
	AUTO(value_free) json_t *whole = merge_events(events);

	print_summary(whole, &cli->out);
	print_others(events, &cli->out);
	return 0;
}

/** The id of the newest span.  The caller frees *ret. */
static int newest_span(char **ret, struct error *err)
{
	const struct daemon_call call = {.method = "GET", .path = "/v1/trace?limit=1"};
	AUTO(value_free) json_t *answer = NULL;
	int r = daemon_call_ask(&call, &answer, err);

	if (r < 0)
		return r;

	const json_t *newest = json_array_get(json_object_get(answer, "spans"), 0);
	const char *span = json_string_value(json_object_get(newest, "span_id"));
	if (!span)
		return error_set(err, ESRCH, "no command is recorded");
	*ret = strdup(span);
	return *ret ? 0 : error_oom(err);
}

static int trace_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(mem_free) char *newest = NULL;

	if (argc == 1 && !str_starts(argv[0], "spn_"))
		return subcommand_unknown(&cmd_trace, argv[0], err);
	if (argc == 1)
		return show_span(cli, argv[0], err);

	int r = newest_span(&newest, err);
	return r < 0 ? r : show_span(cli, newest, err);
}

const struct subcommand cmd_trace = {
	.name = "trace",
	.args = "[SPAN] [OPTION...]",
	.summary = "Show what is recorded of a command",
	.notes = "Without SPAN it is the newest one.\n",
	.max_args = 1,
	.options = trace_options,
	.subs = trace_subs,
	.run = trace_run,
};

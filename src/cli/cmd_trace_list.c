// SPDX-License-Identifier: Apache-2.0
/** `substrate trace list`. */
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/columns.h"
#include "cli/daemon_call.h"
#include "cli/display.h"

#include <errno.h>

#define COMMAND_SHOWN 80
#define NS_PER_S 1000000000u
#define EPOCH_MAX 4102444800 /* the year 2100 */

static const struct option_spec list_options[] = {
	{"agent", 0, OPTION_TEXT, "ID", OPTION_FIELD(agent), "Only of this agent"},
	{"status", 0, OPTION_TEXT, "STATUS", OPTION_FIELD(status),
	 "Only with this status: ok, failed, signaled, ..."},
	{"since", 0, OPTION_TEXT, "WHEN", OPTION_FIELD(since),
	 "Only since then: 90s, 15m, 2h, 7d, or @SECONDS since 1970"},
	{"limit", 0, OPTION_COUNT, "N", OPTION_FIELD(limit), "At most the newest N (50)"},
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

static const struct {
	char letter;
	long seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

/** "15m" before now, or "@1700000000", as seconds since 1970. */
static int parse_since(const char *text, long now, long *ret)
{
	size_t len = strlen(text);
	AUTO(mem_free) char *digits = len > 1 ? strndup(text, len - 1) : NULL;
	long number = 0;

	if (text[0] == '@')
		return str_to_long(text + 1, 0, EPOCH_MAX, ret);
	for (size_t i = 0; digits && i < ARRAY_LEN(units); i++) {
		if (units[i].letter != text[len - 1])
			continue;
		if (str_to_long(digits, 0, EPOCH_MAX / units[i].seconds, &number) < 0)
			return -EINVAL;
		number = now - number * units[i].seconds;
		*ret = number > 0 ? number : 0;
		return 0;
	}
	return -EINVAL;
}

static int build_path(const struct settings *settings, struct buf *path, struct error *err)
{
	char number[32];
	long since = 0;

	buf_adds(path, "/v1/trace");
	daemon_call_query(path, "agent", settings->agent);
	daemon_call_query(path, "status", settings->status);
	if (settings->since) {
		if (parse_since(settings->since, (long)(clock_real_ns() / NS_PER_S), &since) < 0)
			return error_set(err, EINVAL,
					 "option --since: '%s' is neither 90s, 15m, 2h, 7d nor @N",
					 settings->since);
		(void)snprintf(number, sizeof(number), "%ld", since);
		daemon_call_query(path, "since", number);
	}
	if (settings->limit > 0) {
		(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)settings->limit);
		daemon_call_query(path, "limit", number);
	}
	return path->failed ? error_oom(err) : 0;
}

static void print_spans(const json_t *spans, struct buf *out)
{
	static const char *const fields[] = {"span_id", "ts",          "status",
					     "exit",    "duration_ms", "agent_id"};
	static const char *const titles[] = {"SPAN", "STARTED", "STATUS", "EXIT",
					     "MS",   "AGENT",   "COMMAND"};
	AUTO(columns_done) struct columns table = {.count = ARRAY_LEN(titles)};
	const json_t *span;
	size_t i;

	if (json_array_size(spans) == 0) {
		buf_adds(out, "no commands\n");
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(titles); k++)
		columns_add(&table, titles[k]);
	json_array_foreach (spans, i, span) {
		for (size_t k = 0; k < ARRAY_LEN(fields); k++)
			columns_member(&table, span, fields[k], DISPLAY_MAX);
		columns_take(&table, display_command(span, COMMAND_SHOWN));
	}
	columns_print(&table, out);
}

static int list_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(buf_done) struct buf path = {0};
	AUTO(value_free) json_t *answer = NULL;
	int r = build_path(&cli->settings, &path, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;

	const struct daemon_call call = {.method = "GET", .path = path.data};

	r = daemon_call_ask(&call, &answer, err);
	if (r < 0)
		return r;
	if (cli->settings.json)
		cli_print_json(cli, answer);
	else
		print_spans(json_object_get(answer, "spans"), &cli->out);
	return 0;
}

const struct subcommand cmd_trace_list = {
	.name = "list",
	.args = "[OPTION...]",
	.summary = "List the commands that are recorded, newest first",
	.options = list_options,
	.run = list_run,
};

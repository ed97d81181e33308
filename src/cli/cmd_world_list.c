// SPDX-License-Identifier: Apache-2.0
/** `substrate world list` and `substrate world status`: all worlds in short, this project's in
 * full. */
#include "base/error.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/columns.h"
#include "cli/daemon_call.h"
#include "cli/display.h"
#include "cli/start_object.h"

#define COMMAND_SHOWN 80

static const struct option_spec list_options[] = {OPTION_JSON, OPTION_HELP, OPTION_END};

static const struct option_spec here_options[] = {
	OPTION_CWD,
	{"profile", 0, OPTION_TEXT, "PROFILE", OPTION_FIELD(profile), "Only of this profile"},
	{"agent", 0, OPTION_TEXT, "ID", OPTION_FIELD(agent), "Only of this agent"},
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

/** Ask `path`; with --json the answer is printed and *ret stays NULL. */
static int ask_worlds(struct cli *cli, const char *path, json_t **ret, struct error *err)
{
	const struct daemon_call call = {.method = "GET", .path = path};
	AUTO(value_free) json_t *answer = NULL;
	int r = daemon_call_ask(&call, &answer, err);

	if (r < 0)
		return r;
	if (cli->settings.json)
		cli_print_json(cli, answer);
	else
		*ret = TAKE_PTR(answer);
	return 0;
}

/** Commands whose leader has not ended. */
static size_t count_running(const json_t *commands)
{
	size_t count = 0, i;
	const json_t *command;

	json_array_foreach (commands, i, command)
		count += !json_is_false(json_object_get(command, "running"));
	return count;
}

static void print_list(const json_t *worlds, struct buf *out)
{
	static const char *const fields[] = {"world_id", "state", "agent_id", "profile"};
	static const char *const titles[] = {"WORLD",   "STATE",    "AGENT",
					     "PROFILE", "COMMANDS", "PROJECT"};
	AUTO(columns_done) struct columns table = {.count = ARRAY_LEN(titles)};
	const json_t *world;
	size_t i;

	if (json_array_size(worlds) == 0) {
		buf_adds(out, "no worlds\n");
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(titles); k++)
		columns_add(&table, titles[k]);
	json_array_foreach (worlds, i, world) {
		for (size_t k = 0; k < ARRAY_LEN(fields); k++)
			columns_member(&table, world, fields[k], DISPLAY_MAX);
		columns_take(&table,
			     str_format("%zu", count_running(json_object_get(world, "commands"))));
		columns_member(&table, world, "project", DISPLAY_MAX);
	}
	columns_print(&table, out);
}

static int list_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(value_free) json_t *answer = NULL;
	int r = ask_worlds(cli, "/v1/worlds", &answer, err);

	(void)argc;
	(void)argv;
	if (r == 0 && answer)
		print_list(json_object_get(answer, "worlds"), &cli->out);
	return r;
}

/** The rows of a world in full. */
static const struct {
	const char *label, *field;
} rows[] = {
	{"world", "world_id"},
	{"session", "session_id"},
	{"state", "state"},
	{"project", "project"},
	{"read-only", "project_read_only"},
	{"profile", "profile"},
	{"agent", "agent_id"},
	{"runs as uid", "uid"},
	{"ephemeral", "ephemeral"},
	{"started", "started"},
	{"last used", "last_used"},
	{"plan", "plan_hash"},
	{"landlock ABI", "landlock_abi"},
};

static void print_world(const json_t *world, struct buf *out)
{
	AUTO(columns_done) struct columns table = {.count = 2};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const json_t *value = json_object_get(world, rows[i].field);

		if (!value || json_is_null(value))
			continue;
		columns_add(&table, rows[i].label);
		columns_take(&table, display_value(value, DISPLAY_MAX));
	}
	columns_print(&table, out);
}

static void print_commands(const json_t *commands, struct buf *out)
{
	AUTO(columns_done) struct columns table = {.count = 4};
	const json_t *command;
	size_t i;

	json_array_foreach (commands, i, command) {
		bool ended = json_is_false(json_object_get(command, "running"));

		columns_add(&table, ended ? "  ended" : "  command");
		columns_member(&table, command, "span_id", DISPLAY_MAX);
		columns_member(&table, command, "since", DISPLAY_MAX);
		columns_take(&table, display_command(command, COMMAND_SHOWN));
	}
	columns_print(&table, out);
}

static void print_processes(const json_t *processes, struct buf *out)
{
	AUTO(columns_done) struct columns table = {.count = 4};
	const json_t *process;
	size_t i;

	json_array_foreach (processes, i, process) {
		bool survivor = json_is_true(json_object_get(process, "survivor"));

		columns_add(&table, survivor ? "  left over" : "  process");
		columns_member(&table, process, "pid", DISPLAY_MAX);
		columns_member(&table, process, "comm", DISPLAY_MAX);
		columns_member(&table, process, "span_id", DISPLAY_MAX);
	}
	columns_print(&table, out);
}

static void print_status(const json_t *worlds, struct buf *out)
{
	const json_t *world;
	size_t i;

	if (json_array_size(worlds) == 0)
		buf_adds(out, "no world stands for this project\n");
	json_array_foreach (worlds, i, world) {
		if (i > 0)
			buf_addc(out, '\n');
		print_world(world, out);
		print_commands(json_object_get(world, "commands"), out);
		print_processes(json_object_get(world, "processes"), out);
	}
}

static int here_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(value_free) json_t *answer = NULL;
	AUTO(buf_done) struct buf path = {0};
	AUTO(mem_free) char *cwd = NULL;
	int r = start_object_cwd(cli->settings.cwd, &cwd, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;
	buf_adds(&path, "/v1/worlds");
	daemon_call_query(&path, "cwd", cwd);
	daemon_call_query(&path, "profile", cli->settings.profile);
	daemon_call_query(&path, "agent", cli->settings.agent);
	if (path.failed)
		return error_oom(err);

	r = ask_worlds(cli, path.data, &answer, err);
	if (r == 0 && answer)
		print_status(json_object_get(answer, "worlds"), &cli->out);
	return r;
}

const struct subcommand cmd_world_list = {
	.name = "list",
	.args = "[OPTION...]",
	.summary = "List all worlds",
	.options = list_options,
	.run = list_run,
};

const struct subcommand cmd_world_list_here = {
	.name = "status",
	.args = "[OPTION...]",
	.summary = "Show the worlds of this project and what runs in them",
	.options = here_options,
	.run = here_run,
};

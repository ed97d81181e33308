// SPDX-License-Identifier: Apache-2.0
/** `substrate world plan`: what building the world would do, step by step. */
#include "base/error.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/daemon_call.h"
#include "cli/display.h"
#include "cli/start_object.h"

static const struct option_spec plan_options[] = {
	OPTION_CWD, OPTION_PROFILE, OPTION_AGENT, OPTION_JSON, OPTION_HELP, OPTION_END,
};

static void print_plan(const json_t *answer, struct buf *out)
{
	const json_t *line;
	size_t i;

	json_array_foreach (json_object_get(answer, "text"), i, line) {
		AUTO(mem_free) char *text = display_value(line, DISPLAY_MAX);

		if (!text)
			out->failed = true;
		else
			buf_addf(out, "%s\n", text);
	}
}

static int plan_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(value_free) json_t *answer = NULL;
	AUTO(buf_done) struct buf path = {0};
	AUTO(mem_free) char *cwd = NULL;
	int r = start_object_cwd(cli->settings.cwd, &cwd, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;
	buf_adds(&path, "/v1/worlds/plan");
	daemon_call_query(&path, "cwd", cwd);
	daemon_call_query(&path, "profile", cli->settings.profile);
	daemon_call_query(&path, "agent", cli_agent(cli));
	if (path.failed)
		return error_oom(err);

	const struct daemon_call call = {.method = "GET", .path = path.data};

	r = daemon_call_ask(&call, &answer, err);
	if (r < 0)
		return r;
	if (cli->settings.json)
		cli_print_json(cli, answer);
	else
		print_plan(answer, &cli->out);
	return 0;
}

const struct subcommand cmd_world_plan = {
	.name = "plan",
	.args = "[OPTION...]",
	.summary = "Print how the project's world is built, without building it",
	.options = plan_options,
	.run = plan_run,
};

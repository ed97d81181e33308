// SPDX-License-Identifier: Apache-2.0
/** `substrate world warm | restart | stop | kill`: questions with a body that change something. */
#include "base/error.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/daemon_call.h"
#include "cli/display.h"
#include "cli/start_object.h"
#include "json/encode.h"

#include <errno.h>

static const struct option_spec place_options[] = {
	OPTION_CWD, OPTION_PROFILE, OPTION_AGENT, OPTION_JSON, OPTION_HELP, OPTION_END,
};

static const struct option_spec stop_options[] = {
	{"all", 0, OPTION_FLAG, NULL, OPTION_FIELD(all), "Stop every world of every project"},
	OPTION_CWD,
	{"profile", 0, OPTION_TEXT, "PROFILE", OPTION_FIELD(profile), "Only of this profile"},
	{"agent", 0, OPTION_TEXT, "ID", OPTION_FIELD(agent), "Only of this agent"},
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_spec kill_options[] = {OPTION_JSON, OPTION_HELP, OPTION_END};

/** Prints an answer for a person. */
typedef void print_fn(const json_t *answer, struct buf *out);

/** POST the body, which is taken over, and print the answer. */
static int post(struct cli *cli, const char *path, json_t *body, print_fn *print, struct error *err)
{
	AUTO(value_free) json_t *owned = body;
	AUTO(value_free) json_t *answer = NULL;
	const struct daemon_call call = {.method = "POST", .path = path, .body = owned};
	int r = owned ? daemon_call_ask(&call, &answer, err) : error_oom(err);

	if (r < 0)
		return r;
	if (cli->settings.json)
		cli_print_json(cli, answer);
	else
		print(answer, &cli->out);
	return 0;
}

/** The body that names the session of this place; `agent` NULL: of any agent. */
static int place_body(const struct cli *cli, const char *agent, json_t **ret, struct error *err)
{
	AUTO(mem_free) char *cwd = NULL;
	AUTO(value_free) json_t *body = json_object();
	int r = start_object_cwd(cli->settings.cwd, &cwd, err);

	if (r < 0)
		return r;
	r = json_object_set_new(body, "cwd", encode_string(cwd));
	if (cli->settings.profile)
		r |= json_object_set_new(body, "profile", encode_string(cli->settings.profile));
	if (agent)
		r |= json_object_set_new(body, "agent_id", encode_string(agent));
	if (r < 0)
		return error_oom(err);
	*ret = TAKE_PTR(body);
	return 0;
}

static void print_world(const json_t *answer, struct buf *out)
{
	AUTO(mem_free)
	char *world = display_value(json_object_get(answer, "world_id"), DISPLAY_MAX);
	bool reused = json_is_true(json_object_get(answer, "world_reused"));

	if (!world)
		out->failed = true;
	else
		buf_addf(out, "%s %s\n", world, reused ? "is ready" : "is ready, just started");
}

static int warm_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	json_t *body = NULL;
	int r = place_body(cli, cli_agent(cli), &body, err);

	(void)argc;
	(void)argv;
	return r < 0 ? r : post(cli, "/v1/worlds/warm", body, print_world, err);
}

static int restart_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	json_t *body = NULL;
	int r = place_body(cli, cli_agent(cli), &body, err);

	(void)argc;
	(void)argv;
	return r < 0 ? r : post(cli, "/v1/worlds/restart", body, print_world, err);
}

static void print_stopped(const json_t *answer, struct buf *out)
{
	json_int_t count = json_integer_value(json_object_get(answer, "stopped"));

	buf_addf(out, "stopped %lld world%s\n", (long long)count, count == 1 ? "" : "s");
}

static int stop_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	json_t *body = NULL;
	int r = 0;

	(void)argc;
	(void)argv;
	if (cli->settings.all)
		body = json_pack("{s:b}", "all", 1);
	else
		r = place_body(cli, cli->settings.agent, &body, err);
	return r < 0 ? r : post(cli, "/v1/worlds/stop", body, print_stopped, err);
}

static void print_killed(const json_t *answer, struct buf *out)
{
	(void)answer;
	buf_adds(out, "killed\n");
}

static int kill_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	json_t *body = json_object();

	(void)argc;
	if (json_object_set_new(body, "span_id", encode_string(argv[0])) < 0) {
		json_decref(body);
		return error_oom(err);
	}
	return post(cli, "/v1/worlds/kill", body, print_killed, err);
}

const struct subcommand cmd_world_change_warm = {
	.name = "warm",
	.args = "[OPTION...]",
	.summary = "Start the project's world when it does not stand",
	.options = place_options,
	.run = warm_run,
};

const struct subcommand cmd_world_change_restart = {
	.name = "restart",
	.args = "[OPTION...]",
	.summary = "Stop the project's world with all that runs in it, and start it again",
	.options = place_options,
	.run = restart_run,
};

const struct subcommand cmd_world_change_stop = {
	.name = "stop",
	.args = "[OPTION...]",
	.summary = "Stop the project's worlds with all that runs in them",
	.options = stop_options,
	.run = stop_run,
};

const struct subcommand cmd_world_change_kill = {
	.name = "kill",
	.args = "SPAN [OPTION...]",
	.summary = "End every process of a command",
	.min_args = 1,
	.max_args = 1,
	.options = kill_options,
	.run = kill_run,
};

// SPDX-License-Identifier: Apache-2.0
/** `substrate serve`: the daemon in the foreground, for service managers. */
#include "base/error.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/daemon_call.h"
#include "proc/program.h"

#include <errno.h>
#include <unistd.h>

static const struct option_spec serve_options[] = {
	{"stop", 0, OPTION_FLAG, NULL, OPTION_FIELD(stop), "Stop the daemon that runs"},
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

static int stop_daemon(struct cli *cli, struct error *err)
{
	AUTO(value_free) json_t *body = json_object();
	AUTO(value_free) json_t *answer = NULL;
	const struct daemon_call call = {
		.method = "POST", .path = "/v1/shutdown", .body = body, .only_running = true};
	int r = body ? daemon_call_ask(&call, &answer, err) : error_oom(err);

	// A reset: it was ending already, and did not look at the request.
	if (r < 0 && r != -ENOENT && r != -ECONNRESET)
		return r;

	bool stopping = r == 0;

	if (cli->settings.json)
		buf_addf(&cli->out, "{\"stopping\":%s}\n", stopping ? "true" : "false");
	else
		buf_adds(&cli->out, stopping ? "stopping\n" : "no daemon runs\n");
	return 0;
}

static int serve_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(mem_free) char *path = NULL;
	int r;

	(void)argc;
	(void)argv;
	if (cli->settings.stop)
		return stop_daemon(cli, err);
	r = program_find("substrated", &path, err);
	if (r < 0)
		return r;

	char name[] = "substrated";
	char *const words[] = {name, NULL};

	(void)execve(path, words, cli->envp);
	r = error_errno(err, "%s", path);
	return r == -EINVAL ? -EIO : r; // not a usage error
}

const struct subcommand cmd_serve = {
	.name = "serve",
	.args = "[OPTION...]",
	.summary = "Run the daemon in the foreground",
	.notes =
		"Every command starts the daemon when it needs one; this is for service managers.\n"
		"It says when it is ready by sd_notify.\n",
	.options = serve_options,
	.run = serve_run,
};

// SPDX-License-Identifier: Apache-2.0
/** `substrate trace verify`. */
#include "base/error.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/daemon_call.h"
#include "cli/display.h"
#include "cli/exitcode.h"

static const struct option_spec verify_options[] = {
	{"head", 0, OPTION_TEXT, "HASH", OPTION_FIELD(head),
	 "Check that the trace still goes back to this head, noted earlier"},
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

static void print_verdict(const json_t *answer, bool intact, struct buf *out)
{
	AUTO(mem_free) char *lines = display_value(json_object_get(answer, "lines"), DISPLAY_MAX);
	AUTO(mem_free) char *head = display_value(json_object_get(answer, "head"), DISPLAY_MAX);
	AUTO(mem_free) char *file = display_value(json_object_get(answer, "file"), DISPLAY_MAX);
	AUTO(mem_free) char *line = display_value(json_object_get(answer, "line"), DISPLAY_MAX);
	AUTO(mem_free) char *what = display_value(json_object_get(answer, "what"), DISPLAY_MAX);

	if (!lines || !head || !file || !line || !what)
		out->failed = true;
	else if (intact)
		buf_addf(out, "intact: %s lines, head %s\n", lines, head);
	else if (file[0] != '\0')
		buf_addf(out, "not intact: %s:%s: %s\n", file, line, what);
	else
		buf_addf(out, "not intact: %s\n", what);
}

static int verify_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(buf_done) struct buf path = {0};
	AUTO(value_free) json_t *answer = NULL;

	(void)argc;
	(void)argv;
	buf_adds(&path, "/v1/trace/verify");
	daemon_call_query(&path, "head", cli->settings.head);
	if (path.failed)
		return error_oom(err);

	const struct daemon_call call = {.method = "GET", .path = path.data};
	int r = daemon_call_ask(&call, &answer, err);
	if (r < 0)
		return r;

	bool intact = json_is_true(json_object_get(answer, "intact"));

	if (cli->settings.json)
		cli_print_json(cli, answer);
	else
		print_verdict(answer, intact, &cli->out);
	return intact ? EXITCODE_OK : EXITCODE_FALSE;
}

const struct subcommand cmd_trace_verify = {
	.name = "verify",
	.args = "[OPTION...]",
	.summary = "Check the chain of hashes over the whole trace",
	.notes = "The exit status is 0 when it is intact, else 1.\n",
	.options = verify_options,
	.run = verify_run,
};

// SPDX-License-Identifier: Apache-2.0
/** `substrate doctor`, also `substrate world doctor`. */
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/columns.h"
#include "cli/daemon_call.h"
#include "cli/display.h"
#include "cli/exitcode.h"

#define REASON_SHOWN 500

static const struct option_spec doctor_options[] = {OPTION_JSON, OPTION_HELP, OPTION_END};

static void print_mechanisms(const json_t *mechanisms, struct buf *out)
{
	AUTO(columns_done) struct columns table = {.count = 3};
	const json_t *mechanism;
	size_t i;

	json_array_foreach (mechanisms, i, mechanism) {
		const json_t *remedy = json_object_get(mechanism, "remedy");

		columns_member(&table, mechanism, "name", DISPLAY_MAX);
		columns_member(&table, mechanism, "state", DISPLAY_MAX);
		if (json_is_string(json_object_get(mechanism, "reason")))
			columns_member(&table, mechanism, "reason", REASON_SHOWN);
		else
			columns_add(&table, "");
		if (!json_is_string(remedy) || !*json_string_value(remedy))
			continue;
		columns_add(&table, "");
		columns_add(&table, "remedy:");
		columns_member(&table, mechanism, "remedy", REASON_SHOWN);
	}
	columns_print(&table, out);
}

static int doctor_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	const struct daemon_call call = {.method = "GET", .path = "/v1/doctor"};
	AUTO(value_free) json_t *answer = NULL;
	int r = daemon_call_ask(&call, &answer, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;

	bool ok = json_is_true(json_object_get(answer, "ok"));

	if (cli->settings.json) {
		cli_print_json(cli, answer);
	} else {
		print_mechanisms(json_object_get(answer, "mechanisms"), &cli->out);
		buf_adds(&cli->out, ok ? "\nWorlds can be built here.\n"
				       : "\nNo world can be built here: commands are refused.\n");
	}
	return ok ? EXITCODE_OK : EXITCODE_FALSE;
}

const struct subcommand cmd_doctor = {
	.name = "doctor",
	.args = "[OPTION...]",
	.summary = "Say what this machine can enforce, and what to do about the rest",
	.notes = "The exit status is 0 when worlds can be built here, else 1.\n",
	.options = doctor_options,
	.run = doctor_run,
};

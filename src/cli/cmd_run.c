// SPDX-License-Identifier: Apache-2.0
/** `substrate run`. */
#include "cli/cmd.h"
#include "cli/run.h"

static const struct option_spec run_options[] = {RUN_OPTIONS, OPTION_HELP, OPTION_END};

static int run_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	(void)argc;
	return run_command(cli, argv, err);
}

const struct subcommand cmd_run = {
	.name = "run",
	.args = "[OPTION...] [--] CMD [ARG...]",
	.summary = "Run a command in the project's world",
	.notes = "The exit status is the command's, or\n"
		 "  2    wrong usage, or a working directory that is none\n"
		 "  124  the time was up\n"
		 "  125  substrate itself failed\n"
		 "  126  refused, or not executable\n"
		 "  127  not found\n"
		 "  128+N  ended by signal N\n",
	.min_args = 1,
	.max_args = -1,
	.operands_last = true,
	.options = run_options,
	.run = run_run,
};

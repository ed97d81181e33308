// SPDX-License-Identifier: Apache-2.0
/** `substrate` itself: -c, --version, and the table of subcommands. */
#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/exitcode.h"
#include "cli/run.h"
#include "cli/window.h"

#include <errno.h>
#include <unistd.h>

static const struct option_spec root_options[] = {
	{"command", 'c', OPTION_FINAL, "SCRIPT", OPTION_FIELD(script),
	 "Run SCRIPT with your shell in the world; ARGs follow"},
	RUN_OPTIONS,
	{"version", 0, OPTION_FLAG, NULL, OPTION_FIELD(version), "Print the version"},
	OPTION_HELP,
	OPTION_END,
};

static const struct subcommand *const root_subs[] = {
	&cmd_doctor, &cmd_run, &cmd_serve, &cmd_trace, &cmd_world, NULL,
};

static const char *const root_later[] = {
	"agents",   "apply", "approvals", "completions", "diff", "discard",
	"examples", "graph", "hook",      "layers",      "mcp",  "policy",
	"replay",   "shim",  "spec",      "undo",        "why",  NULL,
};

/** Without anything to do, and nobody to type: usage, on stderr. */
static int print_usage(const struct cli *cli, struct error *err)
{
	AUTO(buf_done) struct buf text = {0};

	subcommand_help(cli, &text);
	if (text.failed)
		return error_oom(err);
	(void)fd_write_full(STDERR_FILENO, text.data, text.len); // the status says it as well
	return EXITCODE_USAGE;
}

static int root_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	if (cli->settings.version) {
		buf_addf(&cli->out, "substrate %s\n", cli->version);
		return 0;
	}
	if (cli->settings.script)
		return run_script(cli, argc, argv, err);
	if (argc == 0)
		return window_has_all() ? run_shell(cli, err) : print_usage(cli, err);
	for (const struct subcommand *const *sub = root_subs; *sub; sub++) {
		if (strcmp((*sub)->name, argv[0]) == 0)
			return error_set(err, EINVAL, "options go after the subcommand '%s'",
					 argv[0]);
	}
	return subcommand_unknown(&cmd_root, argv[0], err);
}

const struct subcommand cmd_root = {
	.name = "substrate",
	.args = "[OPTION...] | [OPTION...] -c SCRIPT [NAME [ARG...]] | SUBCOMMAND ...",
	.summary = "Run commands in a warm sandbox, and keep a record of each",
	.notes = "  substrate run -- make test     run a command in the project's world\n"
		 "  substrate -c 'make && ls'      the same with a shell\n"
		 "  substrate                      your shell in it\n"
		 "  substrate world status         what runs in it\n"
		 "  substrate trace list           what ran\n"
		 "  substrate doctor               what this machine can enforce\n",
	.max_args = -1,
	.operands_last = true,
	.options = root_options,
	.subs = root_subs,
	.later = root_later,
	.run = root_run,
};

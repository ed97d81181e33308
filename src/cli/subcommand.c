// SPDX-License-Identifier: Apache-2.0
/** Dispatch over the tree of tables. */
#include "cli/subcommand.h"

#include "base/buf.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/suggest.h"

#include <errno.h>

static const struct option_spec help_only[] = {OPTION_HELP, OPTION_END};

static const struct subcommand *find_sub(const struct subcommand *of, const char *name)
{
	for (const struct subcommand *const *sub = of->subs; sub && *sub; sub++) {
		if (strcmp((*sub)->name, name) == 0)
			return *sub;
	}
	return NULL;
}

int subcommand_unknown(const struct subcommand *of, const char *name, struct error *err)
{
	struct suggest best = {0};

	for (const char *const *later = of->later; later && *later; later++) {
		if (strcmp(*later, name) == 0)
			return error_set(err, EINVAL, "subcommand '%s' is not available yet", name);
	}
	for (const struct subcommand *const *sub = of->subs; sub && *sub; sub++)
		suggest_consider(&best, name, (*sub)->name);
	if (!best.name)
		return error_set(err, EINVAL, "unknown subcommand '%.64s'", name);
	return error_set(err, EINVAL, "unknown subcommand '%s'; did you mean '%s'?", name,
			 best.name);
}

static int check_operands(const struct cli *cli, int count, struct error *err)
{
	const struct subcommand *cmd = cli->path[cli->depth - 1];
	AUTO(buf_done) struct buf usage = {0};

	if (count >= cmd->min_args && (cmd->max_args < 0 || count <= cmd->max_args))
		return 0;
	subcommand_path(cli, &usage);
	if (usage.failed)
		return error_oom(err);
	return error_set(err, EINVAL, "usage: %s %s", usage.data, cmd->args);
}

/** Parse the options of the current subcommand and run it. */
static int run_current(struct cli *cli, char **argv, struct error *err)
{
	const struct subcommand *cmd = cli->path[cli->depth - 1];
	int count = 0;
	int r = option_parse(cmd->options ? cmd->options : help_only, &cli->settings,
			     cmd->operands_last, argv, &count, err);

	if (r < 0)
		return r;
	if (cli->settings.help) {
		subcommand_help(cli, &cli->out);
		return 0;
	}
	if (count > 0 && cmd->subs && cmd->max_args == 0)
		return subcommand_unknown(cmd, argv[0], err);
	r = check_operands(cli, count, err);
	if (r < 0)
		return r;
	if (!cmd->run)
		return error_set(err, EINVAL, "which subcommand?");
	return cmd->run(cli, count, argv, err);
}

int subcommand_dispatch(const struct subcommand *root, struct cli *cli, char **argv,
			struct error *err)
{
	const struct subcommand *cmd = root;

	cli->depth = 0;
	while (cmd && cli->depth < CLI_DEPTH_MAX) {
		cli->path[cli->depth++] = cmd;
		cmd = argv[0] ? find_sub(cmd, argv[0]) : NULL;
		argv += cmd ? 1 : 0;
	}
	return run_current(cli, argv, err);
}

void subcommand_path(const struct cli *cli, struct buf *out)
{
	for (size_t i = 0; i < cli->depth; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", cli->path[i]->name);
}

void subcommand_help(const struct cli *cli, struct buf *out)
{
	const struct subcommand *cmd = cli->path[cli->depth - 1];

	buf_adds(out, "usage: ");
	subcommand_path(cli, out);
	buf_addf(out, " %s\n\n%s.\n", cmd->args, cmd->summary);
	if (cmd->notes)
		buf_addf(out, "\n%s", cmd->notes);
	if (cmd->subs)
		buf_adds(out, "\nSubcommands:\n");
	for (const struct subcommand *const *sub = cmd->subs; sub && *sub; sub++)
		buf_addf(out, "  %-10s %s\n", (*sub)->name, (*sub)->summary);
	buf_adds(out, "\nOptions:\n");
	option_help(cmd->options ? cmd->options : help_only, out);
}

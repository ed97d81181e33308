// SPDX-License-Identifier: Apache-2.0
/**
 * The program around the subcommands.
 *
 * Standard output is collected and written in one go, so a subcommand cannot leave half a table
 * behind, and a full disk is noticed.  The output of a command in a world does not come this way:
 * attach.c passes it on as it arrives.
 */
#include "cli/cli.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/exitcode.h"
#include "cli/std_fds.h"
#include "json/encode.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

const char *cli_env(const struct cli *cli, const char *name)
{
	size_t len = strlen(name);

	for (char *const *entry = cli->envp; *entry; entry++) {
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return (*entry)[len + 1] ? *entry + len + 1 : NULL;
	}
	return NULL;
}

/**
 * The keys of jansson's tables.  The kernel gave the process random bytes at its start; without
 * this jansson opens /dev/urandom, which costs more than the rest of it.
 */
static void seed_tables(void)
{
	const void *bytes = (const void *)getauxval(AT_RANDOM); // NOLINT(performance-no-int-to-ptr)
	size_t seed = 0;

	if (bytes)
		memcpy(&seed, bytes, sizeof(seed));
	json_object_seed(seed);
}

void cli_complain(const struct cli *cli, const struct error *err)
{
	AUTO(buf_done) struct buf line = {0};
	char text[4 * ERROR_MSG_SIZE + 1];

	// The text may quote what a world or a user made up.
	str_escape_into(err->msg, strlen(err->msg), sizeof(text) - 1, text);
	buf_addf(&line, "substrate: %s", text);
	if (err->code == EINVAL && cli->depth > 0) {
		buf_adds(&line, "; try '");
		subcommand_path(cli, &line);
		buf_adds(&line, " --help'");
	}
	buf_adds(&line, "\n");
	if (!line.failed)
		(void)fd_write_full(STDERR_FILENO, line.data, line.len); // nowhere else to say it
}

void cli_print_json(struct cli *cli, const json_t *object)
{
	encode_print(object, &cli->out);
	buf_addc(&cli->out, '\n');
}

const char *cli_agent(const struct cli *cli)
{
	if (cli->settings.agent)
		return cli->settings.agent;
	return isatty(STDERR_FILENO) || isatty(STDIN_FILENO) ? "human" : "local";
}

/** Write what was collected.  Returns `status`, what a failure makes of it, or <0. */
static int flush_output(const struct cli *cli, int status, struct error *err)
{
	if (cli->out.failed)
		return error_oom(err);
	if (cli->out.len == 0 || fd_write_full(STDOUT_FILENO, cli->out.data, cli->out.len) == 0)
		return status;
	if (errno == EPIPE)
		return EXITCODE_SIGNAL + SIGPIPE; // as for any program whose reader left
	return error_errno(err, "write standard output");
}

int cli_main(const char *version, char **argv, char *const *envp)
{
	struct cli cli = {.envp = envp, .version = version, .settings.status_fd = -1};
	struct error err = {0};
	int status = std_fds_claim(&err);

	seed_tables();
	if (status == 0)
		status = subcommand_dispatch(&cmd_root, &cli, argv[0] ? argv + 1 : argv, &err);
	if (status >= 0)
		status = flush_output(&cli, status, &err);
	if (status < 0) {
		cli_complain(&cli, &err);
		status = exitcode_of_error(-status);
	}
	buf_done(&cli.out);
	free(cli.settings.env.items);
	return status;
}

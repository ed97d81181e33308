// SPDX-License-Identifier: Apache-2.0
/** From a command line to a stream, or to exec when this is a world already. */
#include "cli/run.h"

#include "base/error.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/inside.h"
#include "cli/start_object.h"
#include "cli/std_fds.h"
#include "cli/window.h"
#include "client/client.h"
#include "json/value.h"

#include <errno.h>
#include <unistd.h>

/** The shells that understand -c as sh does. */
static const char *const shells[] = {"sh", "bash", "dash", "zsh"};

int run_command(struct cli *cli, char *const *argv, struct error *err)
{
	if (inside_world())
		return inside_exec(cli, argv, err);

	const struct settings *settings = &cli->settings;
	// A command that goes on without us has no use for our terminal.
	bool pty = settings->pty ||
		   (!settings->no_pty && !settings->json && !settings->detach && window_has_all());
	struct attach_request request = {
		.has_stdin = !settings->detach && std_fds_has_input(),
		.pty = pty,
	};
	const struct start_streams streams = {.has_stdin = request.has_stdin, .pty = pty};
	AUTO(value_free) json_t *start = NULL;
	AUTO(client_close) struct client *client = NULL;
	int r = settings->pty && settings->no_pty
			? error_set(err, EINVAL, "options --pty and --no-pty: one of them")
			: start_object_new(cli, argv, &streams, &start, err);

	r = r < 0 ? r : daemon_call_open(true, &client, err);
	if (r < 0)
		return r;
	request.start = start;
	return attach_run(cli, client, &request, err);
}

/** $SHELL when it is one that we know and it is there. */
static const char *user_shell(const struct cli *cli)
{
	const char *shell = cli_env(cli, "SHELL");

	for (size_t i = 0; shell && shell[0] == '/' && i < ARRAY_LEN(shells); i++) {
		if (str_same(path_base(shell), shells[i]) && access(shell, X_OK) == 0)
			return shell;
	}
	return "/bin/sh";
}

/** Where the shells of worlds keep their history: the user's own is not in reach. */
static int set_history(struct cli *cli, const char *shell, char **ret, struct error *err)
{
	const char *home = cli_env(cli, "HOME");

	*ret = home ? str_format("HISTFILE=%s/.cache/substrate-%s-history", home, path_base(shell))
		    : NULL;
	if (!home)
		return 0;
	if (!*ret || settings_add(&cli->settings.env, *ret) < 0)
		return error_oom(err);
	return 0;
}

int run_shell(struct cli *cli, struct error *err)
{
	const char *own = cli_env(cli, "SHELL");
	const char *shell = own && own[0] == '/' && access(own, X_OK) == 0 ? own : "/bin/sh";
	AUTO(mem_free) char *history = NULL;
	AUTO(strv_done) struct strv words = {0};
	int r = set_history(cli, shell, &history, err);

	if (r < 0)
		return r;
	return strv_add(&words, shell) < 0 ? error_oom(err) : run_command(cli, words.items, err);
}

int run_script(struct cli *cli, int argc, char *const *argv, struct error *err)
{
	AUTO(strv_done) struct strv words = {0};
	int r = strv_add(&words, user_shell(cli));

	r = r < 0 ? r : strv_add(&words, "-c");
	r = r < 0 ? r : strv_add(&words, cli->settings.script);
	for (int i = 0; i < argc && r == 0; i++)
		r = strv_add(&words, argv[i]);
	return r < 0 ? error_oom(err) : run_command(cli, words.items, err);
}

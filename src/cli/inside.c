// SPDX-License-Identifier: Apache-2.0
/**
 * exec in place of run.
 *
 * The bounds of the world hold for whatever runs in it, so --profile and --agent change nothing and
 * are accepted.  Options that promise something which nobody here could do are refused.
 */
#include "cli/inside.h"

#include "base/error.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/exitcode.h"

#include <errno.h>
#include <unistd.h>

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

bool inside_world(void)
{
	return access("/run/substrate/world", F_OK) == 0;
}

static int check_settings(const struct settings *settings, struct error *err)
{
	const struct {
		bool given;
		const char *name;
	} meaningless[] = {
		{settings->ephemeral, "--ephemeral"},
		{settings->detach, "--detach"},
		{settings->timeout_ms > 0, "--timeout"},
		{settings->status_fd >= 0, "--status-fd"},
		{settings->json, "--json"},
	};

	for (size_t i = 0; i < ARRAY_LEN(meaningless); i++) {
		if (meaningless[i].given)
			return error_set(err, EINVAL, "option %s: this is a world already",
					 meaningless[i].name);
	}
	return 0;
}

/** The environment with --env applied. */
static int build_environment(const struct cli *cli, struct strv *ret, struct error *err)
{
	int r = 0;

	for (char *const *entry = cli->envp; *entry && r == 0; entry++)
		r = strv_add(ret, *entry);
	for (size_t i = 0; i < cli->settings.env.count && r == 0; i++) {
		const char *entry = cli->settings.env.items[i];
		const char *equals = strchr(entry, '=');

		if (!equals || equals == entry)
			return error_set(err, EINVAL, "option --env: '%s' is not NAME=VALUE",
					 entry);

		AUTO(mem_free) char *name = strndup(entry, (size_t)(equals - entry));
		r = name ? strv_env_set(ret, name, equals + 1) : -ENOMEM;
	}
	return r < 0 ? error_oom(err) : 0;
}

/** Try each directory of PATH; errno says why none worked. */
static int exec_in_path(const char *path, char *const *argv, const struct strv *env)
{
	int reason = ENOENT;

	for (;;) {
		size_t len = strcspn(path, ":");
		AUTO(mem_free)
		char *file = str_format("%.*s%s%s", (int)len, path, len > 0 ? "/" : "./", argv[0]);

		if (!file)
			return -1;
		(void)execve(file, argv, env->items);
		if (errno != ENOENT && errno != ENOTDIR)
			reason = errno;
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	errno = reason;
	return -1;
}

int inside_exec(const struct cli *cli, char *const *argv, struct error *err)
{
	AUTO(strv_done) struct strv env = {0};
	int r = check_settings(&cli->settings, err);

	r = r < 0 ? r : build_environment(cli, &env, err);
	if (r < 0)
		return r;
	if (cli->settings.cwd && chdir(cli->settings.cwd) < 0) {
		(void)error_errno(err, "%s", cli->settings.cwd);
		err->code = EINVAL;
		return -EINVAL;
	}

	const char *path = strv_env(&env, "PATH");
	// An empty name is not found, although every directory of PATH has something by that name.
	if (argv[0][0] == '\0' || strchr(argv[0], '/'))
		(void)execve(argv[0], argv, env.items);
	else
		(void)exec_in_path(path ? path : PATH_DEFAULT, argv, &env);

	int status = errno == ENOENT ? EXITCODE_NOT_FOUND : EXITCODE_REFUSED;

	(void)error_errno(err, "%s", argv[0]);
	err->code = ECANCELED; // not a usage error, whatever execve() said
	cli_complain(cli, err);
	return status;
}

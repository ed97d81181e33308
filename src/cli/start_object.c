// SPDX-License-Identifier: Apache-2.0
/**
 * The execute object.
 *
 * Of the environment only what is on the list below is sent, and of the rest the names: a value
 * that is not needed cannot leak.
 */
#include "cli/start_object.h"

#include "base/error.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/window.h"
#include "json/encode.h"
#include "json/value.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const passed[] = {
	"PATH", "HOME", "USER", "LOGNAME", "SHELL",    "PWD",
	"LANG", "TZ",   "TERM", "CI",      "NO_COLOR", "COLORTERM",
};

bool start_object_passes(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		if (strlen(passed[i]) == len && memcmp(passed[i], name, len) == 0)
			return true;
	}
	if (len < 4 || memcmp(name, "LC_", 3) != 0)
		return false;
	for (size_t i = 3; i < len; i++) {
		if ((name[i] < 'A' || name[i] > 'Z') && name[i] != '_')
			return false;
	}
	return true;
}

int start_object_cwd(const char *dir, char **ret, struct error *err)
{
	if (dir && dir[0] == '\0')
		return error_set(err, EINVAL, "option --cwd: empty");

	AUTO(mem_free) char *here = dir && dir[0] == '/' ? strdup("/") : getcwd(NULL, 0);
	if (!here) {
		(void)error_errno(err, "the current directory");
		err->code = EINVAL; // a directory that is none, as with --cwd
		return -EINVAL;
	}
	// The kernel says "(unreachable)/x" for a directory outside of this root.
	if (here[0] != '/')
		return error_set(err, EINVAL, "the current directory is not reachable");

	char *cwd = path_join(here, dir ? dir : "");
	if (!cwd)
		return error_oom(err);
	*ret = cwd;
	return 0;
}

/** Sort one variable into what is sent and what is only named. */
static int add_variable(const struct cli *cli, const char *entry, json_t *env, json_t *dropped)
{
	const char *equals = strchr(entry, '=');
	size_t len = equals ? (size_t)(equals - entry) : 0;

	if (len == 0)
		return 0;
	if (!start_object_passes(entry, len))
		return json_array_append_new(dropped, encode_bytes(entry, len));

	AUTO(mem_free) char *name = strndup(entry, len);
	if (!name)
		return -1;
	// Of two values the first is what getenv() finds.  PWD is of no use for another directory.
	if (json_object_get(env, name) || (cli->settings.cwd && strcmp(name, "PWD") == 0))
		return 0;
	return json_object_set_new_nocheck(env, name, encode_string(equals + 1));
}

static int add_environment(const struct cli *cli, json_t *object, struct error *err)
{
	json_t *env = json_object();
	json_t *dropped = json_array();
	int r = json_object_set_new(object, "env", env);

	r = json_object_set_new(object, "env_dropped", dropped) < 0 ? -1 : r;
	for (char *const *entry = cli->envp; *entry && r == 0; entry++)
		r = add_variable(cli, *entry, env, dropped);
	return r < 0 ? error_oom(err) : 0;
}

/** A name the world can have: not empty, text, and no control characters. */
static bool name_is_good(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
			return false;
	}
	return len > 0 && str_is_utf8(name, len);
}

static int add_explicit(const struct cli *cli, json_t *object, struct error *err)
{
	json_t *env = json_object_get(object, "env");

	for (size_t i = 0; i < cli->settings.env.count; i++) {
		const char *entry = cli->settings.env.items[i];
		const char *equals = strchr(entry, '=');

		if (!equals || !name_is_good(entry, (size_t)(equals - entry)))
			return error_set(err, EINVAL, "option --env: '%s' is not NAME=VALUE",
					 entry);

		AUTO(mem_free) char *name = strndup(entry, (size_t)(equals - entry));
		if (!name || json_object_set_new_nocheck(env, name, encode_string(equals + 1)) < 0)
			return error_oom(err);
	}
	return 0;
}

static int add_words(char *const *argv, json_t *object, struct error *err)
{
	json_t *words = json_array();
	int r = json_object_set_new(object, "argv", words);

	for (; *argv && r == 0; argv++)
		r = json_array_append_new(words, encode_string(*argv));
	return r < 0 ? error_oom(err) : 0;
}

/** There is no call that only asks for the umask. */
static mode_t current_umask(void)
{
	mode_t mask = umask(077);

	(void)umask(mask);
	return mask;
}

static int add_size(json_t *object)
{
	unsigned rows;
	unsigned cols;

	window_size(&rows, &cols);
	return json_object_set_new(object, "rows", json_integer(rows)) |
	       json_object_set_new(object, "cols", json_integer(cols));
}

static int add_settings(const struct cli *cli, const struct start_streams *streams, json_t *object,
			struct error *err)
{
	const struct settings *settings = &cli->settings;
	AUTO(mem_free) char *cwd = NULL;
	int r = start_object_cwd(settings->cwd, &cwd, err);

	if (r < 0)
		return r;

	r = json_object_set_new(object, "cwd", encode_string(cwd));
	r |= json_object_set_new(object, "agent_id", encode_string(cli_agent(cli)));
	r |= json_object_set_new(object, "umask", json_integer(current_umask()));
	r |= json_object_set_new(object, "pty", json_boolean(streams->pty));
	r |= streams->pty ? add_size(object) : 0;
	r |= json_object_set_new(object, "stdin",
				 json_string(streams->has_stdin ? "stream" : "none"));
	if (settings->profile)
		r |= json_object_set_new(object, "profile", encode_string(settings->profile));
	if (settings->ephemeral)
		r |= json_object_set_new(object, "ephemeral", json_true());
	if (settings->detach)
		r |= json_object_set_new(object, "detach", json_true());
	if (settings->timeout_ms > 0)
		r |= json_object_set_new(object, "timeout_ms",
					 json_integer((json_int_t)settings->timeout_ms));
	return r < 0 ? error_oom(err) : 0;
}

int start_object_new(const struct cli *cli, char *const *argv, const struct start_streams *streams,
		     json_t **ret, struct error *err)
{
	AUTO(value_free) json_t *object = json_object();
	int r = object ? add_words(argv, object, err) : error_oom(err);

	r = r < 0 ? r : add_settings(cli, streams, object, err);
	r = r < 0 ? r : add_environment(cli, object, err);
	r = r < 0 ? r : add_explicit(cli, object, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

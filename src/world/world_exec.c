// SPDX-License-Identifier: Apache-2.0
/** Packing a command for init, and the texts of its refusals. */
#include "world/world_exec.h"

#include "base/error.h"
#include "base/str.h"
#include "sandbox/control.h"
#include "world/world.h"

#include <errno.h>

/** Longest piece of a command's name or directory in a message. */
#define TEXT_MAX 120

static int add_strings(char *const *list, uint32_t *ret_count, struct buf *payload)
{
	uint32_t count = 0;

	for (; list[count]; count++) {
		if (payload->failed || payload->len > CONTROL_PAYLOAD_MAX)
			return -E2BIG;
		buf_add(payload, list[count], strlen(list[count]) + 1);
	}
	*ret_count = count;
	return 0;
}

int world_exec_pack(const struct world_exec *exec, struct control_spawn *ret, struct buf *payload,
		    struct error *err)
{
	struct control_spawn spawn = {
		.flags = exec->terminal ? CONTROL_SPAWN_TERMINAL : 0,
		.umask = exec->umask & 0777U,
		.rows = exec->rows,
		.cols = exec->cols,
	};

	if (!exec->argv || !exec->argv[0] || exec->argv[0][0] == '\0')
		return error_set(err, EINVAL, "there is no command");
	buf_add(payload, exec->cwd, strlen(exec->cwd) + 1);

	int r = add_strings(exec->argv, &spawn.argc, payload);

	if (r == 0)
		r = add_strings(exec->envp, &spawn.envc, payload);
	if (payload->failed)
		return error_oom(err);
	if (r < 0 || payload->len > CONTROL_PAYLOAD_MAX)
		return error_set(err, E2BIG,
				 "the arguments and the environment are larger than %u MiB",
				 CONTROL_PAYLOAD_MAX >> 20);
	spawn.payload = (uint32_t)payload->len;
	*ret = spawn;
	return 0;
}

/** Texts of execve()'s errors; %s is the command. */
static const struct {
	int code;
	const char *text;
} exec_texts[] = {
	{EACCES, "permission denied"},
	{EPERM, "permission denied"},
	{EISDIR, "is a directory"},
	{ENOEXEC, "is neither a program nor a script with an interpreter line"},
	{ENOENT, "its interpreter is not there"},
	{E2BIG, "the arguments and the environment are too long"},
	{ELOOP, "too many symbolic links, or interpreters of interpreters"},
	{ETXTBSY, "is open for writing"},
};

static const char *exec_text(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(exec_texts); i++) {
		if (exec_texts[i].code == code)
			return exec_texts[i].text;
	}
	return strerror(code);
}

/** What each other step was doing. */
static const struct {
	enum control_step step;
	const char *text;
} step_texts[] = {
	{CONTROL_STEP_CHECK, "a protected path of the project cannot be mounted again"},
	{CONTROL_STEP_CLONE, "no process can be started in the world"},
	{CONTROL_STEP_SETUP, "the process cannot be set up"},
};

static const char *step_text(uint32_t step)
{
	for (size_t i = 0; i < ARRAY_LEN(step_texts); i++) {
		if ((uint32_t)step_texts[i].step == step)
			return step_texts[i].text;
	}
	return "the command cannot be started";
}

void world_exec_explain(const struct control_spawned *spawned, const char *name, const char *cwd,
			struct error *err)
{
	char text[TEXT_MAX + 1];
	int code = spawned->error > 0 ? spawned->error : EIO;

	if (spawned->step == CONTROL_STEP_CWD) {
		(void)str_escape_into(cwd, strlen(cwd), TEXT_MAX, text);
		(void)error_set(err, code,
				code == EACCES ? "the working directory %s cannot be entered"
					       : "the working directory %s is not visible in the "
						 "world",
				text);
		return;
	}
	(void)str_escape_into(name, strlen(name), TEXT_MAX, text);
	if (spawned->step == CONTROL_STEP_LOOKUP)
		(void)error_set(err, code, "%s: command not found", text);
	else if (spawned->step == CONTROL_STEP_EXEC)
		(void)error_set(err, code, "%s: %s", text, exec_text(code));
	else
		(void)error_set(err, code, "%s: %s", step_text(spawned->step), strerror(code));
}

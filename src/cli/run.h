// SPDX-License-Identifier: Apache-2.0
/** Running a command: what `substrate run` and `substrate -c` share. */
#pragma once

#include "cli/option.h"

struct cli;
struct error;

/** The options of both; they come before the command. */
#define RUN_OPTIONS \
	{"ephemeral", \
	 0, \
	 OPTION_FLAG, \
	 NULL, \
	 OPTION_FIELD(ephemeral), \
	 "Use a world for this command alone"}, \
		OPTION_PROFILE, OPTION_AGENT, OPTION_CWD, {"env", \
							   0, \
							   OPTION_LIST, \
							   "NAME=VALUE", \
							   OPTION_FIELD(env), \
							   "Set a variable; may be repeated"}, \
		{"timeout", \
		 0, \
		 OPTION_SECONDS, \
		 "SECONDS", \
		 OPTION_FIELD(timeout_ms), \
		 "End the command after so long, with status 124"}, \
		{"pty", \
		 0, \
		 OPTION_FLAG, \
		 NULL, \
		 OPTION_FIELD(pty), \
		 "Give the command a terminal, whatever ours are"}, \
		{"no-pty", \
		 0, \
		 OPTION_FLAG, \
		 NULL, \
		 OPTION_FIELD(no_pty), \
		 "Give it none (else it has one when stdin, stdout and stderr are)"}, \
		{"status-fd", \
		 0, \
		 OPTION_FD, \
		 "N", \
		 OPTION_FIELD(status_fd), \
		 "Write what happens to descriptor N, one JSON object a line"}, \
		{"detach", \
		 0, \
		 OPTION_FLAG, \
		 NULL, \
		 OPTION_FIELD(detach), \
		 "Print the span's id when it runs, and let it go on without us"}, \
		OPTION_JSON, RUN_LATER("isolated"), RUN_LATER("require-approval"), \
		RUN_LATER("publish"), RUN_LATER("egress-bytes"), RUN_LATER("allow-protected"), \
		RUN_LATER("wait-diff")

#define RUN_LATER(name) \
	{ \
		name, 0, OPTION_LATER, NULL, 0, NULL \
	}

/** Run argv (NULL-terminated, not empty) as the options say.  Returns its exit status, or <0. */
int run_command(struct cli *cli, char *const *argv, struct error *err);

/** Run the user's shell ($SHELL, else /bin/sh) on our terminal, with a history of the world's own.
 */
int run_shell(struct cli *cli, struct error *err);

/** Run the script of -c with the user's shell; argv are the operands after it. */
int run_script(struct cli *cli, int argc, char *const *argv, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** From argv to an exit status. */
#pragma once

#include "base/buf.h"
#include "cli/settings.h"

#include <jansson.h>

struct error;
struct subcommand;

#define CLI_DEPTH_MAX 3

/** Handed to every subcommand: the only place where what they share lives. */
struct cli {
	char *const *envp;        /**< The environment, borrowed. */
	const char *version;      /**< Of the program. */
	struct settings settings; /**< What the options say. */
	struct buf out;           /**< For stdout; written whole when the subcommand ends. */
	const struct subcommand *path[CLI_DEPTH_MAX]; /**< From the root to the current one. */
	size_t depth;                                 /**< Entries in path. */
};

/**
 * Run the program: argv as main() has it (reordered), envp its environment.  Prints one line on
 * stderr when it fails.  Returns the exit status.
 */
int cli_main(const char *version, char **argv, char *const *envp);

/** Print "substrate: <message>" on stderr at once, with what could harm a terminal escaped. */
void cli_complain(const struct cli *cli, const struct error *err);

/** Append an object to the output as --json prints it. */
void cli_print_json(struct cli *cli, const json_t *object);

/** Who acts: --agent, else "human" at a terminal and "local" elsewhere.  Borrowed. */
const char *cli_agent(const struct cli *cli);

/** The value of an environment variable, or NULL when it is unset or empty.  Borrowed. */
const char *cli_env(const struct cli *cli, const char *name);

// SPDX-License-Identifier: Apache-2.0
/**
 * Subcommands: one file each (cmd_NAME.c), one tree of tables.
 *
 * Help, arity, options and "did you mean" come from the tables, so they are the same everywhere.
 */
#pragma once

#include "cli/option.h"

struct buf;
struct cli;
struct error;

struct subcommand {
	const char *name;
	const char *args;       /**< Usage after the name, e.g. "[OPTION...] -- CMD [ARG...]". */
	const char *summary;    /**< One line, imperative mood, no full stop. */
	const char *notes;      /**< More for --help, whole lines; NULL: nothing. */
	int min_args, max_args; /**< Operands; max_args -1 means any number. */
	bool operands_last;     /**< Options end at the first operand. */
	const struct option_spec *options;
	const struct subcommand *const *subs; /**< Sorted by name, ends with NULL; or NULL. */
	const char *const *later;             /**< Names refused as not available yet; or NULL. */

	/**
	 * NULL when only the subs do something.  argv holds the operands.  Returns the exit status
	 * (>= 0), or <0 with *err set.
	 */
	int (*run)(struct cli *cli, int argc, char **argv, struct error *err);
};

/**
 * Run what argv asks of `root`: argv[0] is the first argument after root's own name; it ends with
 * NULL and is reordered.  Returns as run(); wrong usage is -EINVAL.
 */
int subcommand_dispatch(const struct subcommand *root, struct cli *cli, char **argv,
			struct error *err);

/** Say that `name` is no subcommand of `of`, and which one is close.  Returns -EINVAL. */
int subcommand_unknown(const struct subcommand *of, const char *name, struct error *err);

/** Append the help of cli->current. */
void subcommand_help(const struct cli *cli, struct buf *out);

/** Append "substrate world list", the path to cli->current. */
void subcommand_path(const struct cli *cli, struct buf *out);

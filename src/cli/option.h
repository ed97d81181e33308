// SPDX-License-Identifier: Apache-2.0
/**
 * Options as data: a table says what a subcommand accepts, one parser reads argv by it and one
 * printer makes the help of it.
 *
 * Accepted forms: --name, --name VALUE, --name=VALUE, -x, -x VALUE, -xVALUE.  "--" ends the
 * options.  Names are never abbreviated.
 */
#pragma once

#include "cli/settings.h"

struct buf;
struct error;

/** What an option does to its field. */
enum option_kind {
	OPTION_FLAG,    /**< bool: set to true. */
	OPTION_TEXT,    /**< const char *: borrowed from argv. */
	OPTION_FINAL,   /**< The same, and what follows is never an option. */
	OPTION_LIST,    /**< struct settings_list: appended. */
	OPTION_SECONDS, /**< uint64_t milliseconds, from seconds such as 1.5; more than 0. */
	OPTION_COUNT,   /**< uint64_t, more than 0. */
	OPTION_FD,      /**< int: a descriptor that is open now. */
	OPTION_LATER,   /**< Known, and refused: not available yet. */
};

/** One option.  A table ends with an entry without name. */
struct option_spec {
	const char *name; /**< Without "--". */
	char letter;      /**< 0: none. */
	enum option_kind kind;
	const char *value; /**< What help calls the value; NULL for flags. */
	size_t field;      /**< Offset in struct settings. */
	const char *help;  /**< One line. */
};

/** The options that many subcommands share. */
#define OPTION_FIELD(member) offsetof(struct settings, member)
#define OPTION_JSON \
	{ \
		"json", 0, OPTION_FLAG, NULL, OPTION_FIELD(json), "Print JSON for programs" \
	}
#define OPTION_HELP \
	{ \
		"help", 'h', OPTION_FLAG, NULL, OPTION_FIELD(help), "Print this help" \
	}
#define OPTION_CWD \
	{ \
		"cwd", 0, OPTION_TEXT, "DIR", OPTION_FIELD(cwd), "Work in DIR, not here" \
	}
#define OPTION_PROFILE \
	{ \
		"profile", 0, OPTION_TEXT, "PROFILE", OPTION_FIELD(profile), "Use this profile" \
	}
#define OPTION_AGENT \
	{ \
		"agent", 0, OPTION_TEXT, "ID", OPTION_FIELD(agent), "Act for this agent" \
	}
#define OPTION_END \
	{ \
		NULL, 0, OPTION_FLAG, NULL, 0, NULL \
	}

/**
 * Parse argv by `specs` into `settings`.  Operands are moved to the front of argv, and their
 * number is *ret_operands; with `first`, options end at the first operand.
 * -EINVAL: wrong usage, *err says what.
 */
int option_parse(const struct option_spec *specs, struct settings *settings, bool first,
		 char **argv, int *ret_operands, struct error *err);

/** Append one line of help an option. */
void option_help(const struct option_spec *specs, struct buf *out);

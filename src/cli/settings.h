// SPDX-License-Identifier: Apache-2.0
/**
 * What the options of all subcommands set.  One struct for all: a subcommand's table says which
 * of the fields its options reach.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/** A list of borrowed strings. */
struct settings_list {
	const char **items; /**< Owned array of borrowed strings. */
	size_t count;
};

/** Append a borrowed string.  Returns 0 or -ENOMEM. */
int settings_add(struct settings_list *list, const char *text);

/** Strings are borrowed from argv; NULL and zero mean not given. */
struct settings {
	bool help, version, json;
	bool ephemeral, detach, pty, no_pty; /**< run */
	bool all;                            /**< world stop */
	bool stop;                           /**< serve */
	int status_fd;                       /**< run; -1: none */
	uint64_t timeout_ms;                 /**< run; 0: none */
	uint64_t limit;                      /**< trace list; 0: the API's default */
	const char *profile, *agent, *cwd;
	const char *script;                /**< -c */
	const char *since, *status, *head; /**< trace */
	struct settings_list env;          /**< run */
};

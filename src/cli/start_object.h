// SPDX-License-Identifier: Apache-2.0
/** The execute object of the API, made from options and surroundings. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

#include <jansson.h>

struct cli;
struct error;

/** What the command's descriptors are to be. */
struct start_streams {
	bool has_stdin; /**< Else it reads from nothing. */
	bool pty;       /**< A terminal of the world's own, of our terminal's size. */
};

/**
 * Build it for the command argv (not empty) as the options say.  The caller owns *ret.  -EINVAL: an
 * option's value is wrong.
 */
int start_object_new(const struct cli *cli, char *const *argv, const struct start_streams *streams,
		     json_t **ret, struct error *err);

/** True when the variable enters a world without being asked for. */
bool start_object_passes(const char *name, size_t len);

/** "/a" for DIR, else the current directory with DIR below it.  The caller frees *ret. */
int start_object_cwd(const char *dir, char **ret, struct error *err);

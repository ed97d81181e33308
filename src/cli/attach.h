// SPDX-License-Identifier: Apache-2.0
/**
 * This process stands in for a command that runs in a world: what it reads, writes, and gets as
 * signals goes through the stream, and its status becomes ours.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

#include <jansson.h>

struct cli;
struct client;
struct error;

struct attach_request {
	const json_t *start; /**< The execute object; borrowed. */
	bool has_stdin;      /**< Read stdin and send it. */
	bool pty;            /**< The command has a terminal; ours becomes its window. */
};

/**
 * Run it to its end over the connection of `client`.  Returns the exit status, or <0 when the
 * result is not known.  A refusal is an exit status too; its reason has been printed.
 */
int attach_run(struct cli *cli, struct client *client, const struct attach_request *request,
	       struct error *err);

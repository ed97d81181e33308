// SPDX-License-Identifier: Apache-2.0
/**
 * The API client: all that the command line knows of the daemon.
 *
 * Small on purpose: it is on the path of every command.  Blocking calls on one connection.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct error;
struct client;

/** SUBSTRATE_HOME as this process sees it: $SUBSTRATE_HOME, else ~/.substrate.  Caller frees. */
int client_home(char **ret, struct error *err);

struct client_options {
	const char *home; /**< SUBSTRATE_HOME, absolute. */
	bool start;       /**< Start substrated when nothing listens. */
};

/**
 * Connect (through /proc/self/fd, for long paths), starting the daemon when asked.
 * The socket's owner must be this uid and so must the peer.  -ENOENT: no daemon.
 */
int client_open(const struct client_options *options, struct client **ret, struct error *err);

/** Close.  NULL is fine.  Returns NULL. */
struct client *client_close(struct client *client);
DEFINE_AUTO(struct client *, client_close)

/** An answer: status and parsed body (NULL when it has none).  The caller owns body. */
struct client_answer {
	int status;
	json_t *body;
};

/**
 * One request.  `body` NULL: none; it is borrowed.  A problem+json answer is an answer, not an
 * error; client_problem() turns it into one.
 */
int client_call(struct client *client, const char *method, const char *path, const json_t *body,
		struct client_answer *ret, struct error *err);

/** Set *err from a problem answer ("detail"), code by its status.  Returns -code. */
int client_problem(const struct client_answer *answer, struct error *err);

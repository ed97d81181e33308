// SPDX-License-Identifier: Apache-2.0
/** The execute object, from JSON; and results of commands, to JSON. */
#pragma once

#include "command/command.h"
#include "http/peer.h"

#include <jansson.h>

struct error;

/** The largest number of rows or columns of a terminal that is taken. */
#define TERMINAL_SIZE_MAX 9999

/**
 * Decode an execute object.  Unknown fields, wrong types and NUL bytes are -EINVAL with the
 * field's name.  The caller's own directory is taken from `peer` for a request without cwd.
 */
int request_decode(json_t *object, const struct peer *peer, struct command_request *ret,
		   struct error *err);

/** A new object with the members that every result has: exit, span_id, status, ... */
json_t *request_result(const struct command *command, const struct command_result *result);

/** The problem for a refusal: {"type", "title", "status", "detail", "exit", "span_id"}. */
json_t *request_problem(const struct command *command, const struct command_refusal *refusal);

/** The HTTP status of a refusal. */
unsigned request_problem_status(const struct command_refusal *refusal);

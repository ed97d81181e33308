// SPDX-License-Identifier: Apache-2.0
/** One question to the daemon, for the subcommands that print an answer. */
#pragma once

#include "json/value.h"

#include <stdbool.h>

struct buf;
struct client;
struct error;

/** One request.  Strings are borrowed. */
struct daemon_call {
	const char *method;
	const char *path;
	const json_t *body; /**< Borrowed; NULL: none. */
	bool only_running;  /**< Do not start a daemon: -ENOENT when there is none. */
};

/** Connect, starting the daemon when `start` says so. */
int daemon_call_open(bool start, struct client **ret, struct error *err);

/**
 * Ask.  On success the caller owns *ret (an empty object when the answer had no body).  A problem
 * is an error; "not found" is -ESRCH.
 */
int daemon_call_ask(const struct daemon_call *call, json_t **ret, struct error *err);

/** Append `?name=value` or `&name=value`, percent-encoded; nothing when value is NULL. */
void daemon_call_query(struct buf *path, const char *name, const char *value);

/** Append one segment of a path, percent-encoded. */
void daemon_call_segment(struct buf *path, const char *text);

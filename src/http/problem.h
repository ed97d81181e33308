// SPDX-License-Identifier: Apache-2.0
/** RFC 9457 problems: application/problem+json with stable types. */
#pragma once

#include <jansson.h>

struct exchange;

/** A problem.  Strings are borrowed. */
struct problem {
	unsigned status; /**< HTTP status. */
	const char
		*type; /**< Stable name, "bad-request", printed after "urn:substrate:problem:". */
	const char *title;  /**< The same for every problem of the type. */
	const char *detail; /**< This one, for a person. */
};

/** Answer the exchange with it. */
void problem_reply(struct exchange *x, const struct problem *problem);

/** Answer with a problem object of the caller's making; it is released.  NULL: out of memory. */
void problem_reply_json(struct exchange *x, unsigned status, json_t *object);

/**
 * Write a whole response straight to a socket that nobody will write to again; the connection
 * closes after it.  For clients that are refused before there is an exchange.  Best effort.
 */
void problem_send_raw(int fd, const struct problem *problem);

/** Common ones. */
void problem_bad_request(struct exchange *x, const char *detail);

/** 404: the thing or the route is not there. */
void problem_not_found(struct exchange *x, const char *detail);

/** 405: the route takes only `allowed`. */
void problem_method(struct exchange *x, const char *allowed);

/** 500: our own failure. */
void problem_internal(struct exchange *x, const char *detail);

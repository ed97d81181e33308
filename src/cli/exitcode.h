// SPDX-License-Identifier: Apache-2.0
/** The exit statuses of the program, and what leads to them. */
#pragma once

#include "base/compiler.h"

#include <jansson.h>

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FALSE =
		1, /**< The answer is no: nothing found, not intact, not everything enforced. */
	EXITCODE_USAGE = 2,     /**< Wrong usage. */
	EXITCODE_TIMEOUT = 124, /**< The command's time was up. */
	EXITCODE_FAILED = 125,  /**< substrate itself failed. */
	EXITCODE_REFUSED = 126, /**< Refused, or not executable. */
	EXITCODE_NOT_FOUND = 127,
	EXITCODE_SIGNAL = 128, /**< Plus the signal's number. */
};

/** The status for the error of a subcommand; `code` is the positive errno value. */
int exitcode_of_error(int code);

/** The status that an exit object or a problem object of the API asks for; 125 when it has none. */
int exitcode_of_object(const json_t *object);

// SPDX-License-Identifier: Apache-2.0
/**
 * Values of the API as text for a terminal.  They may come from a world, so everything that could
 * move the cursor, hide or reorder text is escaped.
 */
#pragma once

#include "base/compiler.h"

#include <jansson.h>

/** Bytes of one value that are shown, unless a caller wants less. */
#define DISPLAY_MAX 4096

/**
 * A string, {"b64": ...}, number or bool as text; a list as words, quoted where a shell would
 * need it; "-" for null and for what is missing.  Cut at `max` bytes.  The caller frees it; NULL
 * when out of memory.
 */
char *display_value(const json_t *value, size_t max);

/** The command of an object: "cmd", or else "argv". */
char *display_command(const json_t *object, size_t max);

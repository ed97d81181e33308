// SPDX-License-Identifier: Apache-2.0
/** Ids: a prefix and a UUID version 7, so ids sort by the time they were made (RFC 9562). */
#pragma once

#include <stdbool.h>

#define ID_SIZE 48 /**< Room for any id with its NUL. */

/** Make an id such as "spn_0190...".  prefix is "ses", "spn", "wld", "lyr" (at most 8 letters). */
void id_new(const char *prefix, char ret[static ID_SIZE]);

/** True when text is prefix, "_", and a canonical lower-case UUID. */
bool id_valid(const char *prefix, const char *text);

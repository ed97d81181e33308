// SPDX-License-Identifier: Apache-2.0
/** C strings and lists of them. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

/** True when text starts with prefix. */
bool str_starts(const char *text, const char *prefix);

/** True when text ends with suffix. */
bool str_ends(const char *text, const char *suffix);

/** True when both are the same text; NULL equals only NULL. */
bool str_same(const char *a, const char *b);

/** Formatted text, owned by the caller, or NULL when out of memory. */
char *str_format(const char *fmt, ...) PRINTF(1, 2);

/** Parse a whole decimal number within [min, max].  Returns 0, or -EINVAL / -ERANGE. */
int str_to_long(const char *text, long min, long max, long *ret);

/** True when `len` bytes are well-formed UTF-8 (no surrogates, nothing overlong, no NUL). */
bool str_is_utf8(const char *text, size_t len);

/**
 * Copy text for a person's terminal: control characters (C0, C1, those that hide or reorder
 * text) and bad UTF-8 become \xNN for each byte, and it is cut at `max` bytes with "...".  Caller
 * frees; NULL when out of memory.
 */
char *str_escape(const char *text, size_t len, size_t max);

/** The same into `ret`, which has room for max + 1 bytes.  Returns the length without the NUL. */
size_t str_escape_into(const char *text, size_t len, size_t max, char *ret);

/** A NULL-terminated list of owned strings.  Zero-initialise it. */
struct strv {
	char **items; /**< NULL-terminated; NULL while empty. */
	size_t count; /**< Without the terminator. */
};

/** Free it; works on a zeroed list. */
void strv_done(struct strv *list);
static inline void strv_donep(struct strv *list)
{
	strv_done(list);
}

/** Append a copy.  Returns 0 or -ENOMEM. */
int strv_add(struct strv *list, const char *text);

/** Append an owned string; frees it on failure; NULL counts as out of memory. */
int strv_take(struct strv *list, char *text);

/** True when the list holds text. */
bool strv_has(const struct strv *list, const char *text);

/** The value of "NAME=" in an environment list, or NULL.  Borrowed. */
const char *strv_env(const struct strv *list, const char *name);

/** Set NAME=value in an environment list, replacing an earlier one.  Returns 0 or -ENOMEM. */
int strv_env_set(struct strv *list, const char *name, const char *value);

// SPDX-License-Identifier: Apache-2.0
/** Path text.  Pure, but for path_real(). */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct error;

/**
 * "a/b" from "a" and "b"; one slash between.  An absolute b wins, an empty one adds nothing.
 * Caller frees; NULL when out of memory.
 */
char *path_join(const char *a, const char *b);

/** Parent of a clean absolute path ("/" for "/x" and "/").  Caller frees; NULL: no memory. */
char *path_parent(const char *path);

/** Last component, borrowed ("" for "/"). */
const char *path_base(const char *path);

/** True for an absolute path without ".", "..", "//" or a trailing slash. */
bool path_is_clean(const char *path);

/**
 * Lexically clean form of an absolute path (".." of "/" is "/").
 * Caller frees; NULL when out of memory or when path is relative.
 */
char *path_clean(const char *path);

/** True when path is dir or lies below it; both clean. */
bool path_within(const char *path, const char *dir);

/** True when path lies strictly below dir; both clean. */
bool path_below(const char *path, const char *dir);

/** realpath(): every symlink resolved, must exist.  Caller frees *ret. */
int path_real(const char *path, char **ret, struct error *err);

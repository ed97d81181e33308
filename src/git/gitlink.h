// SPDX-License-Identifier: Apache-2.0
/** The one-line files with which Git points from one directory to another.  Pure. */
#pragma once

#include "base/compiler.h"

struct error;

#define GITLINK_SIZE_MAX 8192

/**
 * The path in a `.git` file: "gitdir: PATH".  Relative paths start at the file's directory.
 * Caller frees *ret.  -EINVAL when it is no such file.
 */
int gitlink_parse(const char *text, size_t len, char **ret, struct error *err);

/**
 * The path in a `commondir` or `gitdir` file: the path alone.
 * Caller frees *ret.  -EINVAL when there is none.
 */
int gitlink_parse_path(const char *text, size_t len, char **ret, struct error *err);

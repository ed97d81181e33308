// SPDX-License-Identifier: Apache-2.0
/** The environment of a command: an allow-list, and what was left out. */
#pragma once

#include "base/str.h"
#include "world/spec.h"

#include <stdbool.h>

/** True for PATH, HOME, LANG, LC_*, TERM, ... (data/env.list). */
bool environ_passes(const char *name);

/** True for a name that may be set at all: [A-Za-z_][A-Za-z0-9_]*. */
bool environ_is_name(const char *name);

/**
 * The base environment of a world's user: HOME USER LOGNAME SHELL from passwd, a fixed PATH,
 * LANG=C.UTF-8.  Returns 0 or -ENOMEM.
 */
int environ_base(const struct spec *spec, struct strv *ret);

// SPDX-License-Identifier: Apache-2.0
/** Inside a world there is nothing to ask: the command is executed in place. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct cli;
struct error;

/** True when this process runs in a world. */
bool inside_world(void);

/**
 * Become the command.  Returns only when that fails: 126 or 127 (a line was printed), or <0;
 * -EINVAL for options that have no meaning here.
 */
int inside_exec(const struct cli *cli, char *const *argv, struct error *err);

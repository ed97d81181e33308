// SPDX-License-Identifier: Apache-2.0
/** The three descriptors a program is born with. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct error;

/**
 * Take the numbers 0 to 2 when they are closed, so that nothing we open becomes stdout by accident.
 * A closed stdin reads as empty; writing to a closed stdout or stderr still fails.
 */
int std_fds_claim(struct error *err);

/** False when stdin can never yield a byte: it was closed, or it is /dev/null. */
bool std_fds_has_input(void);

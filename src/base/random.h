// SPDX-License-Identifier: Apache-2.0
/** Random bytes from the kernel. */
#pragma once

#include <stddef.h>

/** Fill `data` with bytes nobody can predict.  Cannot fail: without them the process stops. */
void random_fill(void *data, size_t size);

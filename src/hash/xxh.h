// SPDX-License-Identifier: Apache-2.0
/** XXH3, for seeing that something changed.  Whoever chooses the bytes can make it collide. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** The 64-bit XXH3 hash, without a seed. */
uint64_t xxh_hash64(const void *data, size_t len);

// SPDX-License-Identifier: Apache-2.0
/** SipHash-2-4: a keyed hash whose collisions nobody finds who does not know the key. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Hash `len` bytes.  Equal keys give equal hashes on machines of one byte order only. */
uint64_t siphash(const uint64_t key[static 2], const void *data, size_t len);

// SPDX-License-Identifier: Apache-2.0
/** XXH3 by libxxhash. */
#include "hash/xxh.h"

#include <xxhash.h>

uint64_t xxh_hash64(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

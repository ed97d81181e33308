// SPDX-License-Identifier: Apache-2.0
/** A git index that a world wrote. */
#include "world/guard_index.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(guard_index_done) struct guard_index index = {0};

	(void)guard_index_parse(data, size, true, &index);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** A plan that plan_open() accepts can be printed to its last byte. */
#include "base/buf.h"
#include "base/error.h"
#include "sandbox/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem_free) char *blob = malloc(size ? size : 1); // aligned, and no byte too long
	struct plan plan = {0};
	struct error err = {0};

	if (!blob)
		return 0;
	if (size > 0)
		memcpy(blob, data, size);

	int r = plan_open(blob, size, &plan, &err);

	if ((r == 0) != (plan.data != NULL) || (r < 0 && err.code != -r))
		abort();
	for (uint32_t i = 0; i < plan.nops; i++) {
		AUTO(buf_done) struct buf line = {0};

		plan_print(&plan, &plan.ops[i], &line);
		if (!line.failed && line.len == 0)
			abort();
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "low/ground.h"

#include "low/ground_priv.h"

#include <stdlib.h>

static int helper(void)
{
	return GROUND_DEPTH;
}

struct ground *ground_new(void)
{
	// Not strcpy(3): a comment is not a call, and neither is "system()".
	return helper() ? calloc(1, sizeof(struct ground)) : NULL;
}

struct ground *ground_free(struct ground *ground)
{
	free(ground);
	return NULL;
}

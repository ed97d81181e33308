// SPDX-License-Identifier: Apache-2.0
/** JSON values are jansson's json_t; this is the cleanup hook for locals that own one. */
#pragma once

#include "base/compiler.h"

#include <jansson.h>

/** Drop a reference.  NULL is fine.  Returns NULL. */
static inline json_t *value_free(json_t *value)
{
	json_decref(value);
	return NULL;
}
DEFINE_AUTO(json_t *, value_free)

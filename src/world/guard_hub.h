// SPDX-License-Identifier: Apache-2.0
/** What guards ask of their hub. */
#pragma once

#include "world/guard_priv.h"

/**
 * Look at everything that `guard` covers (NULL: at everything), after all events up to here were
 * told.
 */
void guard_hub_look(struct guard_hub *hub, const struct guard *guard);

/** Something runs: look again and again until nothing does. */
void guard_hub_poll(struct guard_hub *hub);

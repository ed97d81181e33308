// SPDX-License-Identifier: Apache-2.0
/** The end of a plan: the root is closed and entered, then what the kernel refuses beyond mounts.
 */
#pragma once

struct error;
struct making;

/** Emit it. */
int confine_emit(struct making *m, struct error *err);

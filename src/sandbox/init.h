// SPDX-License-Identifier: Apache-2.0
/** PID 1 of a world. */
#pragma once

struct error;

#define INIT_CONTROL_FD 3 /**< launch_start() puts the control socket here. */

/**
 * Wait for CONTROL_GO, build the world, serve the control socket until the daemon is gone.
 * Returns 0 then, or <0 when no world could be built (the daemon has been told).
 * When it returns the process must end: that ends every process of the world.
 */
int init_run(int control, struct error *err);

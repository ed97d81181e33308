// SPDX-License-Identifier: Apache-2.0
/** What goes to init for a command, and what its refusal means to a person. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

struct control_spawned;
struct control_spawn;
struct error;
struct world_exec;

/** Fill the spawn message and append its payload.  -E2BIG, -EINVAL. */
int world_exec_pack(const struct world_exec *exec, struct control_spawn *ret, struct buf *payload,
		    struct error *err);

/** Say why a command does not run; `name` is its argv[0]. */
void world_exec_explain(const struct control_spawned *spawned, const char *name, const char *cwd,
			struct error *err);

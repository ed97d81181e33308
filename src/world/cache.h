// SPDX-License-Identifier: Apache-2.0
/**
 * Caches of tools: `~/.cache` and the like are directories below SUBSTRATE_HOME/caches, one set
 * for each profile and agent, so that a world writes nothing that the host runs or trusts later.
 */
#pragma once

struct error;
struct making;

/** Mark their places in the homes. */
int cache_mark(struct making *m, struct error *err);

/** Make the directories, and emit their binds. */
int cache_emit(struct making *m, struct error *err);

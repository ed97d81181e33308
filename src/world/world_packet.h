// SPDX-License-Identifier: Apache-2.0
/** What init says: one table of handlers, and the questions it answers. */
#pragma once

#include "world/world.h"

/** Handle world->packet (and close its descriptors).  <0: init does not speak our protocol. */
int world_packet_take(struct world *world, struct error *err);

/** Ask for the list of processes. */
int world_packet_ask(struct world *world,
		     void (*listed)(const struct world_process *processes, size_t count,
				    void *owner),
		     void *owner, struct error *err);

/** Init is dead: open questions are answered with an empty list. */
void world_packet_answer_all(struct world *world);

/** Forget open questions. */
void world_packet_drop_all(struct world *world);

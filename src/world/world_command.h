// SPDX-License-Identifier: Apache-2.0
/** The commands of a world, by the sequence number that init knows them by. */
#pragma once

#include "world/world.h"

struct control_exited;
struct control_spawned;

/** Pack and send CONTROL_SPAWN, add the command to the world. */
int world_command_new(struct world *world, const struct world_exec *exec,
		      const struct world_command_ops *ops, void *owner, struct world_command **ret,
		      struct error *err);

/**
 * Init's answer to a spawn; *master (-1: none) is taken by whoever runs it on a terminal.  False:
 * there is no such command, or its terminal is missing.
 */
bool world_command_spawned(struct world *world, uint32_t seq, const struct control_spawned *spawned,
			   int *master);

/** A command was stopped.  False: there is no such command on a terminal. */
bool world_command_stopped(struct world *world, uint32_t seq, int signo);

/** A leader ended.  False: there is no such command. */
bool world_command_exited(struct world *world, uint32_t seq, const struct control_exited *exited);

/** Init is dead: every command is told so, and freed. */
void world_command_lose_all(struct world *world, const char *reason);

/** Free every command and question without a word. */
void world_command_drop_all(struct world *world);

/** The span of a running or ended command, or NULL. */
const char *world_command_span(const struct world *world, uint32_t seq);

/** The number of a running or ended command, or 0. */
uint32_t world_command_seq(const struct world *world, const char *span_id);

/** True when pid (in the world) leads a command that runs. */
bool world_command_leads(const struct world *world, uint32_t seq, pid_t pid);

/** Note how many survivors there are; 0 forgets the ended commands. */
void world_command_set_survivors(struct world *world, unsigned survivors);

// SPDX-License-Identifier: Apache-2.0
/** `substrate world`: the table of what can be asked of worlds. */
#include "cli/cmd.h"

static const struct subcommand *const world_subs[] = {
	&cmd_doctor,
	&cmd_world_change_kill,
	&cmd_world_list,
	&cmd_world_plan,
	&cmd_world_change_restart,
	&cmd_world_list_here,
	&cmd_world_change_stop,
	&cmd_world_change_warm,
	NULL,
};

const struct subcommand cmd_world = {
	.name = "world",
	.args = "SUBCOMMAND ...",
	.summary = "Look at worlds, start and stop them",
	.subs = world_subs,
};

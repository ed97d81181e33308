// SPDX-License-Identifier: Apache-2.0
/** The table of every subcommand, named by the file it is in. */
#pragma once

#include "cli/subcommand.h"

extern const struct subcommand cmd_root;
extern const struct subcommand cmd_doctor;
extern const struct subcommand cmd_run;
extern const struct subcommand cmd_serve;

extern const struct subcommand cmd_trace;
extern const struct subcommand cmd_trace_list;
extern const struct subcommand cmd_trace_verify;

extern const struct subcommand cmd_world;
extern const struct subcommand cmd_world_change_kill;
extern const struct subcommand cmd_world_change_restart;
extern const struct subcommand cmd_world_change_stop;
extern const struct subcommand cmd_world_change_warm;
extern const struct subcommand cmd_world_list;
extern const struct subcommand cmd_world_list_here; /**< `world status` */
extern const struct subcommand cmd_world_plan;

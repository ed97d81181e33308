// SPDX-License-Identifier: Apache-2.0
/** Parts of a launch. */
#pragma once

#include <sys/types.h>

struct error;

/** Write setgroups, gid_map and uid_map of the process `pid`, which waits in its namespace. */
int launch_maps_write(pid_t pid, struct error *err);

/** Replace *err by what a person can do when no user namespace can be made.  Returns `code`. */
int launch_explain_refusal(int code, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** What this host can do for a world, found out by trying. */
#pragma once

struct error;

/**
 * Try each mechanism in a child of its own and write one JSON object and a newline to fd:
 *
 *   {"version": 1,
 *    "userns":  {"works": true},
 *    "seccomp": {"works": false, "error": "ENOSYS", "reason": "Function not implemented"},
 *    "landlock": {"works": true, "abi": 7}, ...}
 *
 * Members: userns, mountns, pidns, netns, ipcns, utsns, cgroupns, proc, seccomp, landlock,
 * max_user_namespaces, pid_max.  Nothing of what was tried is left behind.
 */
int probe_run(int fd, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/**
 * The daemon's side of a world's birth: start substrate-init in new namespaces.
 *
 * init is started with CLONE_NEWUSER|NEWNS|NEWPID|NEWNET|NEWIPC|NEWUTS|NEWCGROUP, keeps its
 * capabilities over exec through the ambient set, and waits for CONTROL_GO; meanwhile the
 * daemon writes its id maps.  After that all is control messages.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>
#include <sys/types.h>

struct error;

/** All borrowed. */
struct launch_request {
	const char *init_path; /**< substrate-init. */
	int plan_fd;           /**< Sealed memfd with the plan. */
	uint32_t harden_off;   /**< enum control_harden bits left out; 0 outside tests. */
};

/** A started init.  The owner closes both and reaps the pidfd. */
struct launch {
	pid_t pid;      /**< In the daemon's PID namespace. */
	int pidfd;      /**< Readable when init is dead. */
	int control_fd; /**< Non-blocking SOCK_SEQPACKET. */
};

/**
 * Start init, write its maps (root: identity over the ranges that /proc/self/uid_map has;
 * else the caller's uid and gid to themselves, setgroups denied), send CONTROL_GO.
 * Does not wait for CONTROL_READY.  -EPERM when user namespaces are not allowed.
 */
int launch_start(const struct launch_request *req, struct launch *ret, struct error *err);

/**
 * Clone the host tree at `source` (no symlinks) for a living world: a short-lived child joins
 * the world's user namespace with a mount namespace copied from the daemon's, clones the tree
 * there and passes it back.  Caller owns *ret_tree_fd.
 */
int launch_clone_tree(const struct launch *launch, const char *source, int *ret_tree_fd,
		      struct error *err);

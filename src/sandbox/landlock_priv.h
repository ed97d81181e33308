// SPDX-License-Identifier: Apache-2.0
/** The Landlock domain of a world. */
#pragma once

#include <stdbool.h>

/** The ABI that the kernel has, 0: none.  Probed, never told from a version. */
int landlock_abi(void);

/**
 * A ruleset that handles every right to files that this ABI knows, and keeps abstract sockets,
 * signals and (from ABI 9 on) connections to sockets in the file system inside.  Returns a
 * descriptor, or -1 with errno.
 */
int landlock_new(int abi);

/** Allow below what `fd` refers to: reading and executing, or everything.  0, or -1. */
int landlock_allow(int ruleset, int abi, int fd, bool writable);

/** Enter the domain; this thread and what it makes are in it for ever.  0, or -1. */
int landlock_enter(int ruleset);

// SPDX-License-Identifier: Apache-2.0
/** A command between clone() and execve(). */
#pragma once

/**
 * The child's whole life, for clone(CLONE_VM | CLONE_VFORK): `arg` is a struct job, whose step
 * and code it sets.  Returns only when it failed, with the exit status.
 *
 * Must: raw system calls only.  Must not: allocate, lock, log, or keep anything of init's.
 */
int exec_child_main(void *arg);

// SPDX-License-Identifier: Apache-2.0
/** Removing trees that a world made without holding anybody up. */
#pragma once

struct error;
struct worker;

/**
 * Remove `name` (one component) from the directory `dirfd`, in slices in the worker; what cannot
 * be removed stays.  Without a worker it is removed before this returns.
 */
int aside_remove(struct worker *worker, int dirfd, const char *name, struct error *err);

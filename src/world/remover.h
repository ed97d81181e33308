// SPDX-License-Identifier: Apache-2.0
/** Removing trees that a world made, in the background. */
#pragma once

#include "base/compiler.h"

struct error;
struct loop;
struct remover;

/** Start its thread.  On success the caller owns *ret. */
int remover_new(struct loop *loop, struct remover **ret, struct error *err);

/** What was not removed yet stays.  NULL is fine.  Returns NULL. */
struct remover *remover_free(struct remover *remover);
DEFINE_AUTO(struct remover *, remover_free)

/**
 * Remove `name` (one component) from the directory `dirfd` (may be O_PATH; not kept).  It has a
 * harmless name, so what cannot be removed stays: a tree that is deeper than we go, one
 * that grows as fast, and what comes while 256 others wait.
 */
void remover_take(struct remover *remover, int dirfd, const char *name);

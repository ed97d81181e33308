// SPDX-License-Identifier: Apache-2.0
/**
 * The host's file system as a world sees it.
 *
 * A directory whose entries must be handled one by one is a skeleton: a directory of the world's
 * root, which is sealed read-only once all stands.  Everything else is bound whole.
 */
#pragma once

struct error;
struct making;

/** Emit "/" and what is below it.  Own mounts are left as empty directories. */
int view_root(struct making *m, struct error *err);

/**
 * Emit what is kept or shown below an own mount that stands at path: directories which lead
 * there, fixed so that nobody can rename them, and what is shown itself.
 */
int view_below(struct making *m, const char *path, struct error *err);

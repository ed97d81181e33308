// SPDX-License-Identifier: Apache-2.0
/**
 * Guarding a project from the host's side while commands run in it.
 *
 * Mounts protect what exists when a world is built.  A guard looks after the rest: protected
 * paths that appear later are set aside, git configuration that commands may not change is put
 * back, repositories that commands make are defused.  Everything below a project is hostile.
 *
 * Worlds of one daemon share a hub: who wrote a file cannot be seen, so a change counts as the
 * host's only while no world that can write the place has a command or a survivor.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct error;
struct guard;
struct guard_hub;
struct guard_watch;
struct image;
struct loop;
struct spec;

/** Make a hub.  On success the caller owns *ret. */
int guard_hub_new(struct loop *loop, struct guard_hub **ret, struct error *err);

/** Free a hub that has no guards left.  NULL is fine.  Returns NULL. */
struct guard_hub *guard_hub_free(struct guard_hub *hub);
DEFINE_AUTO(struct guard_hub *, guard_hub_free)

/** The hub's watched directories, for others who watch. */
struct guard_watch *guard_hub_watch(struct guard_hub *hub);

/** Something was set aside, or put back.  Borrowed for the call. */
struct guard_record {
	const char *path;   /**< Host path. */
	const char *kept;   /**< Where what was there is kept, or NULL. */
	const char *detail; /**< What was done, for a person. */
};

/** All borrowed for the call, but for `owner`. */
struct guard_options {
	struct guard_hub *hub;
	const struct spec *spec;
	const struct image *image;
	const char *world_id; /**< Names the folder below aside/ when no command has run. */
	void (*guarded)(const struct guard_record *record, void *owner);
	/** A mounted protected entry was replaced on the host: init must look at its mounts. */
	void (*check)(void *owner);
	void *owner;
};

/** Guard the project of a world that is about to start.  On success the caller owns *ret. */
int guard_new(const struct guard_options *options, struct guard **ret, struct error *err);

/** Stop guarding; nothing is checked any more.  NULL is fine.  Returns NULL. */
struct guard *guard_free(struct guard *guard);
DEFINE_AUTO(struct guard *, guard_free)

/**
 * A command is about to start.  What the host changed while nothing ran is taken for good.
 * -ESTALE: a protected path appeared that the world's mounts do not cover.
 */
int guard_enter(struct guard *guard, const char *span_id, struct error *err);

/** A command ended (or did not start) and left `survivors` processes: check everything. */
void guard_leave(struct guard *guard, const char *span_id, unsigned survivors);

/** The span that things are kept for: of the command that runs or ran last, else the world's id. */
const char *guard_span(const struct guard *guard);

/** Everything in the world is dead: finish what is done in the background. */
void guard_finish(struct guard *guard);

/** So many processes that no running command leads are in the world. */
void guard_set_survivors(struct guard *guard, unsigned survivors);

/**
 * True when nothing runs in the world and its mounts do not fit the project any more, because
 * the host made, removed or replaced something protected: build another.
 */
bool guard_is_stale(struct guard *guard);

/** Init answered a check. */
void guard_checked(struct guard *guard);

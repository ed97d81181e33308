// SPDX-License-Identifier: Apache-2.0
/** What the files of the guard share. */
#pragma once

#include "base/id.h"
#include "base/str.h"
#include "loop/timer.h"
#include "world/aside.h"
#include "world/guard.h"
#include "world/guard_root.h"
#include "world/guard_sweep.h"
#include "world/guard_watch.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct guard_config;
struct guard_dir;
struct guard_entry;
struct guard_repo;

struct guard_hub {
	struct loop *loop;
	struct remover *remover; /**< Removes what is set aside and not kept. */
	struct guard_watch *watch;
	struct guard *guards;
	struct guard_dir *dirs;
	struct guard_config *configs;
	struct guard_repo *repos;
	struct timer settle_timer; /**< Configuration that was written to is looked at then. */
	struct timer poll_timer;   /**< Runs while anything runs: for what makes no event. */
	uint64_t entered;          /**< Counts guard_enter(): the newest command has the highest. */
	unsigned kept;             /**< Directories that stay open, see guard_path_keep(). */
	unsigned depth;            /**< Repositories that are being looked at, one in another. */
	bool overflow;             /**< Events were lost. */
	bool final;                /**< The last thing that ran has ended: look at all. */
};

/** An entry of a guard's project, and whether the world's mounts cover it. */
struct guard_ref {
	struct guard_entry *entry;
	bool had;                    /**< A mount covers it. */
	struct guard_identity built; /**< What stood there when the world was built. */
};

struct guard {
	struct guard *next;
	struct guard_hub *hub;
	void (*guarded)(const struct guard_record *record, void *owner);
	void (*check)(void *owner);
	void *owner;
	char world_id[ID_SIZE];
	char last_span[ID_SIZE];
	struct aside *aside;
	struct strv roots; /**< Host directories that the world can write. */
	struct strv spans; /**< Of running commands, oldest first. */
	unsigned survivors;
	unsigned checks;  /**< Asked of init and not answered. */
	uint64_t entered; /**< hub->entered of its newest command. */
	struct guard_ref *refs;
	size_t nrefs;
	struct guard_config **configs;
	size_t nconfigs;
	struct guard_root root;
	struct guard_sweep sweep;
	bool sweeping;          /**< A sweep found something: it counts as busy. */
	uint64_t first_busy_ns; /**< CLOCK_REALTIME: start of the first command, 0: none yet. */
	uint64_t last_busy_ns;  /**< End of the last one. */
	unsigned told;          /**< Records since it became busy. */
	unsigned untold;        /**< Those beyond the limit. */
};

/** True when something runs in the guard's world. */
bool guard_is_busy(const struct guard *guard);

/** True when the guard's world can write path. */
bool guard_covers(const struct guard *guard, const char *path);

/** The busy guard that can write below path and whose command is the newest, or NULL. */
struct guard *guard_writer(const struct guard_hub *hub, const char *path);

/**
 * Whether a world may have changed something at `path`, by its change time, which no world can
 * set: true between the start of the first command of a world that can write there and the end
 * of the last one.
 */
bool guard_touched(const struct guard_hub *hub, const char *path, const struct timespec *when);

/** Tell the owner.  result may be NULL; `what` says what was done. */
void guard_tell(struct guard *guard, const char *path, const struct aside_result *result,
		const char *what);

/**
 * Set dirfd/name aside and tell it.  Returns 0 (also when it was gone already) or -errno, which
 * is told too; with `why` NULL nothing is told of a failure.
 */
int guard_set_aside(struct guard *guard, int dirfd, const char *name, const char *path,
		    const char *why);

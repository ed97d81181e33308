// SPDX-License-Identifier: Apache-2.0
/**
 * The hub: when to look, and at what.
 *
 * Protected paths are judged as soon as an event names them.  Configuration and repositories
 * are looked at SETTLE_MS after the first event, so that a file is not read half-written, and
 * every POLL_MS while anything runs, for writes that make no event.
 */
#include "world/guard_hub.h"

#include "base/error.h"
#include "world/guard_config.h"
#include "world/guard_path.h"
#include "world/guard_repo.h"
#include "world/remover.h"

#include <errno.h>

#define SETTLE_MS 20
#define POLL_MS 1000

/* Looking ------------------------------------------------------------------------------ */

/** What to look at. */
struct scope {
	bool all;                  /**< Also at what no event named. */
	bool loose;                /**< Then also at repositories that no index leads to. */
	const struct guard *guard; /**< Only at what this one covers; NULL: everywhere. */
};

static bool in_scope(const struct scope *scope, const char *path)
{
	return !scope->guard || guard_covers(scope->guard, path);
}

static void judge_paths(struct guard_hub *hub, const struct scope *scope)
{
	for (struct guard_dir *dir = hub->dirs; dir; dir = dir->next) {
		for (struct guard_entry *entry = dir->entries; entry; entry = entry->next) {
			if ((!scope->all && !entry->dirty) || !in_scope(scope, entry->path))
				continue;
			guard_path_hold(dir);
			guard_path_judge(entry);
		}
		guard_path_release(dir);
	}
}

static void check_configs(struct guard_hub *hub, const struct scope *scope)
{
	for (struct guard_config *config = hub->configs; config; config = config->next) {
		bool wanted = config->dirty || (scope->all && (scope->loose || !config->loose));

		if (wanted && in_scope(scope, config->path))
			guard_config_check(config);
	}
}

/** Those that no index leads to are many in some places, and sweeps look after them. */
static bool is_wanted(const struct scope *scope, const struct guard_repo *repo)
{
	if (repo->dead || !in_scope(scope, repo->path))
		return false;
	return repo->dirty || (scope->all && (scope->loose || !repo->loose));
}

/** Repositories that are found meanwhile are put in front, and were looked at. */
static void check_repos(struct guard_hub *hub, const struct scope *scope)
{
	for (struct guard *guard = hub->guards; guard; guard = guard->next) {
		if (guard->root.path && (scope->all || guard->root.dirty) &&
		    in_scope(scope, guard->root.path))
			guard_root_look(guard, !guard_writer(hub, guard->root.path));
	}
	for (struct guard_repo *repo = hub->repos; repo; repo = repo->next) {
		if (is_wanted(scope, repo))
			guard_repo_check(repo);
	}
	guard_repo_prune(hub);
}

static void look(struct guard_hub *hub, const struct scope *scope)
{
	judge_paths(hub, scope);
	check_repos(hub, scope);
	check_configs(hub, scope);
}

/** True when something that takes its time to settle has an event. */
static bool any_dirty(const struct guard_hub *hub)
{
	for (const struct guard_config *config = hub->configs; config; config = config->next) {
		if (config->dirty)
			return true;
	}
	for (const struct guard_repo *repo = hub->repos; repo; repo = repo->next) {
		if (repo->dirty)
			return true;
	}
	for (const struct guard *guard = hub->guards; guard; guard = guard->next) {
		if (guard->root.dirty)
			return true;
	}
	return false;
}

void guard_hub_look(struct guard_hub *hub, const struct guard *guard)
{
	const struct scope scope = {.all = true, .loose = !guard, .guard = guard};

	guard_watch_drain(hub->watch);
	(void)guard_path_reopen(hub);
	look(hub, &scope);
}

static bool any_busy(const struct guard_hub *hub)
{
	for (const struct guard *guard = hub->guards; guard; guard = guard->next) {
		if (guard_is_busy(guard))
			return true;
	}
	return false;
}

static void poll_due(struct timer *timer)
{
	struct guard_hub *hub = container_of(timer, struct guard_hub, poll_timer);

	if (!any_busy(hub))
		return;
	guard_hub_look(hub, NULL);
	timer_start(hub->loop, &hub->poll_timer, POLL_MS, poll_due);
}

static void settle_due(struct timer *timer)
{
	struct guard_hub *hub = container_of(timer, struct guard_hub, settle_timer);

	const struct scope scope = {.all = false};

	check_repos(hub, &scope);
	check_configs(hub, &scope);
}

static void on_overflow(void *owner)
{
	struct guard_hub *hub = owner;

	hub->overflow = true;
}

static void on_settled(void *owner)
{
	struct guard_hub *hub = owner;
	const struct scope scope = {.all = guard_path_reopen(hub) || hub->overflow, .loose = true};

	hub->overflow = false;
	if (scope.all) {
		look(hub, &scope);
		return;
	}
	judge_paths(hub, &scope);
	if (any_dirty(hub) && !hub->settle_timer.loop)
		timer_start(hub->loop, &hub->settle_timer, SETTLE_MS, settle_due);
}

static const struct guard_watch_ops watch_ops = {
	.overflow = on_overflow,
	.settled = on_settled,
};

/* The hub ------------------------------------------------------------------------------ */

int guard_hub_new(struct loop *loop, struct guard_hub **ret, struct error *err)
{
	struct guard_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return error_oom(err);
	hub->loop = loop;

	int r = remover_new(loop, &hub->remover, err);

	if (r == 0)
		r = guard_watch_new(loop, &watch_ops, hub, &hub->watch, err);
	if (r < 0) {
		hub->remover = remover_free(hub->remover);
		free(hub);
		return error_wrap(err, r, "projects cannot be guarded");
	}
	*ret = hub;
	return 0;
}

struct guard_hub *guard_hub_free(struct guard_hub *hub)
{
	if (!hub)
		return NULL;
	timer_stop(&hub->settle_timer);
	timer_stop(&hub->poll_timer);
	hub->watch = guard_watch_free(hub->watch);
	hub->remover = remover_free(hub->remover);
	free(hub);
	return NULL;
}

struct guard_watch *guard_hub_watch(struct guard_hub *hub)
{
	return hub->watch;
}

void guard_hub_poll(struct guard_hub *hub)
{
	if (!hub->poll_timer.loop)
		timer_start(hub->loop, &hub->poll_timer, POLL_MS, poll_due);
}

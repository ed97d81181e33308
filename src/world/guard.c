// SPDX-License-Identifier: Apache-2.0
/**
 * Guards and their hub.
 *
 * How it works.  Three things make the hub look: an event in a watched directory (protected
 * paths at once, configuration after SETTLE_MS, so that a file is not read half-written), the
 * end of a command (everything, before its owner is told), and a slow poll while anything runs,
 * for writes that make no event (a mapped file, another link of it).
 *
 * Whose change it is: nobody can see.  While no world that can write the place is busy (has a
 * command or a survivor) it is the host's and is accepted; else it is put on the newest command.
 */
#include "world/guard.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/plan.h"
#include "world/compile.h"
#include "world/guard_config.h"
#include "world/guard_path.h"
#include "world/guard_priv.h"
#include "world/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SETTLE_MS 20
#define POLL_MS 1000

/* Who writes --------------------------------------------------------------------------- */

bool guard_is_busy(const struct guard *guard)
{
	return guard->spans.count > 0 || guard->survivors > 0;
}

bool guard_covers(const struct guard *guard, const char *path)
{
	for (size_t i = 0; i < guard->roots.count; i++) {
		if (path_within(path, guard->roots.items[i]))
			return true;
	}
	return false;
}

struct guard *guard_writer(const struct guard_hub *hub, const char *path)
{
	struct guard *newest = NULL;

	for (struct guard *guard = hub->guards; guard; guard = guard->next) {
		if (guard_is_busy(guard) && guard_covers(guard, path) &&
		    (!newest || guard->entered > newest->entered))
			newest = guard;
	}
	return newest;
}

const char *guard_span(const struct guard *guard)
{
	if (guard->spans.count > 0)
		return guard->spans.items[guard->spans.count - 1];
	return guard->last_span[0] ? guard->last_span : guard->world_id;
}

/* Telling ------------------------------------------------------------------------------ */

void guard_tell(struct guard *guard, const char *path, const struct aside_result *result,
		const char *what)
{
	AUTO(mem_free) char *detail = NULL;

	if (result && result->hidden[0])
		detail = str_format("%s; it is there under the name %s", what, result->hidden);
	else if (result && !result->kept && result->partial)
		detail = str_format("%s; too much was kept already", what);
	else if (result && result->partial)
		detail = str_format("%s; only a part could be kept", what);

	const struct guard_record record = {
		.path = path,
		.kept = result ? result->kept : NULL,
		.detail = detail ? detail : what,
	};
	guard->guarded(&record, guard->owner);
}

int guard_set_aside(struct guard *guard, int dirfd, const char *name, const char *path,
		    const char *why)
{
	AUTO(aside_result_done) struct aside_result result = {0};
	AUTO(mem_free) char *what = NULL;
	struct error err = {0};
	int r = aside_move(guard->aside, guard_span(guard), dirfd, name, &result, &err);

	if (r == -ENOENT)
		return 0;
	if (r < 0 && !why)
		return r;
	what = r < 0 ? str_format("could not be set aside: %s", err.msg)
		     : str_format("set aside: %s", why ? why : "it could not be before");
	guard_tell(guard, path, &result, what ? what : "set aside");
	return r;
}

/* Looking ------------------------------------------------------------------------------ */

static void judge_paths(struct guard_hub *hub, bool all)
{
	for (struct guard_dir *dir = hub->dirs; dir; dir = dir->next) {
		for (struct guard_entry *entry = dir->entries; entry; entry = entry->next) {
			if (all || entry->dirty)
				guard_path_judge(entry);
		}
	}
}

static void check_configs(struct guard_hub *hub, bool all)
{
	for (struct guard_config *config = hub->configs; config; config = config->next) {
		if (all || config->dirty)
			guard_config_check(config);
	}
}

static bool any_dirty_config(const struct guard_hub *hub)
{
	for (const struct guard_config *config = hub->configs; config; config = config->next) {
		if (config->dirty)
			return true;
	}
	return false;
}

/** Look at everything, after all events up to here were told. */
static void look_at_all(struct guard_hub *hub)
{
	guard_watch_drain(hub->watch);
	(void)guard_path_reopen(hub);
	judge_paths(hub, true);
	check_configs(hub, true);
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
	look_at_all(hub);
	timer_start(hub->loop, &hub->poll_timer, POLL_MS, poll_due);
}

static void settle_due(struct timer *timer)
{
	struct guard_hub *hub = container_of(timer, struct guard_hub, settle_timer);

	check_configs(hub, false);
}

static void on_overflow(void *owner)
{
	struct guard_hub *hub = owner;

	hub->overflow = true;
}

static void on_settled(void *owner)
{
	struct guard_hub *hub = owner;
	bool all = guard_path_reopen(hub) || hub->overflow;

	hub->overflow = false;
	judge_paths(hub, all);
	if (all)
		check_configs(hub, true);
	else if (any_dirty_config(hub) && !hub->settle_timer.loop)
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

	int r = guard_watch_new(loop, &watch_ops, hub, &hub->watch, err);

	if (r < 0) {
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
	free(hub);
	return NULL;
}

struct guard_watch *guard_hub_watch(struct guard_hub *hub)
{
	return hub->watch;
}

/* Making a guard ----------------------------------------------------------------------- */

static int add_roots(struct guard *guard, const struct spec *spec, struct error *err)
{
	const struct spec_project *project = &spec->project;
	int r = 0;

	if (!project->read_only)
		r = strv_add(&guard->roots, project->root);
	if (r == 0 && !project->read_only && project->common_dir)
		r = strv_add(&guard->roots, project->common_dir);
	for (size_t i = 0; r == 0 && i < spec->write.count; i++)
		r = strv_add(&guard->roots, spec->write.items[i]);
	return r < 0 ? error_oom(err) : 0;
}

static int add_entries(struct guard *guard, const struct strv *paths, bool had, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		struct guard_ref *ref = &guard->refs[guard->nrefs];
		int r = guard_path_add(guard->hub, paths->items[i], &ref->entry, err);

		if (r < 0)
			return r;
		ref->had = had;
		if (ref->entry)
			guard->nrefs++;
	}
	return 0;
}

static int add_configs(struct guard *guard, const struct strv *paths, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		AUTO(mem_free) char *parent = path_parent(paths->items[i]);
		struct guard_dir *dir = NULL;
		int r = parent ? guard_path_enter(guard->hub, parent, &dir, err) : error_oom(err);

		if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
			continue;
		if (r == 0) {
			r = guard_config_add(guard->hub, dir->fd, paths->items[i], false,
					     &guard->configs[guard->nconfigs], err);
			guard_path_leave(dir);
		}
		if (r < 0)
			return r;
		guard->nconfigs++;
	}
	return 0;
}

static int fill(struct guard *guard, const struct guard_options *options, struct error *err)
{
	const struct image *image = options->image;
	size_t nrefs = image->protect_have.count + image->protect_miss.count;

	guard->refs = calloc(nrefs + 1, sizeof(struct guard_ref));
	guard->configs = calloc(image->git_configs.count + 1, sizeof(struct guard_config *));
	if (!guard->refs || !guard->configs)
		return error_oom(err);

	int r = aside_new(options->spec->substrate_home, &guard->aside, err);

	if (options->spec->guards_off & (1U << PLAN_GUARD_PROTECT))
		return r; // a test wants to see what happens without
	if (r == 0)
		r = add_roots(guard, options->spec, err);
	if (r == 0)
		r = add_entries(guard, &image->protect_have, true, err);
	if (r == 0)
		r = add_entries(guard, &image->protect_miss, false, err);
	if (r == 0)
		r = add_configs(guard, &image->git_configs, err);
	return r < 0 ? error_wrap(err, r, "guard the project") : 0;
}

int guard_new(const struct guard_options *options, struct guard **ret, struct error *err)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return error_oom(err);
	guard->hub = options->hub;
	guard->guarded = options->guarded;
	guard->check = options->check;
	guard->owner = options->owner;
	(void)strncpy(guard->world_id, options->world_id, ID_SIZE - 1);
	guard->next = guard->hub->guards;
	guard->hub->guards = guard;

	int r = fill(guard, options, err);

	if (r < 0) {
		(void)guard_free(guard);
		return r;
	}
	*ret = guard;
	return 0;
}

struct guard *guard_free(struct guard *guard)
{
	if (!guard)
		return NULL;

	struct guard **link = &guard->hub->guards;

	while (*link != guard)
		link = &(*link)->next;
	*link = guard->next;
	for (size_t i = 0; i < guard->nrefs; i++)
		guard_path_drop(guard->refs[i].entry);
	for (size_t i = 0; i < guard->nconfigs; i++)
		guard_config_drop(guard->configs[i]);
	guard->aside = aside_free(guard->aside);
	strv_done(&guard->roots);
	strv_done(&guard->spans);
	free(guard->refs);
	free(guard->configs);
	free(guard);
	return NULL;
}

/* Commands ----------------------------------------------------------------------------- */

/** What the host did while nobody ran: accept it. */
static void accept_changes(struct guard *guard)
{
	struct guard_hub *hub = guard->hub;

	for (size_t i = 0; i < guard->nrefs; i++) {
		struct guard_entry *entry = guard->refs[i].entry;

		if (entry->dirty && !guard_writer(hub, entry->path))
			guard_path_accept(entry);
	}
	for (size_t i = 0; i < guard->nconfigs; i++) {
		if (!guard_writer(hub, guard->configs[i]->path))
			guard_config_accept(guard->configs[i]);
	}
}

/** The first protected path that the mounts of the guard's world do not fit, or NULL. */
static const char *uncovered(const struct guard *guard)
{
	for (size_t i = 0; i < guard->nrefs; i++) {
		const struct guard_entry *entry = guard->refs[i].entry;

		if (entry->exists != guard->refs[i].had)
			return entry->path;
	}
	return NULL;
}

bool guard_is_stale(struct guard *guard)
{
	if (guard_is_busy(guard))
		return false;
	guard_watch_drain(guard->hub->watch);
	accept_changes(guard);
	return uncovered(guard) != NULL;
}

/** What could not be put back after an earlier command must be before this one. */
static int retry_failed(struct guard *guard, struct error *err)
{
	for (size_t i = 0; i < guard->nconfigs; i++) {
		struct guard_config *config = guard->configs[i];

		if (config->failed)
			guard_config_check(config);
		if (config->failed)
			return error_set(err, EPERM, "%s was changed and cannot be put back",
					 config->path);
	}
	return 0;
}

static void pop_span(struct guard *guard, const char *span_id)
{
	struct strv *spans = &guard->spans;

	for (size_t i = spans->count; i-- > 0;) {
		if (strcmp(spans->items[i], span_id) != 0)
			continue;
		free(spans->items[i]);
		spans->count--;
		memmove(&spans->items[i], &spans->items[i + 1],
			(spans->count - i + 1) * sizeof(*spans->items));
		return;
	}
}

int guard_enter(struct guard *guard, const char *span_id, struct error *err)
{
	guard_watch_drain(guard->hub->watch);
	if (!guard_is_busy(guard)) {
		accept_changes(guard);
		if (uncovered(guard))
			return error_set(err, ESTALE,
					 "%s was made or removed just before; try again",
					 uncovered(guard));
	}
	if (strv_add(&guard->spans, span_id) < 0)
		return error_oom(err);
	guard->entered = ++guard->hub->entered;

	int r = retry_failed(guard, err);

	if (r < 0) {
		pop_span(guard, span_id);
		return r;
	}
	if (!guard->hub->poll_timer.loop)
		timer_start(guard->hub->loop, &guard->hub->poll_timer, POLL_MS, poll_due);
	return 0;
}

void guard_leave(struct guard *guard, const char *span_id, unsigned survivors)
{
	look_at_all(guard->hub);
	(void)strncpy(guard->last_span, span_id, ID_SIZE - 1);
	pop_span(guard, span_id);
	guard->survivors = survivors;
}

void guard_set_survivors(struct guard *guard, unsigned survivors)
{
	if (guard->survivors > 0 && survivors == 0 && guard->spans.count == 0)
		look_at_all(guard->hub);
	guard->survivors = survivors;
}

void guard_checked(struct guard *guard)
{
	if (guard->checks > 0)
		guard->checks--;
	for (size_t i = 0; i < guard->nrefs; i++) {
		struct guard_entry *entry = guard->refs[i].entry;
		bool waiting = false;

		for (struct guard *g = guard->hub->guards; g && !waiting; g = g->next)
			waiting = g->checks > 0 && guard_covers(g, entry->path);
		if (!waiting)
			entry->unsettled = false;
	}
}

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

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/plan.h"
#include "world/compile.h"
#include "world/guard_config.h"
#include "world/guard_hub.h"
#include "world/guard_path.h"
#include "world/guard_priv.h"
#include "world/guard_repo.h"
#include "world/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/** Records that one stretch of commands may make: a command must not flood the trace. */
#define TOLD_MAX 128U

/** File times are as coarse as the kernel's tick. */
#define TICK_NS 20000000ULL

/* Who writes --------------------------------------------------------------------------- */

bool guard_is_busy(const struct guard *guard)
{
	return guard->spans.count > 0 || guard->survivors > 0 || guard->sweeping;
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

bool guard_touched(const struct guard_hub *hub, const char *path, const struct timespec *when)
{
	uint64_t when_ns = (uint64_t)when->tv_sec * 1000000000ULL + (uint64_t)when->tv_nsec;
	uint64_t first_ns = UINT64_MAX;
	uint64_t last_ns = 0;

	for (const struct guard *guard = hub->guards; guard; guard = guard->next) {
		if (guard->first_busy_ns == 0 || !guard_covers(guard, path))
			continue;
		if (guard->first_busy_ns < first_ns)
			first_ns = guard->first_busy_ns;
		if (guard->spans.count > 0 || guard->survivors > 0)
			last_ns = UINT64_MAX - TICK_NS;
		if (guard->last_busy_ns > last_ns)
			last_ns = guard->last_busy_ns;
	}
	return first_ns != UINT64_MAX && when_ns + TICK_NS >= first_ns &&
	       when_ns <= last_ns + TICK_NS;
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

	if (++guard->told > TOLD_MAX) {
		guard->untold++;
		return;
	}
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

/** Say once what was too much to be told one by one. */
static void tell_rest(struct guard *guard)
{
	AUTO(mem_free)
	char *what = str_format("%u more entries were set aside or put back", guard->untold);

	if (guard->untold > 0) {
		guard->told = 0;
		guard->untold = 0;
		guard_tell(guard, guard->roots.items[0], NULL, what ? what : "and more");
	}
	guard->told = 0;
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

/** Where the project has no repository, guard_root.c looks after the one that may appear. */
static bool is_own_git(const struct spec_project *project, const char *path)
{
	AUTO(mem_free) char *git = path_join(project->root, ".git");

	return !project->git_dir && git && strcmp(git, path) == 0;
}

static int add_entries(struct guard *guard, const struct spec_project *project,
		       const struct strv *paths, bool had, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		if (is_own_git(project, paths->items[i]))
			continue;

		struct guard_ref *ref = &guard->refs[guard->nrefs];
		int r = guard_path_add(guard->hub, paths->items[i], &ref->entry, err);

		if (r < 0)
			return r;
		ref->had = had;
		// A symlink is no mount point: it counts as absent, and is left where it is.
		if (ref->entry && !had && guard_path_is_link(ref->entry))
			ref->built = guard_path_identity(ref->entry);
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

		if (!parent)
			return error_oom(err);

		int r = guard_path_enter(guard->hub, parent, &dir, err);

		if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
			continue;
		if (r < 0 || !dir)
			return r;
		guard_path_hold(dir);
		r = guard_config_add(guard->hub, dir->fd, paths->items[i], false,
				     &guard->configs[guard->nconfigs], err);
		guard_path_release(dir);
		guard_path_leave(dir);
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

	int r = aside_new(options->spec->substrate_home, guard->hub->remover, &guard->aside, err);

	if (options->spec->guards_off & (1U << PLAN_GUARD_PROTECT))
		return r; // a test wants to see what happens without
	if (r == 0)
		r = add_roots(guard, options->spec, err);
	if (r == 0)
		r = add_entries(guard, &options->spec->project, &image->protect_have, true, err);
	if (r == 0)
		r = add_entries(guard, &options->spec->project, &image->protect_miss, false, err);
	if (r == 0)
		r = add_configs(guard, &image->git_configs, err);
	if (r == 0)
		r = guard_root_open(guard, &options->spec->project, err);
	return r < 0 ? error_wrap(err, r, "guard the project") : 0;
}

int guard_new(const struct guard_options *options, struct guard **ret, struct error *err)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return error_oom(err);
	guard->hub = options->hub;
	guard->root.fd = -1;
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
	guard_sweep_start(guard);
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
	guard_sweep_stop(guard);
	guard_repo_prune(guard->hub);
	guard_root_close(guard);
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
	for (struct guard_repo *repo = hub->repos; repo; repo = repo->next) {
		if (!repo->dead && guard_covers(guard, repo->path) &&
		    !guard_writer(hub, repo->path))
			guard_repo_accept(repo);
	}
	if (guard->root.path && !guard_writer(hub, guard->root.path))
		guard_root_look(guard, true);
	guard_repo_prune(hub);
}

/** True when the mounts of the world fit what the host has there. */
static bool is_covered(const struct guard_ref *ref)
{
	const struct guard_identity now = guard_path_identity(ref->entry);

	if (ref->had || !now.exists)
		return ref->had == now.exists;
	return ref->built.exists && now.dev == ref->built.dev && now.ino == ref->built.ino;
}

/** The first protected path that the mounts of the guard's world do not fit, or NULL. */
static const char *uncovered(const struct guard *guard)
{
	for (size_t i = 0; i < guard->nrefs; i++) {
		if (!is_covered(&guard->refs[i]))
			return guard->refs[i].entry->path;
	}
	if (guard_root_is_stale(guard))
		return guard->root.git_dir ? guard->root.git_dir : guard->root.path;
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
	if (guard->first_busy_ns == 0)
		guard->first_busy_ns = clock_real_ns();
	guard->entered = ++guard->hub->entered;

	int r = retry_failed(guard, err);

	if (r < 0) {
		pop_span(guard, span_id);
		return r;
	}
	guard_hub_poll(guard->hub);
	return 0;
}

/** It may have become idle. */
static void settle(struct guard *guard)
{
	if (guard_is_busy(guard))
		return;
	guard->last_busy_ns = clock_real_ns();
	tell_rest(guard);
}

/** Look at what the guard covers; `final`: everything that could write there is gone. */
static void look(struct guard *guard, bool final)
{
	guard->hub->final = final;
	guard_hub_look(guard->hub, guard);
	guard->hub->final = false;
}

/** True when a place that one of them can write is in reach of the other. */
static bool overlap(const struct guard *a, const struct guard *b)
{
	for (size_t i = 0; i < a->roots.count; i++) {
		if (guard_covers(b, a->roots.items[i]))
			return true;
	}
	for (size_t i = 0; i < b->roots.count; i++) {
		if (guard_covers(a, b->roots.items[i]))
			return true;
	}
	return false;
}

/** True when no other world that can write there is busy. */
static bool is_alone(const struct guard *guard)
{
	for (const struct guard *other = guard->hub->guards; other; other = other->next) {
		if (other != guard && guard_is_busy(other) && overlap(guard, other))
			return false;
	}
	return true;
}

void guard_leave(struct guard *guard, const char *span_id, unsigned survivors)
{
	look(guard, survivors == 0 && guard->spans.count <= 1 && is_alone(guard));
	(void)strncpy(guard->last_span, span_id, ID_SIZE - 1);
	pop_span(guard, span_id);
	guard->survivors = survivors;
	settle(guard);
	guard_sweep_start(guard);
}

void guard_set_survivors(struct guard *guard, unsigned survivors)
{
	if (guard->survivors > 0 && survivors == 0 && guard->spans.count == 0) {
		look(guard, is_alone(guard));
		guard_sweep_start(guard);
	}
	guard->survivors = survivors;
	settle(guard);
}

void guard_finish(struct guard *guard)
{
	if (guard_is_busy(guard)) {
		look(guard, is_alone(guard));
		strv_done(&guard->spans);
		guard->survivors = 0;
		settle(guard);
		guard_sweep_start(guard);
	}
	guard_sweep_finish(guard);
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

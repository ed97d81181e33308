// SPDX-License-Identifier: Apache-2.0
/**
 * The order of a plan: the host's view, the world's own places, generated files, caches, the
 * project and its protected paths; then the root is sealed and confinement follows.
 */
#include "world/compile.h"

#include "base/error.h"
#include "base/path.h"
#include "filter/filter.h"
#include "hash/sha256.h"
#include "world/cache.h"
#include "world/hidden.h"
#include "world/own.h"
#include "world/protect.h"
#include "world/view.h"

#include <errno.h>

void image_done(struct image *image)
{
	buf_done(&image->plan);
	strv_done(&image->skeletons);
	strv_done(&image->protect_dirs);
	strv_done(&image->protect_have);
	strv_done(&image->protect_miss);
	strv_done(&image->git_configs);
	*image = (struct image){0};
}

static bool guard_is_on(const struct spec *spec, enum plan_guard guard)
{
	return !(spec->guards_off & (1u << guard));
}

/** Which places are the world's own, and which need a skeleton above them. */
static int collect_places(struct view *view, struct error *err)
{
	const struct spec *spec = view->spec;
	int r = own_places(spec, &view->own, err);

	if (r == 0)
		r = hidden_collect(&spec->user, spec->env_home, spec->substrate_home, &view->hidden,
				   err);
	if (r == 0)
		r = hidden_collect_host(&view->hidden, err);
	if (r == 0)
		r = cache_places(spec, &view->special, err);
	return r;
}

/** Bind a directory that is not where the view shows it, or shows it read-only. */
static int emit_tree(struct view *view, const char *path, bool writable, struct error *err)
{
	const char *own = own_place_of(&view->own, path);
	AUTO(mem_free) char *parent = path_parent(path);
	int r = parent ? 0 : error_oom(err);

	if (r == 0 && own) {
		// In a place of the world's own: fixed directories that cannot be renamed.
		r = view_make_dirs(view, own, path, err);
		if (r == 0)
			r = own_pin_dirs(view->plan, own, parent, err);
	} else if (r == 0 && view_is_skeleton(view, parent)) {
		r = view_make_dirs(view, "/", path, err);
	}
	if (r < 0)
		return r;
	plan_add(view->plan, &(struct plan_step){
				     .kind = PLAN_BIND,
				     .flags = PLAN_RECURSIVE | (writable ? PLAN_RW : 0u),
				     .path = path,
				     .source = path,
			     });
	return 0;
}

/** True when the view does not show this directory by itself. */
static bool is_out_of_view(const struct view *view, const char *path)
{
	return view_is_own(view, path) ||
	       (path_below(path, "/home") && !path_within(path, view->spec->user.home));
}

static int emit_project(struct view *view, struct image *image, struct error *err)
{
	const struct spec_project *project = &view->spec->project;
	int r = 0;

	if (project->read_only)
		return is_out_of_view(view, project->root) && !strv_has(&view->own, project->root)
			       ? emit_tree(view, project->root, false, err)
			       : 0;
	r = emit_tree(view, project->root, true, err);
	if (r == 0 && project->common_dir && !path_within(project->common_dir, project->root))
		r = emit_tree(view, project->common_dir, true, err);
	return r < 0 ? r : protect_emit(view->spec, view->plan, image, err);
}

/** The second opinion on writes: what the mounts allow, said once more. */
static void emit_landlock(const struct view *view)
{
	const struct spec *spec = view->spec;
	const char *const writable[] = {
		"/tmp",
		"/var/tmp",
		"/run",
		"/dev",
		"/proc",
		spec->project.read_only ? NULL : spec->project.root,
		spec->project.read_only ? NULL : spec->project.common_dir,
	};

	if (!guard_is_on(spec, PLAN_GUARD_LANDLOCK))
		return;
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_LANDLOCK,
						 .guard = PLAN_GUARD_LANDLOCK,
						 .path = "/"});
	for (size_t i = 0; i < ARRAY_LEN(writable); i++) {
		if (writable[i])
			plan_add(view->plan, &(struct plan_step){
						     .kind = PLAN_LANDLOCK,
						     .guard = PLAN_GUARD_LANDLOCK,
						     .flags = PLAN_RW | PLAN_OPTIONAL,
						     .path = writable[i],
					     });
	}
	cache_emit_landlock(spec, view->plan);
}

static int emit_filter(const struct view *view, struct error *err)
{
	const struct filter_options options = {
		.families = view->spec->filter_families,
		.setgid = view->spec->user.uid == 0,
	};
	AUTO(buf_done) struct buf program = {0};

	if (!guard_is_on(view->spec, PLAN_GUARD_SECCOMP))
		return 0;

	int r = filter_compile(&options, &program, err);
	if (r < 0)
		return r;
	if (program.failed)
		return error_oom(err);
	plan_add(view->plan, &(struct plan_step){
				     .kind = PLAN_SECCOMP,
				     .guard = PLAN_GUARD_SECCOMP,
				     .data = program.data,
				     .data_len = program.len,
			     });
	return 0;
}

static int emit_confinement(const struct view *view, struct error *err)
{
	if (guard_is_on(view->spec, PLAN_GUARD_READONLY))
		plan_add(view->plan, &(struct plan_step){.kind = PLAN_SEAL,
							 .guard = PLAN_GUARD_READONLY,
							 .path = "/"});
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_LOOPBACK});
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_HOSTNAME, .data = OWN_HOSTNAME});
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_PIVOT});
	emit_landlock(view);
	return emit_filter(view, err);
}

static int emit_all(struct view *view, struct image *image, struct error *err)
{
	const struct spec *spec = view->spec;
	int r = collect_places(view, err);

	if (r < 0)
		return r;
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_USER,
						 .uid = spec->user.uid,
						 .gid = spec->user.gid});
	r = view_emit(view, err);
	if (r == 0)
		r = own_emit(view, err);
	if (r == 0)
		r = cache_emit(view, err);
	if (r == 0)
		r = emit_project(view, image, err);
	return r < 0 ? r : emit_confinement(view, err);
}

int image_compile(const struct spec *spec, struct image *ret, struct error *err)
{
	AUTO(plan_builder_free) struct plan_builder *plan = NULL;
	AUTO(image_done) struct image image = {0};
	int r = plan_builder_new(&plan, err);

	if (r < 0)
		return r;

	struct view view = {
		.spec = spec,
		.plan = plan,
		.skeletons = &image.skeletons,
		.hide = guard_is_on(spec, PLAN_GUARD_HIDE),
		.read_only = guard_is_on(spec, PLAN_GUARD_READONLY),
	};

	r = emit_all(&view, &image, err);
	strv_done(&view.hidden);
	strv_done(&view.own);
	strv_done(&view.special);
	if (r == 0)
		r = plan_build(plan, &image.plan, err);
	if (r < 0)
		return r;
	sha256_hex(image.plan.data, image.plan.len, image.hash);
	*ret = image;
	image = (struct image){0};
	return 0;
}

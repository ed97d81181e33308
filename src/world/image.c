// SPDX-License-Identifier: Apache-2.0
/**
 * The order of a plan, which is the order in which mounts may lie on each other:
 *
 *   user · the host's view · own places, with what is shown in them · generated files · caches ·
 *   writable paths · project · protected paths · covers · seal · pivot · confinement
 */
#include "base/error.h"
#include "base/path.h"
#include "hash/sha256.h"
#include "world/cache.h"
#include "world/confine.h"
#include "world/etcfiles.h"
#include "world/hidden.h"
#include "world/image_priv.h"
#include "world/making.h"
#include "world/own.h"
#include "world/protect.h"
#include "world/view.h"

#include <errno.h>
#include <unistd.h>

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

/* Marks ------------------------------------------------------------------------------- */

static int mark(struct making *m, const char *path, unsigned bits, struct error *err)
{
	return marks_add(m->marks, path, bits) ? 0 : error_oom(err);
}

static int mark_homes(struct making *m, struct error *err)
{
	const struct hidden_request req = {
		.host = m->host,
		.user = &m->spec->user,
		.env_home = m->spec->env_home,
		.substrate_home = m->spec->substrate_home,
	};

	return making_has(m, PLAN_GUARD_HIDE) ? hidden_homes(&req, m->marks, err) : 0;
}

/** A project that cannot be written is shown where nothing else shows it, unless it is hidden. */
static int mark_project(struct making *m, struct error *err)
{
	const struct spec_project *project = &m->spec->project;
	int r;

	if (project->read_only &&
	    (strcmp(project->root, "/") == 0 || marks_state(m->marks, project->root) == MARK_HIDE))
		return 0;
	if (project->read_only)
		return mark(m, project->root, MARK_SHOW, err);
	r = mark(m, project->root, MARK_KEEP, err);
	if (r == 0 && project->common_dir && !path_within(project->common_dir, project->root))
		r = mark(m, project->common_dir, MARK_KEEP, err);
	return r;
}

/** A writable path may be no link, and may hold nothing hidden: it is bound as it is. */
static int mark_write(struct making *m, struct error *err)
{
	for (size_t i = 0; i < m->spec->write.count; i++) {
		const char *path = m->spec->write.items[i];
		AUTO(mem_free) char *real = NULL;
		AUTO(mem_free) char *hidden = marks_hidden_below(m->marks, path);

		if (hostfs_real(m->host, path, &real) < 0 || strcmp(real, path) != 0)
			return error_set(
				err, EINVAL,
				"%s cannot be written: it is missing, or reached by a link", path);
		if (hidden || marks_state(m->marks, path) == MARK_HIDE)
			return error_set(err, EINVAL, "%s cannot be written: %s is hidden", path,
					 hidden ? hidden : path);
		if (mark(m, path, MARK_KEEP, err) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int mark_all(struct making *m, struct error *err)
{
	int r = own_mark(m, err);

	if (r == 0)
		r = mark_homes(m, err);
	if (r == 0)
		r = mark_project(m, err);
	if (r == 0)
		r = mark_write(m, err);
	// After the project: homes are closed to others, but a project may lie there.
	if (r == 0 && making_has(m, PLAN_GUARD_HIDE))
		r = hidden_system(m, err);
	if (r == 0)
		r = etcfiles_mark(m, err);
	if (r == 0)
		r = cache_mark(m, err);
	if (r < 0 || !making_has(m, PLAN_GUARD_HIDE))
		return r;
	// These ask what all the others left in view.
	r = hidden_mounts(m, err);
	return r < 0 ? r : hidden_sockets(m, err);
}

/* Operations --------------------------------------------------------------------------- */

static int emit_writable(struct making *m, const char *path, struct error *err)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_BIND,
				  .flags = PLAN_RW | PLAN_RECURSIVE | PLAN_MAKE,
				  .path = path,
				  .source = path,
			  });
	return strv_add(&m->writable, path) < 0 ? error_oom(err) : 0;
}

static void cover_dir(struct making *m, const char *path)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_TMPFS,
				  .guard = PLAN_GUARD_HIDE,
				  .path = path,
				  .mode = 0555,
				  .size = 4096,
			  });
	plan_add(m->plan,
		 &(struct plan_step){.kind = PLAN_SEAL, .guard = PLAN_GUARD_HIDE, .path = path});
}

static void cover_file(struct making *m, const char *path, uint32_t watch)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_BIND,
				  .guard = PLAN_GUARD_HIDE,
				  .flags = PLAN_INSIDE | PLAN_OPTIONAL | watch,
				  .path = path,
				  .source = MAKING_EMPTY,
			  });
}

/**
 * What is hidden in a tree that is bound whole is covered.  It got there by a mount of the
 * host's: a procfs, or a hidden directory seen a second time.  A mount point stays where it is.
 */
static int emit_covers(struct making *m, const struct mark *mark, struct error *err)
{
	for (const struct mark *child = mark ? mark->first : NULL; child; child = child->next) {
		AUTO(mem_free) char *path = marks_path(child);
		struct stat st;
		int r = 0;

		if (!path)
			return error_oom(err);
		if (!(child->bits & MARK_HIDE))
			r = emit_covers(m, child, err);
		else if (hostfs_stat(m->host, path, &st) == 0 && S_ISDIR(st.st_mode))
			cover_dir(m, path);
		else
			cover_file(m, path, PLAN_WATCH);
		if (r < 0)
			return r;
	}
	return 0;
}

/** Bind a tree of the host's, writable. */
static int emit_tree(struct making *m, const char *path, struct error *err)
{
	int r = emit_writable(m, path, err);

	return r < 0 ? r : emit_covers(m, marks_find(m->marks, path), err);
}

static int emit_project(struct making *m, struct error *err)
{
	const struct spec_project *project = &m->spec->project;
	const char *common = project->common_dir;
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->spec->write.count; i++)
		r = emit_tree(m, m->spec->write.items[i], err);
	if (r < 0 || project->read_only)
		return r;
	r = emit_tree(m, project->root, err);
	if (r == 0 && common && !path_within(common, project->root))
		r = emit_tree(m, common, err);
	return r < 0 ? r : protect_emit(m, err);
}

static void emit_socket_covers(struct making *m)
{
	for (size_t i = 0; i < m->covers.count; i++)
		cover_file(m, m->covers.items[i], PLAN_WATCH);
	for (size_t i = 0; i < m->writable_covers.count; i++)
		cover_file(m, m->writable_covers.items[i], 0);
}

static int emit_all(struct making *m, struct error *err)
{
	int r;

	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_USER,
				  .uid = m->spec->user.uid,
				  .gid = m->spec->user.gid,
			  });
	r = view_root(m, err);
	if (r == 0)
		r = own_emit(m, err);
	if (r == 0)
		r = etcfiles_emit(m, err);
	if (r == 0)
		r = cache_emit(m, err);
	if (r == 0)
		r = emit_project(m, err);
	if (r < 0)
		return r;
	emit_socket_covers(m);
	etcfiles_seal(m);
	return confine_emit(m, err);
}

static int build(struct making *m, struct error *err)
{
	int r = mark_all(m, err);

	if (r == 0)
		r = emit_all(m, err);
	if (r == 0)
		r = plan_build(m->plan, &m->image->plan, err);
	if (r < 0)
		return r;
	if (m->image->plan.len > PLAN_SIZE_MAX)
		return error_set(err, E2BIG,
				 "the plan has %zu KiB: too many entries in directories that hold "
				 "hidden paths",
				 m->image->plan.len >> 10);
	if (sha256_hex(m->image->plan.data, m->image->plan.len, m->image->hash) < 0 ||
	    spec_hash(m->spec, m->image->spec_hash) < 0)
		return error_oom(err);
	return 0;
}

int image_compile_host(const struct spec *spec, const struct hostfs *host, bool squash,
		       struct image *ret, struct error *err)
{
	AUTO(plan_builder_free) struct plan_builder *plan = NULL;
	AUTO(marks_free) struct mark *marks = marks_new();
	AUTO(image_done) struct image image = {0};
	struct making m = {
		.spec = spec, .host = host, .marks = marks, .image = &image, .squash = squash};
	int r = marks ? plan_builder_new(&plan, err) : error_oom(err);

	if (r < 0)
		return r;
	m.plan = plan;
	r = mountlist_parse(host->mounts, &m.mounts) < 0 ? error_oom(err) : build(&m, err);
	mountlist_done(&m.mounts);
	strv_done(&m.writable);
	strv_done(&m.covers);
	strv_done(&m.writable_covers);
	if (r < 0)
		return r;
	*ret = image;
	image = (struct image){0};
	return 0;
}

int image_compile(const struct spec *spec, struct image *ret, struct error *err)
{
	AUTO(hostfs_close) struct hostfs host = {.root_fd = -1};
	int r = hostfs_open("/", &host, err);

	if (r == 0)
		r = hostfs_read_tables(&host, err);
	return r < 0 ? r : image_compile_host(spec, &host, geteuid() != 0, ret, err);
}

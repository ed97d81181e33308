// SPDX-License-Identifier: Apache-2.0
/** Sealing, names, Landlock and the system call filter. */
#include "world/confine.h"

#include "base/error.h"
#include "filter/filter.h"
#include "world/making.h"

/** What is writable in every world; the rest is in making.writable. */
static const char *const always_writable[] = {"/tmp", "/var/tmp", "/run", "/dev", "/proc"};

static void allow(struct making *m, const char *path, uint32_t flags)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_LANDLOCK,
				  .guard = PLAN_GUARD_LANDLOCK,
				  .flags = flags,
				  .path = path,
			  });
}

/** The second opinion on writes: what the mounts allow, said once more. */
static void emit_landlock(struct making *m)
{
	if (!making_has(m, PLAN_GUARD_LANDLOCK))
		return;
	allow(m, "/", 0);
	for (size_t i = 0; i < ARRAY_LEN(always_writable); i++)
		allow(m, always_writable[i], PLAN_RW | PLAN_OPTIONAL);
	for (size_t i = 0; i < m->writable.count; i++)
		allow(m, m->writable.items[i], PLAN_RW);
}

static int emit_filter(struct making *m, struct error *err)
{
	const struct filter_options options = {
		.families = m->spec->filter_families,
		.setgid = !m->squash,
	};
	AUTO(buf_done) struct buf program = {0};

	if (!making_has(m, PLAN_GUARD_SECCOMP))
		return 0;

	int r = filter_compile(&options, &program, err);

	if (r < 0)
		return r;
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_SECCOMP,
				  .guard = PLAN_GUARD_SECCOMP,
				  .data = program.data,
				  .data_len = program.len,
			  });
	return 0;
}

int confine_emit(struct making *m, struct error *err)
{
	if (making_has(m, PLAN_GUARD_READONLY))
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_SEAL,
					  .guard = PLAN_GUARD_READONLY,
					  .path = "/",
				  });
	plan_add(m->plan, &(struct plan_step){.kind = PLAN_LOOPBACK});
	plan_add(m->plan, &(struct plan_step){.kind = PLAN_HOSTNAME, .data = MAKING_HOSTNAME});
	plan_add(m->plan, &(struct plan_step){.kind = PLAN_PIVOT});
	emit_landlock(m);
	return emit_filter(m, err);
}

// SPDX-License-Identifier: Apache-2.0
/** The world's own places as tables, in the order they are mounted. */
#include "world/own.h"

#include "base/error.h"
#include "base/path.h"
#include "world/etcfiles.h"

#include <errno.h>
#include <sys/stat.h>

static const struct {
	const char *path;
	uint32_t mode;
	uint64_t divisor; /**< Of spec.tmp_bytes. */
} tmp_places[] = {
	{"/tmp", 01777, 1},
	{"/var/tmp", 01777, 1},
	{"/run", 0755, 16},
};

static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};

static const struct {
	const char *path, *target;
} dev_links[] = {
	{"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
	{"/dev/ptmx", "pts/ptmx"},
};

/** Parts of procfs that reach the whole machine. */
static const char *const proc_read_only[] = {
	"/proc/sys",           "/proc/irq",  "/proc/bus",  "/proc/fs",
	"/proc/sysrq-trigger", "/proc/acpi", "/proc/scsi",
};

static const char *const proc_masked[] = {
	"/proc/kcore", "/proc/keys",          "/proc/key-users",   "/proc/timer_list",
	"/proc/kmsg",  "/proc/latency_stats", "/proc/sched_debug",
};

static const struct {
	const char *path, *value;
	bool optional;
} sysctls[] = {
	{"user/max_user_namespaces", "0", false}, {"user/max_mnt_namespaces", "8", true},
	{"user/max_net_namespaces", "8", true},   {"user/max_pid_namespaces", "8", true},
	{"kernel/pid_max", "32768", true},
};

static bool is_on(const struct spec *spec, enum plan_guard guard)
{
	return !(spec->guards_off & (1u << guard));
}

static bool is_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int own_places(const struct spec *spec, struct strv *ret, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(tmp_places) && is_on(spec, PLAN_GUARD_TMP);
	     i++) {
		if (is_dir(tmp_places[i].path))
			r = strv_add(ret, tmp_places[i].path);
	}
	if (r == 0)
		r = strv_add(ret, "/dev");
	if (r == 0)
		r = strv_add(ret, "/proc");
	if (r == 0)
		r = strv_add(ret, "/sys");
	return r < 0 ? error_oom(err) : 0;
}

const char *own_place_of(const struct strv *places, const char *path)
{
	for (size_t i = 0; i < places->count; i++) {
		if (path_below(path, places->items[i]))
			return places->items[i];
	}
	return NULL;
}

static void emit_tmp(struct view *view)
{
	for (size_t i = 0; i < ARRAY_LEN(tmp_places); i++) {
		if (!strv_has(&view->own, tmp_places[i].path))
			continue;
		plan_add(view->plan, &(struct plan_step){
					     .kind = PLAN_TMPFS,
					     .guard = PLAN_GUARD_TMP,
					     .flags = PLAN_MAKE,
					     .path = tmp_places[i].path,
					     .mode = tmp_places[i].mode,
					     .size = view->spec->tmp_bytes / tmp_places[i].divisor,
				     });
	}
}

static void add_dir(struct view *view, const char *path, uint32_t mode)
{
	plan_add(view->plan, &(struct plan_step){.kind = PLAN_DIR, .path = path, .mode = mode});
}

static int emit_run(struct view *view, struct error *err)
{
	AUTO(mem_free) char *user = str_format("/run/user/%u", view->spec->user.uid);

	if (!user)
		return error_oom(err);
	if (!strv_has(&view->own, "/run"))
		return 0;
	add_dir(view, "/run/lock", 01777);
	add_dir(view, "/run/user", 0755);
	add_dir(view, user, 0700);
	add_dir(view, "/run/substrate", 0755);
	plan_add(view->plan, &(struct plan_step){
				     .kind = PLAN_FILE,
				     .path = "/run/substrate/world",
				     .data = "1\n",
				     .mode = 0444,
			     });
	return 0;
}

static int emit_devices(struct view *view, struct error *err)
{
	if (!is_on(view->spec, PLAN_GUARD_DEV)) {
		plan_add(view->plan,
			 &(struct plan_step){
				 .kind = PLAN_BIND,
				 .flags = PLAN_DEV | PLAN_RW | PLAN_RECURSIVE | PLAN_MAKE,
				 .path = "/dev",
				 .source = "/dev",
			 });
		return 0;
	}
	add_dir(view, "/dev", 0755);
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		AUTO(mem_free) char *path = path_join("/dev", devices[i]);

		if (!path)
			return error_oom(err);
		plan_add(view->plan,
			 &(struct plan_step){
				 .kind = PLAN_BIND,
				 .guard = PLAN_GUARD_DEV,
				 .flags = PLAN_DEV | PLAN_RW | PLAN_MAKE | PLAN_OPTIONAL,
				 .path = path,
				 .source = path,
			 });
	}
	for (size_t i = 0; i < ARRAY_LEN(dev_links); i++)
		plan_add(view->plan, &(struct plan_step){
					     .kind = PLAN_LINK,
					     .path = dev_links[i].path,
					     .data = dev_links[i].target,
				     });
	plan_add(view->plan,
		 &(struct plan_step){.kind = PLAN_DEVPTS, .flags = PLAN_MAKE, .path = "/dev/pts"});
	plan_add(view->plan, &(struct plan_step){
				     .kind = PLAN_TMPFS,
				     .flags = PLAN_MAKE,
				     .path = "/dev/shm",
				     .mode = 01777,
				     .size = view->spec->tmp_bytes / 4,
			     });
	return 0;
}

static void emit_proc(struct view *view)
{
	plan_add(view->plan,
		 &(struct plan_step){.kind = PLAN_PROC, .flags = PLAN_MAKE, .path = "/proc"});
	for (size_t i = 0; i < ARRAY_LEN(sysctls) && is_on(view->spec, PLAN_GUARD_USERNS); i++)
		plan_add(view->plan, &(struct plan_step){
					     .kind = PLAN_SYSCTL,
					     .guard = PLAN_GUARD_USERNS,
					     .flags = sysctls[i].optional ? PLAN_OPTIONAL : 0u,
					     .path = sysctls[i].path,
					     .data = sysctls[i].value,
				     });
	if (!is_on(view->spec, PLAN_GUARD_PROC))
		return;
	for (size_t i = 0; i < ARRAY_LEN(proc_read_only); i++)
		plan_add(view->plan, &(struct plan_step){
					     .kind = PLAN_SELF,
					     .guard = PLAN_GUARD_PROC,
					     .flags = PLAN_OPTIONAL,
					     .path = proc_read_only[i],
				     });
	for (size_t i = 0; i < ARRAY_LEN(proc_masked); i++)
		plan_add(view->plan, &(struct plan_step){
					     .kind = PLAN_BIND,
					     .guard = PLAN_GUARD_PROC,
					     .flags = PLAN_OPTIONAL,
					     .path = proc_masked[i],
					     .source = "/dev/null",
				     });
}

static int emit_sys(struct view *view, struct error *err)
{
	int r = view_make_dirs(view, "/", "/sys/devices/system", err);

	if (r == 0)
		plan_add(view->plan, &(struct plan_step){
					     .kind = PLAN_BIND,
					     .guard = PLAN_GUARD_READONLY,
					     .flags = PLAN_MAKE | PLAN_OPTIONAL | PLAN_RECURSIVE,
					     .path = "/sys/devices/system/cpu",
					     .source = "/sys/devices/system/cpu",
				     });
	return r;
}

int own_emit(struct view *view, struct error *err)
{
	int r;

	emit_tmp(view);
	r = emit_run(view, err);
	if (r == 0)
		r = emit_devices(view, err);
	if (r < 0)
		return r;
	emit_proc(view);
	r = emit_sys(view, err);
	if (r == 0 && strv_has(&view->own, "/run"))
		r = etcfiles_emit(view, err);
	return r;
}

int own_pin_dirs(struct plan_builder *plan, const char *base, const char *path, struct error *err)
{
	AUTO(mem_free) char *parent = path_parent(path);
	int r;

	if (!path_below(path, base))
		return 0;
	if (!parent)
		return error_oom(err);
	r = own_pin_dirs(plan, base, parent, err);
	if (r == 0)
		plan_add(plan, &(struct plan_step){
				       .kind = PLAN_SELF, .guard = PLAN_GUARD_TMP, .path = path});
	return r;
}

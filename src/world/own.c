// SPDX-License-Identifier: Apache-2.0
/**
 * The world's own places as tables.
 *
 * With PLAN_GUARD_TMP left out, /tmp and its like are the host's, writable, and of /run only
 * /run/substrate is the world's.
 */
#include "world/own.h"

#include "base/error.h"
#include "base/path.h"
#include "world/making.h"
#include "world/proc_list.h"
#include "world/view.h"

#include <errno.h>

#define RUN_BYTES (64ull << 20)
#define STORE_BYTES (4ull << 20)

/** Temporary places; projects and homes may lie below the first two. */
static const struct {
	const char *path;
	uint32_t mode;
	bool shows; /**< Places of the host are shown in it when they must be. */
} tmp_places[] = {
	{"/tmp", 01777, true},
	{"/var/tmp", 01777, true},
	{"/run", 0755, false},
};

static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};

static const struct {
	const char *path, *target;
} dev_links[] = {
	{"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
	{"/dev/ptmx", "pts/ptmx"},
};

/** A few namespaces are left for init, which makes mount namespaces for what is added later. */
static const struct {
	const char *path, *value;
	uint32_t flags;
} sysctls[] = {
	{"user/max_user_namespaces", "0", 0},
	{"user/max_mnt_namespaces", "8", PLAN_OPTIONAL},
	{"user/max_pid_namespaces", "4", PLAN_OPTIONAL},
	{"user/max_net_namespaces", "4", PLAN_OPTIONAL},
	{"user/max_ipc_namespaces", "4", PLAN_OPTIONAL},
	{"user/max_uts_namespaces", "4", PLAN_OPTIONAL},
	{"user/max_cgroup_namespaces", "4", PLAN_OPTIONAL},
	{"user/max_time_namespaces", "4", PLAN_OPTIONAL},
};

static int mark(struct making *m, const char *path, unsigned bits, struct error *err)
{
	return marks_add(m->marks, path, bits) ? 0 : error_oom(err);
}

/** Where /var/run is a directory of its own, it is what /run is elsewhere. */
static bool has_var_run(const struct making *m)
{
	struct stat st;

	return hostfs_stat(m->host, "/var/run", &st) == 0 && S_ISDIR(st.st_mode);
}

int own_mark(struct making *m, struct error *err)
{
	bool tmp = making_has(m, PLAN_GUARD_TMP);
	int r = mark(m, "/proc", MARK_OWN, err);

	if (r == 0)
		r = mark(m, "/sys", MARK_OWN, err);
	if (r == 0)
		r = mark(m, "/dev", MARK_OWN, err);
	if (r == 0)
		r = mark(m, "/tmp", tmp ? MARK_OWN : MARK_KEEP, err);
	if (r == 0)
		r = mark(m, "/var/tmp", tmp ? MARK_OWN : MARK_KEEP, err);
	if (r == 0)
		r = mark(m, tmp ? "/run" : MAKING_STORE, MARK_OWN, err);
	if (r == 0 && tmp && has_var_run(m))
		r = mark(m, "/var/run", MARK_OWN, err);
	return r;
}

int own_dirs(struct making *m, const char *base, const char *path, struct error *err)
{
	AUTO(mem_free) char *parent = path_parent(path);
	int r;

	if (!path_below(path, base))
		return 0;
	if (!parent)
		return error_oom(err);
	r = own_dirs(m, base, parent, err);
	if (r == 0)
		making_dir(m, path, 0755);
	return r;
}

static void emit_tmpfs(struct making *m, const char *path, uint32_t mode, uint64_t size)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_TMPFS,
				  .guard = PLAN_GUARD_TMP,
				  .path = path,
				  .mode = mode,
				  .size = size,
			  });
}

static void emit_host(struct making *m, const char *path, uint32_t flags)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_BIND,
				  .flags = flags | PLAN_RW | PLAN_RECURSIVE | PLAN_MAKE,
				  .path = path,
				  .source = path,
			  });
}

static int emit_tmp(struct making *m, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(tmp_places); i++) {
		const char *path = tmp_places[i].path;

		if (making_has(m, PLAN_GUARD_TMP)) {
			emit_tmpfs(m, path, tmp_places[i].mode,
				   tmp_places[i].shows ? m->spec->tmp_bytes : RUN_BYTES);
			if (tmp_places[i].shows)
				r = view_below(m, path, err);
		} else if (tmp_places[i].shows) {
			emit_host(m, path, 0);
		}
	}
	if (r == 0 && making_has(m, PLAN_GUARD_TMP) && has_var_run(m))
		emit_tmpfs(m, "/var/run", 0755, RUN_BYTES);
	return r;
}

static void emit_file(struct making *m, const char *path, const char *text)
{
	plan_add(m->plan,
		 &(struct plan_step){.kind = PLAN_FILE, .path = path, .data = text, .mode = 0444});
}

static int emit_run(struct making *m, struct error *err)
{
	AUTO(mem_free) char *user = str_format("/run/user/%u", m->spec->user.uid);

	if (!user)
		return error_oom(err);
	if (making_has(m, PLAN_GUARD_TMP)) {
		making_dir(m, "/run/lock", 01777);
		making_dir(m, "/run/user", 0755);
		making_dir(m, user, 0700);
		making_dir(m, MAKING_STORE, 0755);
	} else {
		emit_tmpfs(m, MAKING_STORE, 0755, STORE_BYTES);
	}
	emit_file(m, MAKING_STORE "/world", "1\n");
	emit_file(m, MAKING_EMPTY, "");
	return 0;
}

static int emit_dev(struct making *m, struct error *err)
{
	if (!making_has(m, PLAN_GUARD_DEV)) {
		emit_host(m, "/dev", PLAN_DEV);
		return 0;
	}
	// A device takes data on a read-only mount too; its mode and owner are the host's, and root
	// in a world may not change them.
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		AUTO(mem_free) char *path = path_join("/dev", devices[i]);

		if (!path)
			return error_oom(err);
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_BIND,
					  .guard = PLAN_GUARD_DEV,
					  .flags = PLAN_DEV | PLAN_MAKE | PLAN_OPTIONAL,
					  .path = path,
					  .source = path,
				  });
	}
	for (size_t i = 0; i < ARRAY_LEN(dev_links); i++)
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_LINK,
					  .path = dev_links[i].path,
					  .data = dev_links[i].target,
				  });
	plan_add(m->plan,
		 &(struct plan_step){.kind = PLAN_DEVPTS, .flags = PLAN_MAKE, .path = "/dev/pts"});
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_TMPFS,
				  .guard = PLAN_GUARD_TMP,
				  .flags = PLAN_MAKE,
				  .path = "/dev/shm",
				  .mode = 01777,
				  .size = m->spec->tmp_bytes,
			  });
	return 0;
}

static void emit_masks(struct making *m)
{
	for (size_t i = 0; proc_read_only[i]; i++)
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_SELF,
					  .guard = PLAN_GUARD_PROC,
					  .flags = PLAN_OPTIONAL,
					  .path = proc_read_only[i],
				  });
	for (size_t i = 0; proc_empty_file[i]; i++)
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_BIND,
					  .guard = PLAN_GUARD_PROC,
					  .flags = PLAN_INSIDE | PLAN_OPTIONAL,
					  .path = proc_empty_file[i],
					  .source = MAKING_EMPTY,
				  });
	for (size_t i = 0; proc_empty_dir[i]; i++) {
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_TMPFS,
					  .guard = PLAN_GUARD_PROC,
					  .flags = PLAN_OPTIONAL | PLAN_NOEXEC,
					  .path = proc_empty_dir[i],
					  .mode = 0555,
					  .size = 4096,
				  });
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_SEAL,
					  .guard = PLAN_GUARD_PROC,
					  .flags = PLAN_OPTIONAL,
					  .path = proc_empty_dir[i],
				  });
	}
}

static void emit_proc(struct making *m)
{
	plan_add(m->plan,
		 &(struct plan_step){.kind = PLAN_PROC, .flags = PLAN_NOEXEC, .path = "/proc"});
	// Written before /proc/sys is read-only.
	for (size_t i = 0; making_has(m, PLAN_GUARD_USERNS) && i < ARRAY_LEN(sysctls); i++)
		plan_add(m->plan, &(struct plan_step){
					  .kind = PLAN_SYSCTL,
					  .guard = PLAN_GUARD_USERNS,
					  .flags = sysctls[i].flags,
					  .path = sysctls[i].path,
					  .data = sysctls[i].value,
				  });
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_SYSCTL,
				  .flags = PLAN_OPTIONAL,
				  .path = "kernel/pid_max",
				  .data = "32768",
			  });
	if (making_has(m, PLAN_GUARD_PROC))
		emit_masks(m);
}

static void emit_sys(struct making *m)
{
	making_dir(m, "/sys/devices", 0755);
	making_dir(m, "/sys/devices/system", 0755);
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_BIND,
				  .guard = PLAN_GUARD_READONLY,
				  .flags = PLAN_RECURSIVE | PLAN_OPTIONAL | PLAN_MAKE | PLAN_NOEXEC,
				  .path = "/sys/devices/system/cpu",
				  .source = "/sys/devices/system/cpu",
			  });
}

int own_emit(struct making *m, struct error *err)
{
	int r = emit_tmp(m, err);

	if (r == 0)
		r = emit_run(m, err);
	if (r == 0)
		r = emit_dev(m, err);
	if (r < 0)
		return r;
	emit_proc(m);
	emit_sys(m);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A made-up host in a temporary directory, the plan that is compiled for it, and questions about
 * what a world of that plan would see.
 */
#pragma once

#include "unit.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "filter/filter.h"
#include "sandbox/plan.h"
#include "world/hostfs.h"
#include "world/image_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	char top[64];
	struct hostfs host;
	struct spec spec;
	struct image image;
	struct plan plan;
	struct buf text; /**< The plan, printed. */
	struct error err;
	bool squash;
};

static inline void must(int r)
{
	if (r < 0)
		fail_msg("%s", strerror(errno));
}

static inline char *real(const struct fixture *f, const char *path)
{
	char *text = str_format("%s%s", f->top, path);

	assert_non_null(text);
	return text;
}

/** Make a directory and those above it. */
static inline void add_dir(const struct fixture *f, const char *path)
{
	AUTO(mem_free) char *parent = path_parent(path);
	AUTO(mem_free) char *name = real(f, path);

	if (strcmp(path, "/") == 0)
		return;
	add_dir(f, parent);
	if (mkdir(name, 0755) < 0 && errno != EEXIST)
		fail_msg("%s: %s", name, strerror(errno));
}

static inline void add_file(const struct fixture *f, const char *path)
{
	AUTO(mem_free) char *parent = path_parent(path);
	AUTO(mem_free) char *name = real(f, path);
	int fd;

	add_dir(f, parent);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	must(fd);
	must(fd_write_full(fd, "x\n", 2));
	must(close(fd));
}

/** Make `count` empty files dir/NAME0, dir/NAME1, ... */
static inline void add_many(const struct fixture *f, const char *dir, const char *name, int count)
{
	AUTO(mem_free) char *path = real(f, dir);

	add_dir(f, dir);
	for (int i = 0; i < count; i++) {
		AUTO(mem_free) char *file = str_format("%s/%s%d", path, name, i);

		assert_non_null(file);
		must(mknod(file, S_IFREG | 0644, 0));
	}
}

static inline void add_link(const struct fixture *f, const char *target, const char *path)
{
	AUTO(mem_free) char *parent = path_parent(path);
	AUTO(mem_free) char *name = real(f, path);

	add_dir(f, parent);
	must(symlink(target, name));
}

static inline void add_socket(const struct fixture *f, const char *path)
{
	AUTO(mem_free) char *parent = path_parent(path);
	AUTO(mem_free) char *name = real(f, path);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	add_dir(f, parent);
	must(fd);
	assert_true(strlen(name) < sizeof(address.sun_path));
	memcpy(address.sun_path, name, strlen(name) + 1);
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	must(close(fd));

	char *table = str_format("%s0000: 00000002 00000000 00010000 0001 01 12345 %s\n",
				 f->host.sockets, path);

	assert_non_null(table);
	free(f->host.sockets);
	((struct fixture *)(uintptr_t)f)->host.sockets = table;
}

/** Append a line to the made-up mountinfo. */
static inline void add_mount(struct fixture *f, const char *device, const char *root,
			     const char *point, const char *type)
{
	char *table = str_format("%s30 1 %s %s %s rw - %s none rw\n", f->host.mounts, device, root,
				 point, type);

	assert_non_null(table);
	free(f->host.mounts);
	f->host.mounts = table;
}

static inline char *copy(const char *text)
{
	char *made = strdup(text);

	assert_non_null(made);
	return made;
}

/** The user u with a home, a project in it, and the usual directories. */
static inline int setup(void **state)
{
	static const char *const dirs[] = {
		"/usr/bin", "/etc/ssh", "/home/u/p", "/home/other", "/tmp", "/var/tmp", "/var/lib",
		"/dev",     "/proc",    "/sys",      "/run",        "/sub", "/root",
	};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	// In memory where that is possible: some tests make thousands of files.
	(void)snprintf(f->top, sizeof(f->top), "/dev/shm/test-image-XXXXXX");
	if (!mkdtemp(f->top)) {
		(void)snprintf(f->top, sizeof(f->top), "/tmp/test-image-XXXXXX");
		assert_non_null(mkdtemp(f->top));
	}
	must(chmod(f->top, 0755));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		add_dir(f, dirs[i]);
	assert_int_equal(hostfs_open(f->top, &f->host, &f->err), 0);
	f->host.mounts = copy("");
	f->host.sockets = copy("");
	f->spec = (struct spec){
		.substrate_home = copy("/sub"),
		.profile = copy("default"),
		.agent = copy("human"),
		.user = {.uid = getuid(),
			 .gid = getgid(),
			 .name = copy("u"),
			 .home = copy("/home/u"),
			 .shell = copy("/bin/sh")},
		.project = {.root = copy("/home/u/p"), .uid = getuid(), .gid = getgid()},
		.tmp_bytes = 1 << 20,
		.filter_families = FILTER_ALL,
	};
	// Even when root runs the tests, most worlds here are an ordinary user's.
	f->squash = true;
	if (getuid() == 0)
		f->spec.user.uid = f->spec.user.gid = 1000;
	*state = f;
	return 0;
}

static inline void remove_tree(const char *path)
{
	pid_t pid = fork();
	int status;

	must(pid);
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", path, NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0));
	assert_int_equal(status, 0);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	remove_tree(f->top);
	image_done(&f->image);
	spec_done(&f->spec);
	hostfs_close(&f->host);
	buf_done(&f->text);
	free(f);
	return 0;
}

/** Caches need a home of the user's; root makes it theirs. */
static inline void own_home(const struct fixture *f)
{
	AUTO(mem_free) char *home = real(f, f->spec.user.home);

	if (getuid() == 0)
		must(chown(home, f->spec.user.uid, f->spec.user.gid));
}

/** Compile; the result of image_compile_host(). */
static inline int compile(struct fixture *f)
{
	int r;

	image_done(&f->image);
	buf_done(&f->text);
	f->err = (struct error){0};
	r = image_compile_host(&f->spec, &f->host, f->squash, &f->image, &f->err);
	if (r < 0)
		return r;
	r = plan_open(f->image.plan.data, f->image.plan.len, &f->plan, &f->err);
	if (r < 0)
		fail_msg("%s", f->err.msg);
	for (uint32_t i = 0; i < f->plan.nops; i++) {
		plan_print(&f->plan, &f->plan.ops[i], &f->text);
		buf_addc(&f->text, '\n');
	}
	assert_non_null(f->text.data);
	return 0;
}

static inline void compile_well(struct fixture *f)
{
	if (compile(f) < 0)
		fail_msg("%s", f->err.msg);
}

/** What a path is in the world. */
struct seen {
	enum { SEEN_NOTHING, SEEN_HOST, SEEN_OWN, SEEN_LINK } kind;
	bool writable;
	char source[512]; /**< SEEN_HOST: the host's path. */
};

static inline bool exists(const struct fixture *f, const char *path)
{
	struct stat st;

	return hostfs_stat(&f->host, path, &st) == 0;
}

static inline void see_bind(const struct fixture *f, const struct plan_op *op, const char *path,
			    struct seen *seen)
{
	const char *at = plan_string(&f->plan, op->path);
	const char *from = plan_string(&f->plan, op->source);

	if (op->flags & PLAN_INSIDE) {
		if (seen->kind != SEEN_NOTHING && strcmp(at, path) == 0)
			*seen = (struct seen){.kind = SEEN_OWN};
		return;
	}
	if (!exists(f, from))
		return;
	*seen = (struct seen){.kind = SEEN_HOST, .writable = op->flags & PLAN_RW};
	(void)snprintf(seen->source, sizeof(seen->source), "%s%s", from, path + strlen(at));
	if (!exists(f, seen->source))
		seen->kind = SEEN_NOTHING;
}

/** What becomes of `path` when one more operation is executed. */
static inline void see_op(const struct fixture *f, const struct plan_op *op, const char *path,
			  struct seen *seen)
{
	const char *at = plan_string(&f->plan, op->path);
	bool same = at && strcmp(at, path) == 0;

	if (!at || op->kind == PLAN_SYSCTL || !path_within(path, at))
		return;
	if (op->kind == PLAN_BIND)
		see_bind(f, op, path, seen);
	else if (op->kind == PLAN_SELF && !(op->flags & PLAN_RW))
		seen->writable = false;
	else if (op->kind == PLAN_TMPFS || op->kind == PLAN_PROC || op->kind == PLAN_DEVPTS)
		*seen = (struct seen){same ? SEEN_OWN : SEEN_NOTHING, same, ""};
	else if (op->kind == PLAN_LINK && same)
		seen->kind = SEEN_LINK;
	else if (op->kind == PLAN_COPY && same && exists(f, plan_string(&f->plan, op->source)))
		seen->kind = SEEN_OWN;
	else if ((op->kind == PLAN_DIR || op->kind == PLAN_FILE) && same &&
		 seen->kind == SEEN_NOTHING)
		seen->kind = SEEN_OWN;
}

static inline struct seen see(const struct fixture *f, const char *path)
{
	struct seen seen = {0};

	for (uint32_t i = 0; i < f->plan.nops; i++)
		see_op(f, &f->plan.ops[i], path, &seen);
	return seen;
}

#define expect_nothing(f, path) \
	do { \
		if (see(f, path).kind != SEEN_NOTHING) \
			fail_msg("%s can be seen:\n%s", path, (f)->text.data); \
	} while (0)

#define expect_own(f, path) \
	do { \
		if (see(f, path).kind != SEEN_OWN) \
			fail_msg("%s is not the world's:\n%s", path, (f)->text.data); \
	} while (0)

#define expect_link(f, path) \
	do { \
		if (see(f, path).kind != SEEN_LINK) \
			fail_msg("%s is no link:\n%s", path, (f)->text.data); \
	} while (0)

#define expect_host(f, path, rw) \
	do { \
		struct seen seen_ = see(f, path); \
		if (seen_.kind != SEEN_HOST || strcmp(seen_.source, path) != 0 || \
		    seen_.writable != (rw)) \
			fail_msg("%s is %d %s rw %d:\n%s", path, (int)seen_.kind, seen_.source, \
				 seen_.writable, (f)->text.data); \
	} while (0)

/** True when the printed plan has this very line. */
static inline bool has_line(const struct fixture *f, const char *line)
{
	AUTO(mem_free) char *whole = str_format("\n%s\n", line);

	assert_non_null(whole);
	return strstr(f->text.data, whole) != NULL;
}

/** No bind of the host's shows `path` or anything below it, whatever lies over it later. */
static inline void expect_unbound(const struct fixture *f, const char *path)
{
	for (uint32_t i = 0; i < f->plan.nops; i++) {
		const struct plan_op *op = &f->plan.ops[i];
		const char *source = plan_string(&f->plan, op->source);

		if ((op->kind != PLAN_BIND && op->kind != PLAN_COPY) || (op->flags & PLAN_INSIDE))
			continue;
		if (path_within(path, source) || path_within(source, path))
			fail_msg("%s is in the bind of %s", path, source);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

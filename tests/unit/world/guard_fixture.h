// SPDX-License-Identifier: Apache-2.0
/** A project, its guard, and what the guard told. */
#pragma once

#include "unit.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "world/compile.h"
#include "world/guard.h"
#include "world/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** A guard against a hang, not an expectation about speed. */
#define HANG_MS 20000

/** What guarded() told. */
struct told {
	char *path, *kept, *detail;
};

struct fixture {
	char top[64];
	char *home, *project, *git;
	struct loop *loop;
	struct guard_hub *hub;
	struct guard *guard;
	struct told told[256];
	size_t ntold, wanted;
	unsigned checks;
	struct timer hang;
};

static inline void must(int r)
{
	if (r < 0)
		fail_msg("%s", strerror(errno));
}

static inline void on_guarded(const struct guard_record *record, void *owner)
{
	struct fixture *f = owner;
	struct told *told = &f->told[f->ntold];

	assert_true(f->ntold < ARRAY_LEN(f->told));
	f->ntold++;
	told->path = strdup(record->path);
	told->kept = record->kept ? strdup(record->kept) : NULL;
	told->detail = strdup(record->detail);
	if (f->ntold == f->wanted)
		loop_stop(f->loop);
}

static inline void on_check(void *owner)
{
	struct fixture *f = owner;

	f->checks++;
	loop_stop(f->loop);
}

static inline void on_hang(struct timer *timer)
{
	struct fixture *f = container_of(timer, struct fixture, hang);

	loop_stop(f->loop);
}

/** Run the loop until `count` records were told in all, or a check was asked for. */
static inline void wait_told(struct fixture *f, size_t count)
{
	struct error err = {0};
	unsigned checks = f->checks;

	f->wanted = count;
	if (f->ntold >= count)
		return;
	timer_start(f->loop, &f->hang, HANG_MS, on_hang);
	assert_int_equal(loop_run(f->loop, &err), 0);
	timer_stop(&f->hang);
	if (f->checks == checks)
		assert_int_equal(f->ntold, count);
}

static inline char *in_project(const struct fixture *f, const char *name)
{
	return path_join(f->project, name);
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	must(fd_write_full(fd, text, strlen(text)));
	(void)fd_close(fd);
}

static inline void put(const struct fixture *f, const char *name, const char *text)
{
	AUTO(mem_free) char *path = in_project(f, name);

	write_text(path, text);
}

static inline void make_dir(const struct fixture *f, const char *name)
{
	AUTO(mem_free) char *path = in_project(f, name);

	if (mkdir(path, 0755) < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static inline bool has(const struct fixture *f, const char *name)
{
	AUTO(mem_free) char *path = in_project(f, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static inline char *text_at(const char *path)
{
	struct error err = {0};
	char *text = NULL;
	size_t len = 0;

	if (fd_read_file(AT_FDCWD, path, 1 << 20, &text, &len, &err) < 0)
		fail_msg("%s", err.msg);
	return text;
}

static inline void assert_text(const char *path, const char *text)
{
	AUTO(mem_free) char *have = text_at(path);

	assert_string_equal(have, text);
}

static inline void assert_in_project(const struct fixture *f, const char *name, const char *text)
{
	AUTO(mem_free) char *path = in_project(f, name);

	assert_text(path, text);
}

/** The record about the project's entry `name`, or NULL. */
static inline const struct told *told_of(const struct fixture *f, const char *name)
{
	AUTO(mem_free) char *path = in_project(f, name);

	for (size_t i = 0; i < f->ntold; i++) {
		if (strcmp(f->told[i].path, path) == 0)
			return &f->told[i];
	}
	return NULL;
}

static inline void run_shell(const char *command)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/** The folder, the hub, and a project without a repository. */
static inline void open_fixture(struct fixture *f)
{
	struct error err = {0};

	*f = (struct fixture){.top = "/tmp/guard-XXXXXX"};
	assert_non_null(mkdtemp(f->top));
	f->home = path_join(f->top, "home");
	f->project = path_join(f->top, "project");
	f->git = path_join(f->project, ".git");
	must(mkdir(f->home, 0700));
	must(mkdir(f->project, 0755));
	assert_int_equal(loop_new(&f->loop, &err), 0);
	assert_int_equal(guard_hub_new(f->loop, &f->hub, &err), 0);
}

static inline void close_fixture(struct fixture *f)
{
	AUTO(mem_free) char *command = str_format("chmod -R u+rwx %s; rm -rf %s", f->top, f->top);

	timer_stop(&f->hang);
	f->guard = guard_free(f->guard);
	f->hub = guard_hub_free(f->hub);
	f->loop = loop_free(f->loop);
	for (size_t i = 0; i < f->ntold; i++) {
		free(f->told[i].path);
		free(f->told[i].kept);
		free(f->told[i].detail);
	}
	run_shell(command);
	free(f->home);
	free(f->project);
	free(f->git);
}

/** Names below the project, NULL-terminated, as paths. */
static inline void fill_list(const struct fixture *f, const char *const *names, struct strv *ret)
{
	for (; names && *names; names++)
		assert_int_equal(strv_take(ret, in_project(f, *names)), 0);
}

/** What the plan would say about the project. */
struct facts {
	const char *const *have, *const *miss, *const *configs;
	bool git;
};

/** A guard for a world of the project. */
static inline struct guard *make_guard(struct fixture *f, const struct facts *facts)
{
	struct guard *guard = NULL;
	struct error err = {0};
	AUTO(image_done) struct image image = {0};
	const struct spec spec = {
		.substrate_home = f->home,
		.project = {.root = f->project,
			    .git_dir = facts->git ? f->git : NULL,
			    .common_dir = facts->git ? f->git : NULL},
	};
	const struct guard_options options = {
		.hub = f->hub,
		.spec = &spec,
		.image = &image,
		.world_id = "wld_test",
		.guarded = on_guarded,
		.check = on_check,
		.owner = f,
	};

	fill_list(f, facts->have, &image.protect_have);
	fill_list(f, facts->miss, &image.protect_miss);
	fill_list(f, facts->configs, &image.git_configs);
	if (guard_new(&options, &guard, &err) < 0)
		fail_msg("%s", err.msg);
	return guard;
}

static inline void enter(struct guard *guard, const char *span)
{
	struct error err = {0};

	if (guard_enter(guard, span, &err) < 0)
		fail_msg("%s", err.msg);
}

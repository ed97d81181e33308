// SPDX-License-Identifier: Apache-2.0
/** A world with a fake init (fake_init.c), and what it told. */
#pragma once

#include "unit.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "sandbox/control.h"
#include "world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** A guard against a hang, not an expectation about speed. */
#define HANG_MS 60000
#define SPAN "spn_01920000-0000-7000-8000-000000000000"

/** Path of the program, from the command line. */
static const char *fake_init;

struct fixture {
	char top[64];
	char *home, *project, *init;
	struct loop *loop;
	struct timer hang;
	struct world *world;
	struct world_command *command;
	int out_fd; /**< For commands; -1: /dev/null. */
	struct error failure;
	bool spawned;
	unsigned step, exits, stopped, gaps, asides;
	struct world_exit exit;
	char reason[128];
	size_t nlisted;
	struct world_process listed; /**< The first. */
};

static void must(int r)
{
	if (r < 0)
		fail_msg("%s", strerror(errno));
}

static void on_hang(struct timer *timer)
{
	(void)timer;
	fail_msg("nothing happened for long");
}

static void run_until_stop(struct fixture *f)
{
	struct error err = {0};

	timer_start(f->loop, &f->hang, HANG_MS, on_hang);
	if (loop_run(f->loop, &err) < 0)
		fail_msg("%s", err.msg);
	timer_stop(&f->hang);
}

/** Run the loop until one more command has ended. */
static inline void run_until_exit(struct fixture *f)
{
	unsigned exits = f->exits;

	while (f->exits == exits)
		run_until_stop(f);
}

/* What a world tells ------------------------------------------------------------------- */

static void on_started(struct world *world, const struct error *err, void *owner)
{
	struct fixture *f = owner;

	(void)world;
	f->failure = err ? *err : (struct error){0};
	loop_stop(f->loop);
}

static void on_stopped(struct world *world, const char *reason, void *owner)
{
	struct fixture *f = owner;

	(void)world;
	f->stopped++;
	(void)strncpy(f->reason, reason, sizeof(f->reason) - 1);
	loop_stop(f->loop);
}

static void on_guarded(struct world *world, const struct world_guarded *what, void *owner)
{
	struct fixture *f = owner;

	(void)world;
	f->gaps += !what->aside;
	f->asides += what->aside;
	loop_stop(f->loop);
}

static const struct world_ops fixture_ops = {
	.started = on_started,
	.stopped = on_stopped,
	.guarded = on_guarded,
};

static void on_spawned(struct world_command *command, unsigned step, const struct error *err,
		       void *owner)
{
	struct fixture *f = owner;

	(void)command;
	f->spawned = !err;
	f->step = step;
	f->failure = err ? *err : (struct error){0};
	f->exits += err != NULL;
	loop_stop(f->loop);
}

static void on_exited(struct world_command *command, const struct world_exit *exit, void *owner)
{
	struct fixture *f = owner;

	(void)command;
	f->exit = *exit;
	f->exits++;
	loop_stop(f->loop);
}

static const struct world_command_ops fixture_command_ops = {
	.spawned = on_spawned,
	.exited = on_exited,
};

static void on_listed(const struct world_process *processes, size_t count, void *owner)
{
	struct fixture *f = owner;

	f->nlisted = count;
	if (count > 0)
		f->listed = processes[0];
	loop_stop(f->loop);
}

/* Doing -------------------------------------------------------------------------------- */

/** The fake init under the name that makes it start in the way `how`. */
static inline int make_world(struct fixture *f, const char *how, struct error *err)
{
	AUTO(mem_free) char *name = str_format("fake-init-%s", how);
	AUTO(mem_free) char *path = path_join(f->top, name);
	AUTO(spec_done) struct spec spec = {0};
	const struct world_options options = {
		.loop = f->loop,
		.init_path = path,
		.spec = &spec,
		.ops = &fixture_ops,
		.owner = f,
	};

	if (strcmp(how, "missing") != 0 && symlink(fake_init, path) < 0 && errno != EEXIST)
		fail_msg("%s: %s", path, strerror(errno));
	if (spec_default(f->home, f->project, "default", "tester", &spec, err) < 0)
		fail_msg("%s", err->msg);
	return world_new(&options, &f->world, err);
}

static inline void start_world(struct fixture *f, const char *how)
{
	struct error err = {0};

	if (make_world(f, how, &err) < 0)
		fail_msg("%s", err.msg);
	run_until_stop(f);
}

static inline int try_command(struct fixture *f, const char *name, const char *variable,
			      struct error *err)
{
	AUTO(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	AUTO(mem_free) char *own_name = strdup(name);
	AUTO(mem_free) char *own_variable = variable ? strdup(variable) : NULL;
	char arg[] = "arg";
	char *argv[] = {own_name, arg, NULL};
	char *envp[] = {own_variable, NULL};
	const struct world_exec exec = {
		.argv = argv,
		.envp = envp,
		.cwd = "/some/where",
		.span_id = SPAN,
		.umask = 022,
		.fds = {null, f->out_fd < 0 ? null : f->out_fd, null},
	};

	return world_run(f->world, &exec, &fixture_command_ops, f, &f->command, err);
}

static inline void begin_command(struct fixture *f, const char *name, const char *variable)
{
	struct error err = {0};

	if (try_command(f, name, variable, &err) < 0)
		fail_msg("%s", err.msg);
}

/** Start it and wait for its end, or for that of the world. */
static inline void run_command(struct fixture *f, const char *name)
{
	unsigned exits = f->exits;

	begin_command(f, name, NULL);
	while (f->exits == exits || (world_active(f->world) == 0 && f->stopped == 0 &&
				     world_state(f->world) == WORLD_STOPPED))
		run_until_stop(f);
	if (world_state(f->world) == WORLD_STOPPED && f->stopped == 0)
		run_until_stop(f);
}

static void list_world(struct fixture *f)
{
	struct error err = {0};

	if (world_list(f->world, on_listed, f, &err) < 0)
		fail_msg("%s", err.msg);
	run_until_stop(f);
}

/* Reading what a command wrote --------------------------------------------------------- */

/** A thread that reads a pipe to its end. */
struct drain {
	pthread_t thread;
	int fd;
	char *data;
	size_t len;
};

static void *drain_run(void *arg)
{
	struct drain *drain = arg;

	drain->data = calloc(1, CONTROL_PAYLOAD_MAX + 1);
	drain->len = (size_t)fd_read_full(drain->fd, drain->data, CONTROL_PAYLOAD_MAX);
	return NULL;
}

static inline void drain_start(struct drain *drain, int fd)
{
	*drain = (struct drain){.fd = fd};
	assert_int_equal(pthread_create(&drain->thread, NULL, drain_run, drain), 0);
}

static inline char *drain_end(struct drain *drain, size_t *ret_len)
{
	assert_int_equal(pthread_join(drain->thread, NULL), 0);
	drain->fd = fd_close(drain->fd);
	*ret_len = drain->len;
	return drain->data;
}

/* The folder --------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	*f = (struct fixture){.top = "/tmp/world-XXXXXX", .out_fd = -1};
	assert_non_null(mkdtemp(f->top));
	must(chmod(f->top, 0755));
	f->home = path_join(f->top, "home");
	f->project = path_join(f->top, "project");
	must(mkdir(f->home, 0700));
	must(mkdir(f->project, 0755));
	assert_int_equal(loop_new(&f->loop, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	f->world = world_free(f->world);
	timer_stop(&f->hang);
	f->loop = loop_free(f->loop);
	pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", f->top, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
	free(f->home);
	free(f->project);
	free(f);
	return 0;
}

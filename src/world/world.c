// SPDX-License-Identifier: Apache-2.0
/**
 * The life of a world.
 *
 * How it works.  world_new() compiles the plan, takes the guard's snapshots and starts init;
 * all that follows comes from two sources:
 *
 *   the control socket   READY or FAILED, then what init says about commands
 *   the pidfd            init is dead, and with it everything in its PID namespace
 *
 * The end always takes the same way, world_end(): kill init if it lives, wait for the pidfd,
 * read what init still said, reap it, tell the owners of the commands, then the world's.
 * The owner may free the world in started() and stopped(), hence `gone`.
 */
#include "world/world.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "world/guard.h"
#include "world/rebind.h"
#include "world/world_command.h"
#include "world/world_packet.h"
#include "world/world_priv.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MAX_MS 10000
/** Packets that are handled before the loop gets its turn again. */
#define PACKETS_MAX 64
/** How long world_free() waits for init's death. */
#define REAP_MAX_MS 2000

/* The end ------------------------------------------------------------------------------ */

void world_kill(struct world *world)
{
	if (world->launch.pidfd >= 0)
		(void)pidfd_send_signal(world->launch.pidfd, SIGKILL, NULL, 0);
}

static void close_sources(struct world *world)
{
	timer_stop(&world->start_timer);
	timer_stop(&world->survivors_timer);
	world_link_close(&world->link);
	loop_remove(&world->pidfd_source);
	world->launch.control_fd = fd_close(world->launch.control_fd);
}

/** Say how init ended, where nothing better is known. */
static void explain_death(struct world *world)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)world->launch.pidfd, &info, WEXITED | WNOHANG) < 0 ||
	    world->failure.code != 0)
		return;
	if (info.si_code == CLD_EXITED)
		(void)error_set(&world->failure, ECHILD, "substrate-init ended with status %d",
				info.si_status);
	else
		(void)error_set(&world->failure, ECHILD, "substrate-init was ended by signal %d",
				info.si_status);
}

/** Init is dead: reap it and tell everybody.  The world may be gone afterwards. */
static void world_end(struct world *world)
{
	enum world_state before = world->state;

	explain_death(world);
	close_sources(world);
	world->launch.pidfd = fd_close(world->launch.pidfd);
	world->state = WORLD_STOPPED;

	const char *reason = world->reason[0] ? world->reason : world->failure.msg;

	world_command_lose_all(world, reason);
	guard_finish(world->guard);
	world_packet_answer_all(world);
	if (before == WORLD_STARTING)
		world->ops->started(world, &world->failure, world->owner);
	else
		world->ops->stopped(world, reason, world->owner);
}

/* The sources -------------------------------------------------------------------------- */

/** Handle what init sent.  False: the world is gone. */
static bool read_packets(struct world *world)
{
	bool gone = false;
	struct error err = {0};

	world->gone = &gone;
	for (int i = 0; i < PACKETS_MAX && world->link.fd >= 0; i++) {
		int r = control_recv(world->link.fd, &world->packet, &err);

		if (r == 0)
			break;
		if (r > 0)
			r = world_packet_take(world, &err);
		if (gone)
			return false;
		if (r < 0) {
			// A broken init is as good as dead; its pidfd tells the rest.
			if (r != -EPIPE && world->failure.code == 0)
				world->failure = err;
			world_link_close(&world->link);
			world_kill(world);
		}
	}
	world->gone = NULL;
	return true;
}

static int on_control(struct loop_source *src, uint32_t events, struct error *err)
{
	struct world_link *link = container_of(src, struct world_link, source);
	struct world *world = container_of(link, struct world, link);

	(void)err;
	if (events & EPOLLOUT) {
		struct error ignored = {0};

		if (world_link_flush(link, &ignored) < 0) {
			world_link_close(link);
			world_kill(world);
			return 0;
		}
	}
	if (events & ~(uint32_t)EPOLLOUT)
		(void)read_packets(world);
	return 0;
}

static int on_death(struct loop_source *src, uint32_t events, struct error *err)
{
	struct world *world = container_of(src, struct world, pidfd_source);

	(void)events;
	(void)err;
	if (read_packets(world))
		world_end(world);
	return 0;
}

static void start_due(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, start_timer);

	(void)error_set(&world->failure, ETIMEDOUT, "the world was not ready after %d s",
			START_MAX_MS / 1000);
	world_kill(world);
}

/* Making it ---------------------------------------------------------------------------- */

const char *world_guard_span(const struct world *world)
{
	// There is no guard yet while one is made, and that may already set something aside.
	const char *span = world->guard ? guard_span(world->guard) : NULL;

	return span && id_valid("spn", span) ? span : NULL;
}

static void on_guarded(const struct guard_record *record, void *owner)
{
	struct world *world = owner;

	const struct world_guarded what = {
		.aside = true,
		.path = record->path,
		.kept = record->kept,
		.detail = record->detail,
		.span_id = world_guard_span(world),
	};

	world->ops->guarded(world, &what, world->owner);
}

static void on_check(void *owner)
{
	struct world *world = owner;
	const struct control_message msg = {
		.header = {.kind = CONTROL_CHECK, .seq = WORLD_SEQ_CHECK},
	};
	struct error ignored = {0};

	if (world->state == WORLD_READY)
		(void)world_link_send(&world->link, &msg, &ignored);
}

static int on_rebind(const char *source, const char *path, uint32_t flags, void *owner,
		     struct error *err)
{
	struct world *world = owner;
	const struct control_mount body = {.flags = flags};
	AUTO(fd_close) int tree = -1;
	int r = launch_clone_tree(&world->launch, source, &tree, err);

	if (r < 0)
		return r;

	const struct control_message msg = {
		.header = {.kind = CONTROL_MOUNT, .seq = WORLD_SEQ_MOUNT},
		.body = &body,
		.body_size = sizeof(body),
		.payload = path,
		.payload_size = strlen(path) + 1,
		.fds = &tree,
		.nfds = 1,
	};
	return world_link_send(&world->link, &msg, err);
}

static int open_guards(struct world *world, const struct world_options *options, struct error *err)
{
	struct guard_options guard = {
		.hub = options->guards,
		.spec = options->spec,
		.image = &world->image,
		.world_id = world->id,
		.guarded = on_guarded,
		.check = on_check,
		.owner = world,
	};
	struct rebind_options rebind = {
		.spec = options->spec,
		.image = &world->image,
		.mount = on_rebind,
		.owner = world,
	};
	int r = 0;

	if (!guard.hub) {
		r = guard_hub_new(world->loop, &world->own_hub, err);
		guard.hub = world->own_hub;
	}
	if (r == 0)
		r = guard_new(&guard, &world->guard, err);
	if (r < 0)
		return r;
	rebind.watch = guard_hub_watch(guard.hub);
	return rebind_new(&rebind, &world->rebind, err);
}

static int start_init(struct world *world, const struct world_options *options, struct error *err)
{
	AUTO(fd_close) int plan_fd = -1;
	int r = fd_sealed("substrate-plan", world->image.plan.data, world->image.plan.len, &plan_fd,
			  err);

	if (r < 0)
		return r;

	const struct launch_request launch = {
		.init_path = options->init_path,
		.plan_fd = plan_fd,
		.harden_off = options->spec->harden_off,
	};
	world->launched_ns = clock_mono_ns();
	r = launch_start(&launch, &world->launch, err);
	if (r < 0)
		return r;
	r = world_link_open(&world->link, world->loop, world->launch.control_fd, on_control, err);
	if (r == 0)
		r = loop_add(world->loop, &world->pidfd_source, world->launch.pidfd, EPOLLIN,
			     on_death, err);
	if (r == 0)
		timer_start(world->loop, &world->start_timer, START_MAX_MS, start_due);
	return r;
}

int world_new(const struct world_options *options, struct world **ret, struct error *err)
{
	AUTO(world_free) struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return error_oom(err);
	world->loop = options->loop;
	world->ops = options->ops;
	world->owner = options->owner;
	world->launch.pidfd = -1;
	world->launch.control_fd = -1;
	world->link.fd = -1;
	id_new("wld", world->id);

	int r = image_compile(options->spec, &world->image, err);

	if (r < 0)
		return error_wrap(err, r, "the world's plan");
	r = open_guards(world, options, err);
	if (r == 0)
		r = start_init(world, options, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(world);
	return 0;
}

/** Kill init, wait until it is gone, but not forever, and look at what it left. */
static void reap_now(struct world *world)
{
	struct pollfd poll_fd = {.fd = world->launch.pidfd, .events = POLLIN};
	siginfo_t info = {0};

	if (world->launch.pidfd < 0)
		return;
	world_kill(world);
	(void)poll(&poll_fd, 1, REAP_MAX_MS);
	(void)waitid(P_PIDFD, (id_t)world->launch.pidfd, &info, WEXITED | WNOHANG);
	guard_finish(world->guard);
}

struct world *world_free(struct world *world)
{
	if (!world)
		return NULL;
	if (world->gone)
		*world->gone = true;
	reap_now(world);
	close_sources(world);
	world->launch.pidfd = fd_close(world->launch.pidfd);
	world_packet_drop_all(world);
	world_command_drop_all(world);
	world->rebind = rebind_free(world->rebind);
	world->guard = guard_free(world->guard);
	world->own_hub = guard_hub_free(world->own_hub);
	image_done(&world->image);
	free(world);
	return NULL;
}

/* What its owner may do ---------------------------------------------------------------- */

void world_stop(struct world *world, const char *reason)
{
	if (world->state == WORLD_STOPPED || world->reason[0])
		return;
	(void)strncpy(world->reason, reason, sizeof(world->reason) - 1);
	if (world->state == WORLD_STARTING && world->failure.code == 0)
		(void)error_set(&world->failure, ECANCELED, "the world was stopped: %s", reason);
	world_kill(world);
}

static int must_be_ready(const struct world *world, struct error *err)
{
	if (world->state != WORLD_READY || world->reason[0])
		return error_set(err, EPIPE, "the world is not ready");
	return 0;
}

int world_run(struct world *world, const struct world_exec *exec,
	      const struct world_command_ops *ops, void *owner, struct world_command **ret,
	      struct error *err)
{
	int r = must_be_ready(world, err);

	if (r == 0)
		r = guard_enter(world->guard, exec->span_id, err);
	if (r < 0)
		return r;
	rebind_run(world->rebind);
	timer_stop(&world->survivors_timer);
	r = world_command_new(world, exec, ops, owner, ret, err);
	if (r < 0)
		guard_leave(world->guard, exec->span_id, world->survivors);
	return r;
}

int world_kill_span(struct world *world, const char *span_id, struct error *err)
{
	const struct control_signal body = {.signo = SIGKILL, .target = CONTROL_TO_COMMAND};
	uint32_t seq = world_command_seq(world, span_id);
	const struct control_message msg = {
		.header = {.kind = CONTROL_SIGNAL, .seq = seq},
		.body = &body,
		.body_size = sizeof(body),
	};

	if (seq == 0)
		return error_set(err, ESRCH, "nothing of span %.60s runs here", span_id);
	return world_link_send(&world->link, &msg, err);
}

int world_list(struct world *world,
	       void (*listed)(const struct world_process *processes, size_t count, void *owner),
	       void *owner, struct error *err)
{
	int r = must_be_ready(world, err);

	return r < 0 ? r : world_packet_ask(world, listed, owner, err);
}

enum world_state world_state(const struct world *world)
{
	return world->state;
}

const char *world_id(const struct world *world)
{
	return world->id;
}

const struct image *world_image(const struct world *world)
{
	return &world->image;
}

uint64_t world_start_us(const struct world *world)
{
	return world->start_us;
}

int world_landlock_abi(const struct world *world)
{
	return world->ready.landlock_abi;
}

pid_t world_init_pid(const struct world *world)
{
	return world->launch.pid;
}

unsigned world_active(const struct world *world)
{
	return world->active;
}

unsigned world_survivors(const struct world *world)
{
	return world->survivors;
}

bool world_is_stale(struct world *world)
{
	return world->state == WORLD_READY && world->active == 0 && guard_is_stale(world->guard);
}

// SPDX-License-Identifier: Apache-2.0
/** Handlers of init's packets.  Init is ours; still sizes are checked before anything is read. */
#include "world/world_packet.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "world/guard.h"
#include "world/world_command.h"
#include "world/world_priv.h"

#include <errno.h>
#include <sys/ioctl.h>

/** How often a world whose survivors keep it busy is asked whether they are still there. */
#define SURVIVORS_MS 2000

struct world_question {
	struct world_question *next;
	uint32_t seq;
	void (*listed)(const struct world_process *processes, size_t count, void *owner);
	void *owner;
};

static void ask_survivors(struct timer *timer);

/** Keep asking about survivors while they are all there is. */
static void arm_survivors(struct world *world)
{
	if (world->state == WORLD_READY && world->active == 0 && world->survivors > 0)
		timer_start(world->loop, &world->survivors_timer, SURVIVORS_MS, ask_survivors);
	else
		timer_stop(&world->survivors_timer);
}

/* Handlers ----------------------------------------------------------------------------- */

static int take_ready(struct world *world, const void *body, size_t size, struct error *err)
{
	(void)size;
	if (world->state != WORLD_STARTING)
		return error_set(err, EPROTO, "substrate-init is ready twice");
	if (world->reason[0] || world->failure.code != 0)
		return 0; // it is being killed
	memcpy(&world->ready, body, sizeof(world->ready));
	timer_stop(&world->start_timer);
	world->state = WORLD_READY;
	world->start_us = (clock_mono_ns() - world->launched_ns) / 1000;
	world->ops->started(world, NULL, world->owner);
	return 0;
}

static int take_failed(struct world *world, const void *body, size_t size, struct error *err)
{
	struct error failure;

	(void)size;
	(void)err;
	memcpy(&failure, body, sizeof(failure));
	failure.msg[sizeof(failure.msg) - 1] = '\0';
	if (failure.code <= 0)
		failure.code = EIO;
	if (world->failure.code == 0)
		world->failure = failure;
	world_kill(world);
	return 0;
}

/** The master of a new terminal, non-blocking; -1: there is none.  The rest is closed. */
static int take_master(struct control_packet *packet)
{
	AUTO(fd_close) int fd = packet->nfds == 1 ? TAKE_FD(packet->fds[0]) : -1;
	unsigned number;

	control_packet_done(packet);
	if (fd >= 0 && (ioctl(fd, TIOCGPTN, &number) < 0 || fd_set_nonblock(fd, 1) < 0))
		return -1;
	return TAKE_FD(fd);
}

static int take_spawned(struct world *world, const void *body, size_t size, struct error *err)
{
	struct control_spawned spawned;
	AUTO(fd_close) int master = take_master(&world->packet);

	(void)size;
	memcpy(&spawned, body, sizeof(spawned));
	if (!world_command_spawned(world, world->packet.header.seq, &spawned, &master))
		return error_set(err, EPROTO, "substrate-init started what nobody asked for");
	return 0;
}

static int take_stopped(struct world *world, const void *body, size_t size, struct error *err)
{
	struct control_stopped stopped;

	(void)size;
	memcpy(&stopped, body, sizeof(stopped));
	if (!world_command_stopped(world, world->packet.header.seq, stopped.signo))
		return error_set(err, EPROTO, "substrate-init stopped what did not run");
	return 0;
}

static int take_exited(struct world *world, const void *body, size_t size, struct error *err)
{
	struct control_exited exited;
	const bool *gone = world->gone;

	(void)size;
	memcpy(&exited, body, sizeof(exited));
	if (!world_command_exited(world, world->packet.header.seq, &exited))
		return error_set(err, EPROTO, "substrate-init ended what did not run");
	if (!*gone)
		arm_survivors(world);
	return 0;
}

static int take_checked(struct world *world, const void *body, size_t size, struct error *err)
{
	(void)body;
	(void)size;
	(void)err;
	// A mount that cannot be put back refuses the next spawn; here nobody waits for it.
	if (world->packet.header.seq == WORLD_SEQ_CHECK)
		guard_checked(world->guard);
	return 0;
}

static int take_gap(struct world *world, const void *body, size_t size, struct error *err)
{
	char path[4096];

	(void)err;
	if (size >= sizeof(path))
		size = sizeof(path) - 1;
	memcpy(path, body, size);
	path[size] = '\0';

	const struct world_guarded what = {
		.path = path,
		.detail = "its mount was gone for a while and was put back",
		.span_id = world_guard_span(world),
	};

	world->ops->guarded(world, &what, world->owner);
	return 0;
}

/** Fill the answer of one question; returns how many processes lead no running command. */
static unsigned fill_processes(const struct world *world, const struct control_process *from,
			       uint32_t count, struct world_process *ret)
{
	unsigned survivors = 0;

	for (uint32_t i = 0; i < count; i++) {
		const char *span = from[i].seq ? world_command_span(world, from[i].seq) : NULL;
		struct world_process *p = &ret[i];

		*p = (struct world_process){.pid = from[i].pid};
		memcpy(p->comm, from[i].comm, sizeof(p->comm));
		p->comm[sizeof(p->comm) - 1] = '\0';
		if (span)
			memcpy(p->span_id, span, strnlen(span, ID_SIZE - 1));
		p->leader = world_command_leads(world, from[i].seq, from[i].pid);
		survivors += !p->leader;
	}
	return survivors;
}

static struct world_question *take_question(struct world *world, uint32_t seq)
{
	struct world_question **link = &world->questions;

	while (*link && (*link)->seq != seq)
		link = &(*link)->next;

	struct world_question *question = *link;

	if (question)
		*link = question->next;
	return question;
}

static int take_processes(struct world *world, const void *body, size_t size, struct error *err)
{
	struct control_processes head;
	struct world_question *question = take_question(world, world->packet.header.seq);
	const char *list = (const char *)body + sizeof(head);

	memcpy(&head, body, sizeof(head));
	if (!question || (size - sizeof(head)) / sizeof(struct control_process) < head.count) {
		free(question);
		return error_set(err, EPROTO, "substrate-init sent a process list of a wrong size");
	}

	struct control_process *from = calloc(head.count + 1U, sizeof(*from));
	struct world_process *processes = calloc(head.count + 1U, sizeof(*processes));
	uint32_t count = from && processes ? head.count : 0;
	bool whole = from && processes && !head.truncated;

	if (count > 0)
		memcpy(from, list, count * sizeof(*from));

	unsigned survivors = fill_processes(world, from, count, processes);

	// While commands run, what they started counts as theirs, not as survivors.
	if (world->active == 0 && (whole || survivors > 0)) {
		world_command_set_survivors(world, survivors);
		guard_set_survivors(world->guard, survivors);
		arm_survivors(world);
	}
	if (question->listed)
		question->listed(processes, count, question->owner);
	free(question);
	free(from);
	free(processes);
	return 0;
}

/** Who handles what, and the bytes it needs at least. */
static const struct {
	enum control_kind kind;
	size_t min;
	int (*take)(struct world *world, const void *body, size_t size, struct error *err);
} handlers[] = {
	{CONTROL_READY, sizeof(struct control_ready), take_ready},
	{CONTROL_FAILED, sizeof(struct error), take_failed},
	{CONTROL_SPAWNED, sizeof(struct control_spawned), take_spawned},
	{CONTROL_STOPPED, sizeof(struct control_stopped), take_stopped},
	{CONTROL_EXITED, sizeof(struct control_exited), take_exited},
	{CONTROL_CHECKED, sizeof(struct control_checked), take_checked},
	{CONTROL_GAP, 1, take_gap},
	{CONTROL_PROCESSES, sizeof(struct control_processes), take_processes},
};

int world_packet_take(struct world *world, struct error *err)
{
	const struct control_header *header = &world->packet.header;

	if (header->kind != CONTROL_SPAWNED)
		control_packet_done(&world->packet); // init has no other descriptor that we want
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
		if ((uint32_t)handlers[i].kind != header->kind)
			continue;
		if (world->packet.size < handlers[i].min)
			return error_set(err, EPROTO, "a packet of substrate-init is too short");
		return handlers[i].take(world, world->packet.data, world->packet.size, err);
	}
	return error_set(err, EPROTO, "substrate-init sent a packet of unknown kind %u",
			 header->kind);
}

/* Questions ---------------------------------------------------------------------------- */

int world_packet_ask(struct world *world,
		     void (*listed)(const struct world_process *processes, size_t count,
				    void *owner),
		     void *owner, struct error *err)
{
	struct world_question *question = calloc(1, sizeof(*question));

	if (!question)
		return error_oom(err);
	question->seq = ++world->next_question;
	question->listed = listed;
	question->owner = owner;

	const struct control_message msg = {
		.header = {.kind = CONTROL_LIST, .seq = question->seq},
	};
	int r = world_link_send(&world->link, &msg, err);

	if (r < 0) {
		free(question);
		return r;
	}
	question->next = world->questions;
	world->questions = question;
	return 0;
}

static void ask_survivors(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, survivors_timer);
	struct error ignored = {0};

	if (world_packet_ask(world, NULL, NULL, &ignored) < 0)
		arm_survivors(world);
}

void world_packet_answer_all(struct world *world)
{
	while (world->questions) {
		struct world_question *question = world->questions;

		world->questions = question->next;
		if (question->listed)
			question->listed(NULL, 0, question->owner);
		free(question);
	}
}

void world_packet_drop_all(struct world *world)
{
	while (world->questions) {
		struct world_question *question = world->questions;

		world->questions = question->next;
		free(question);
	}
}

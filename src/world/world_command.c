// SPDX-License-Identifier: Apache-2.0
/**
 * The commands of a world.
 *
 * A command is in the list from the moment its CONTROL_SPAWN is sent.  It leaves the list
 * before its last callback is called, so a callback may do with the world what it likes (but
 * free it).  Ended commands are remembered by number and span while anything survives.
 */
#include "world/world_command.h"

#include "base/fd.h"
#include "world/guard.h"
#include "world/world_exec.h"
#include "world/world_priv.h"

#include <errno.h>
#include <signal.h>

/** So many ended commands are remembered for their survivors. */
#define ENDED_MAX 4096

struct world_command {
	struct world_command *next, *prev;
	struct world *world;
	const struct world_command_ops *ops;
	void *owner;
	char *name, *cwd; /**< For messages, until it runs. */
	char span_id[ID_SIZE];
	uint32_t seq;
	pid_t pid;     /**< In the world; 0 until it runs. */
	bool terminal; /**< It was asked to run on one. */
	int *master;   /**< While spawned() is called: its master, not taken yet. */
};

static struct world_command *command_free(struct world_command *command)
{
	if (!command)
		return NULL;
	free(command->name);
	free(command->cwd);
	free(command);
	return NULL;
}
DEFINE_AUTO(struct world_command *, command_free)

static void link_command(struct world *world, struct world_command *command)
{
	command->next = world->commands;
	if (command->next)
		command->next->prev = command;
	world->commands = command;
	world->active++;
}

static void unlink_command(struct world *world, struct world_command *command)
{
	if (command->prev)
		command->prev->next = command->next;
	else
		world->commands = command->next;
	if (command->next)
		command->next->prev = command->prev;
	world->active--;
}

static struct world_command *find(const struct world *world, uint32_t seq)
{
	struct world_command *command = world->commands;

	while (command && command->seq != seq)
		command = command->next;
	return command;
}

/** Numbers go round; 0 and numbers in use are left out. */
static uint32_t next_seq(struct world *world)
{
	do {
		world->next_seq++;
	} while (world->next_seq == 0 || world_command_span(world, world->next_seq));
	return world->next_seq;
}

/* Starting ----------------------------------------------------------------------------- */

static int send_spawn(struct world_command *command, const struct world_exec *exec,
		      struct error *err)
{
	AUTO(buf_done) struct buf payload = {0};
	AUTO(fd_close) int memfd = -1;
	struct control_spawn spawn = {0};
	int fds[4] = {exec->fds[0], exec->fds[1], exec->fds[2], -1};
	size_t nfds = exec->terminal ? 0 : 3;
	int r = world_exec_pack(exec, &spawn, &payload, err);

	if (r < 0)
		return r;

	struct control_message msg = {
		.header = {.kind = CONTROL_SPAWN, .seq = command->seq},
		.body = &spawn,
		.body_size = sizeof(spawn),
		.payload = payload.data,
		.payload_size = payload.len,
		.fds = fds,
		.nfds = nfds,
	};
	if (payload.len > CONTROL_INLINE_MAX) {
		r = fd_sealed("substrate-spawn", payload.data, payload.len, &memfd, err);
		if (r < 0)
			return r;
		fds[nfds] = memfd;
		msg.nfds = nfds + 1;
		msg.payload = NULL;
		msg.payload_size = 0;
	}
	return world_link_send(&command->world->link, &msg, err);
}

int world_command_new(struct world *world, const struct world_exec *exec,
		      const struct world_command_ops *ops, void *owner, struct world_command **ret,
		      struct error *err)
{
	AUTO(command_free) struct world_command *command = calloc(1, sizeof(*command));

	if (!command)
		return error_oom(err);
	command->world = world;
	command->ops = ops;
	command->owner = owner;
	command->seq = next_seq(world);
	command->terminal = exec->terminal;
	command->name = strdup(exec->argv[0] ? exec->argv[0] : "");
	command->cwd = strdup(exec->cwd);
	if (!command->name || !command->cwd)
		return error_oom(err);
	(void)strncpy(command->span_id, exec->span_id ? exec->span_id : "", ID_SIZE - 1);

	int r = send_spawn(command, exec, err);

	if (r < 0)
		return r;
	link_command(world, command);
	*ret = TAKE_PTR(command);
	return 0;
}

/* Answers ------------------------------------------------------------------------------ */

/** It does not run: nobody waits for an exit. */
static void command_failed(struct world_command *command, unsigned step, const struct error *err)
{
	struct world *world = command->world;

	unlink_command(world, command);
	guard_leave(world->guard, command->span_id, world->survivors);
	command->ops->spawned(command, step, err, command->owner);
	(void)command_free(command);
}

bool world_command_spawned(struct world *world, uint32_t seq, const struct control_spawned *spawned,
			   int *master)
{
	struct world_command *command = find(world, seq);
	struct error err = {0};

	if (!command || command->pid != 0)
		return false;
	if (spawned->step != CONTROL_STEP_NONE || spawned->pid <= 0) {
		world_exec_explain(spawned, command->name, command->cwd, &err);
		command_failed(command, spawned->step, &err);
		return true;
	}
	if (command->terminal && *master < 0)
		return false;
	command->pid = spawned->pid;
	command->master = command->terminal ? master : NULL;
	command->ops->spawned(command, CONTROL_STEP_NONE, NULL, command->owner);
	command->master = NULL;
	return true;
}

bool world_command_stopped(struct world *world, uint32_t seq, int signo)
{
	struct world_command *command = find(world, seq);

	if (!command || command->pid == 0 || !command->terminal)
		return false;
	command->ops->stopped(command, signo, command->owner);
	return true;
}

/** Remember what the survivors of a command belong to. */
static void remember(struct world *world, const struct world_command *command)
{
	struct world_span *grown;

	if (world->nended >= ENDED_MAX) {
		world->nended--;
		memmove(world->ended, world->ended + 1, world->nended * sizeof(*world->ended));
	}
	grown = realloc(world->ended, (world->nended + 1) * sizeof(*grown));
	if (!grown)
		return; // its survivors are listed without a span
	world->ended = grown;
	grown[world->nended].seq = command->seq;
	memcpy(grown[world->nended].span_id, command->span_id, ID_SIZE);
	world->nended++;
}

void world_command_set_survivors(struct world *world, unsigned survivors)
{
	world->survivors = survivors;
	if (survivors > 0)
		return;
	free(world->ended);
	world->ended = NULL;
	world->nended = 0;
}

bool world_command_exited(struct world *world, uint32_t seq, const struct control_exited *exited)
{
	struct world_command *command = find(world, seq);

	if (!command || command->pid == 0)
		return false;

	struct world_exit exit = {
		.status = exited->status,
		.survivors = exited->survivors,
		.user_us = exited->user_us,
		.system_us = exited->system_us,
		.max_rss_kib = exited->max_rss_kib,
	};
	unlink_command(world, command);
	remember(world, command);
	world_command_set_survivors(world, exited->survivors);
	guard_leave(world->guard, command->span_id, exited->survivors);
	command->ops->exited(command, &exit, command->owner);
	(void)command_free(command);
	return true;
}

void world_command_lose_all(struct world *world, const char *reason)
{
	const struct world_exit lost = {.lost = true};
	struct error err = {0};

	world_command_set_survivors(world, 0);
	(void)error_set(&err, ECONNRESET, "the world ended before the command started: %s", reason);
	while (world->commands) {
		struct world_command *command = world->commands;

		if (command->pid == 0) {
			command_failed(command, CONTROL_STEP_CLONE, &err);
			continue;
		}
		unlink_command(world, command);
		guard_leave(world->guard, command->span_id, 0);
		command->ops->exited(command, &lost, command->owner);
		(void)command_free(command);
	}
}

void world_command_drop_all(struct world *world)
{
	while (world->commands) {
		struct world_command *command = world->commands;

		unlink_command(world, command);
		(void)command_free(command);
	}
	world_command_set_survivors(world, 0);
}

/* Looking up --------------------------------------------------------------------------- */

const char *world_command_span(const struct world *world, uint32_t seq)
{
	const struct world_command *command = find(world, seq);

	if (command)
		return command->span_id;
	for (size_t i = 0; i < world->nended; i++) {
		if (world->ended[i].seq == seq)
			return world->ended[i].span_id;
	}
	return NULL;
}

uint32_t world_command_seq(const struct world *world, const char *span_id)
{
	for (const struct world_command *c = world->commands; c; c = c->next) {
		if (strcmp(c->span_id, span_id) == 0)
			return c->seq;
	}
	for (size_t i = 0; i < world->nended; i++) {
		if (strcmp(world->ended[i].span_id, span_id) == 0)
			return world->ended[i].seq;
	}
	return 0;
}

bool world_command_leads(const struct world *world, uint32_t seq, pid_t pid)
{
	const struct world_command *command = find(world, seq);

	return command && command->pid == pid;
}

/* What its owner may do ---------------------------------------------------------------- */

int world_command_terminal(struct world_command *command)
{
	return command->master ? TAKE_FD(*command->master) : -1;
}

void world_command_signal(struct world_command *command, int signo, bool everything)
{
	const struct control_signal body = {
		.signo = signo,
		.target = everything ? CONTROL_TO_COMMAND : CONTROL_TO_GROUP,
	};
	const struct control_message msg = {
		.header = {.kind = CONTROL_SIGNAL, .seq = command->seq},
		.body = &body,
		.body_size = sizeof(body),
	};
	struct error ignored = {0};

	// A world that cannot be told is about to be found dead, and its commands with it.
	(void)world_link_send(&command->world->link, &msg, &ignored);
}

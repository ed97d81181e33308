// SPDX-License-Identifier: Apache-2.0
/**
 * The timer runs only while there is neither client nor command.  Survivors are looked for
 * when it is due: worlds are asked for their processes, and one process is enough to go on.
 */
#include "daemon/idle.h"

#include "base/error.h"
#include "world/session.h"

static void idle_due(struct timer *timer);

static void idle_update(struct idle *idle)
{
	if (!idle->loop || idle->limit_ms == 0)
		return;
	if (idle->clients > 0 || idle->commands > 0)
		timer_stop(&idle->timer);
	else
		timer_start(idle->loop, &idle->timer, idle->limit_ms, idle_due);
}

static void idle_judge(struct idle *idle)
{
	if (--idle->asked > 0)
		return;
	if (idle->survivors || idle->clients > 0 || idle->commands > 0)
		idle_update(idle);
	else if (idle->loop)
		idle->fn(idle);
}

static void world_listed(const struct world_process *processes, size_t count, void *owner)
{
	struct idle *idle = owner;

	(void)processes;
	idle->survivors |= count > 0;
	idle_judge(idle);
}

static void idle_due(struct timer *timer)
{
	struct idle *idle = container_of(timer, struct idle, timer);
	struct session *session = NULL;
	struct error ignored = {0};

	if (idle->asked > 0)
		return;
	idle->asked = 1;
	idle->survivors = false;
	while ((session = sessions_next(idle->sessions, session))) {
		struct world *world = session_world(session);

		if (!world || world_state(world) != WORLD_READY)
			continue;
		idle->asked++;
		// A world that cannot be asked is about to end.
		if (world_list(world, world_listed, idle, &ignored) < 0)
			idle->asked--;
	}
	idle_judge(idle);
}

void idle_start(struct idle *idle, struct loop *loop, struct sessions *sessions, uint64_t limit_ms,
		void (*fn)(struct idle *idle))
{
	*idle = (struct idle){.loop = loop, .sessions = sessions, .limit_ms = limit_ms, .fn = fn};
	idle_update(idle);
}

void idle_stop(struct idle *idle)
{
	timer_stop(&idle->timer);
	idle->loop = NULL;
}

void idle_set_clients(struct idle *idle, unsigned clients)
{
	idle->clients = clients;
	idle_update(idle);
}

void idle_set_commands(struct idle *idle, unsigned commands)
{
	idle->commands = commands;
	idle_update(idle);
}

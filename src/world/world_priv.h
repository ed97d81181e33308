// SPDX-License-Identifier: Apache-2.0
/** What the files of a world share. */
#pragma once

#include "base/error.h"
#include "loop/timer.h"
#include "sandbox/control.h"
#include "sandbox/launch.h"
#include "world/world.h"
#include "world/world_link.h"

/** Sequence numbers of what is no command, to tell the answers (CONTROL_CHECKED) apart. */
enum world_seq { WORLD_SEQ_CHECK = 1, WORLD_SEQ_MOUNT = 2 };

struct guard;
struct guard_hub;
struct rebind;

/** The span of a command that ended, for what it left running. */
struct world_span {
	uint32_t seq;
	char span_id[ID_SIZE];
};

/** A list of processes that was asked for. */
struct world_question;

struct world {
	struct loop *loop;
	const struct world_ops *ops;
	void *owner;
	char id[ID_SIZE];
	enum world_state state;
	struct image image;
	struct launch launch;
	struct loop_source pidfd_source;
	struct world_link link;
	struct timer start_timer;     /**< Ends a start that takes too long. */
	struct timer survivors_timer; /**< Asks whether survivors are still there. */
	uint64_t launched_ns, start_us;
	struct control_ready ready;
	struct error failure;      /**< Why it does not stand; code 0: not known yet. */
	char reason[128];          /**< Why it is stopped; "": not asked to. */
	struct guard_hub *own_hub; /**< NULL: the hub is the daemon's. */
	struct guard *guard;
	struct rebind *rebind;
	struct world_command *commands; /**< Newest first. */
	struct world_span *ended;       /**< Oldest first. */
	size_t nended;
	struct world_question *questions;
	unsigned active, survivors;
	uint32_t next_seq, next_question;
	bool *gone; /**< Set when the world is freed in a callback. */
	struct control_packet packet;
};

/** The command that runs, or ran last, for a guard's record; NULL: there was none.  Borrowed. */
const char *world_guard_span(const struct world *world);

/** Kill init.  What follows comes from its pidfd. */
void world_kill(struct world *world);

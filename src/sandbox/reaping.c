// SPDX-License-Identifier: Apache-2.0
/**
 * Reaping: PID 1 inherits every orphan.
 *
 * At most a batch is reaped before the control socket is looked at again, so a flood of orphans
 * does not keep the daemon from being heard.
 */
#include "sandbox/reaping_priv.h"

#include "base/compiler.h"
#include "base/error.h"
#include "sandbox/init_priv.h"
#include "sandbox/job_priv.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH_MAX 64U

/** A leader that ended in this batch. */
struct ended {
	pid_t pid;
	int status;
	struct rusage usage;
};

static uint64_t microseconds(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000U + (uint64_t)tv->tv_usec;
}

/** Processes that lead no running command; the one that is being started leads one soon. */
static uint32_t count_survivors(struct init *init)
{
	long leaders = (long)init->commands.running;
	long all;

	// Every process descends from init: without a child there is none.  The common case.
	if (init->childless)
		return 0;
	if (init->spawner.job && !init->spawner.job->ended)
		leaders++;
	all = proc_list_count(init->proc);
	return all > leaders ? (uint32_t)(all - leaders) : 0;
}

int reaping_report(struct init *init, pid_t pid, int status, const struct rusage *usage,
		   struct error *err)
{
	struct command_entry *command = command_table_leader(&init->commands, pid);

	if (!command)
		return 0;
	command->ended = true;
	init->commands.running--;

	uint32_t seq = command->seq;
	const struct control_exited body = {
		.status = status,
		.survivors = count_survivors(init),
		.user_us = microseconds(&usage->ru_utime),
		.system_us = microseconds(&usage->ru_stime),
		.max_rss_kib = (uint64_t)usage->ru_maxrss,
	};

	if (body.survivors == 0 && init->commands.running == 0)
		init->commands.count = 0; // nobody is left whose command could be asked for
	return answering_send(init, CONTROL_EXITED, seq,
			      &(struct answering_body){&body, sizeof(body)}, err);
}

/** Who it was: the child that the spawner still waits for, a leader, or an orphan. */
static bool is_leader(struct init *init, const struct ended *ended)
{
	struct job *job = init->spawner.job;

	if (job && __atomic_load_n(&job->pid, __ATOMIC_ACQUIRE) == ended->pid) {
		job->ended = true;
		job->status = ended->status;
		job->usage = ended->usage;
		return false; // reported after CONTROL_SPAWNED
	}
	return command_table_leader(&init->commands, ended->pid);
}

int reaping_run(struct init *init, struct error *err)
{
	struct ended leaders[BATCH_MAX];
	size_t nleaders = 0;
	unsigned reaped = 0;

	for (; reaped < BATCH_MAX; reaped++) {
		struct ended *ended = &leaders[nleaders];

		ended->pid = wait4(-1, &ended->status, WNOHANG | __WALL, &ended->usage);
		if (ended->pid <= 0)
			break;
		if (is_leader(init, ended))
			nleaders++;
	}
	init->more = reaped == BATCH_MAX;
	init->childless = reaped < BATCH_MAX && leaders[nleaders].pid < 0 && errno == ECHILD;
	// After the whole batch, so that an orphan that ended with its command is no survivor.
	for (size_t i = 0; i < nleaders; i++) {
		int r = reaping_report(init, leaders[i].pid, leaders[i].status, &leaders[i].usage,
				       err);

		if (r < 0)
			return r;
	}
	return 0;
}

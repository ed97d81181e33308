// SPDX-License-Identifier: Apache-2.0
/**
 * Commands of the world: from CONTROL_SPAWN to CONTROL_SPAWNED.
 *
 * How it works: jobs wait in a queue; one at a time is with the spawner, so a child that is held
 * up before its exec (a signal, a slow disk) holds up other commands, but never this loop.
 */
#include "base/error.h"
#include "sandbox/init_priv.h"
#include "sandbox/job_priv.h"
#include "sandbox/reaping_priv.h"

#include <errno.h>
#include <signal.h>

/** More commands at once are refused: each holds three descriptors. */
#define JOBS_MAX 64U

static int answer(struct init *init, const struct job *job, struct error *err)
{
	bool runs = job->step == CONTROL_STEP_NONE;
	const struct control_spawned body = {
		.pid = runs ? job->pid : 0,
		.step = job->step,
		.error = job->code,
	};
	const struct control_message msg = {
		.header = {.kind = CONTROL_SPAWNED, .seq = job->seq},
		.body = &body,
		.body_size = sizeof(body),
		.fds = &job->master,
		.nfds = runs && job->terminal ? 1 : 0,
	};

	return answering_send_with(init, &msg, err);
}

static int refuse(struct init *init, uint32_t seq, int code, struct error *err)
{
	const struct control_spawned body = {.step = CONTROL_STEP_CLONE, .error = code};

	return answering_send(init, CONTROL_SPAWNED, seq,
			      &(struct answering_body){&body, sizeof(body)}, err);
}

int command_spawn_queue(struct init *init, struct error *err)
{
	uint32_t seq = init->packet.header.seq;
	struct error failure = {0};
	struct job *job = NULL;

	if (init->njobs >= JOBS_MAX || !command_table_reserve(&init->commands))
		return refuse(init, seq, EAGAIN, err);

	int r = job_new(&init->packet, &job, &failure);

	if (r == -EBADMSG)
		return error_wrap(err, error_set(err, EBADMSG, "%s", failure.msg), "command %u",
				  seq);
	if (r < 0)
		return refuse(init, seq, -r, err);
	job->keep_fds = init->harden_off & CONTROL_CLOSE_FDS;
	*init->jobs_end = job;
	init->jobs_end = &job->next;
	init->njobs++;
	return command_spawn_next(init, err);
}

int command_spawn_next(struct init *init, struct error *err)
{
	while (init->jobs && !init->spawner.job) {
		struct job *job = init->jobs;

		init->jobs = job->next;
		if (!init->jobs)
			init->jobs_end = &init->jobs;
		init->njobs--;
		job->code = remount_before_spawn(init, err);
		if (job->code == 0) {
			spawner_give(&init->spawner, job);
			return 0;
		}
		job->step = CONTROL_STEP_CHECK;

		int r = job->code < 0 ? job->code : answer(init, job, err);

		(void)job_free(job);
		if (r < 0)
			return r;
	}
	return 0;
}

/** It runs; and whatever happened to it meanwhile. */
static int note(struct init *init, const struct job *job, struct error *err)
{
	const struct command_entry entry = {
		.seq = job->seq,
		.pid = job->pid,
		.session = job->terminal ? job->holder : job->pid,
		.held = job->terminal && !job->holder_gone,
	};

	if (!command_table_add(&init->commands, &entry))
		return error_oom(err); // cannot be: a place was reserved
	if (job->ended)
		return reaping_report(init, job->pid, job->status, &job->usage, err);
	if (job->signo)
		(void)kill(-job->pid, job->signo);
	return job->stopped ? reaping_stopped(init, job->seq, job->stopped, err) : 0;
}

int command_spawn_done(struct init *init, struct error *err)
{
	struct job *job = spawner_take(&init->spawner);

	if (!job)
		return 0;

	int r = answer(init, job, err);

	if (r == 0 && job->step == CONTROL_STEP_NONE)
		r = note(init, job, err);
	(void)job_free(job);
	return r < 0 ? r : command_spawn_next(init, err);
}

void command_spawn_nudge(struct init *init)
{
	struct job *job = init->spawner.job;
	pid_t pid = job ? __atomic_load_n(&job->pid, __ATOMIC_ACQUIRE) : 0;
	pid_t holder = job ? __atomic_load_n(&job->holder, __ATOMIC_ACQUIRE) : 0;

	// Not reaped: as long as the job is there its numbers are its own.
	if (pid > 0 && !job->ended)
		(void)kill(pid, SIGCONT);
	if (holder > 0 && !job->holder_gone)
		(void)kill(holder, SIGCONT);
}

struct job *command_spawn_pending(struct init *init, uint32_t seq)
{
	struct job *job = init->spawner.job;

	if (job && job->seq == seq)
		return job;
	for (job = init->jobs; job && job->seq != seq; job = job->next)
		;
	return job;
}

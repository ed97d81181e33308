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
#include "sandbox/terminal_priv.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH_MAX 64U
#define REPORTS_MAX 1024U

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

/** Processes that neither lead a running command nor hold a terminal; one may be on its way. */
static uint32_t count_survivors(struct init *init)
{
	const struct job *job = init->spawner.job;
	long leaders = (long)(init->commands.running + command_table_holders(&init->commands));
	long all;

	// Every process descends from init: without a child there is none.  The common case.
	if (init->childless)
		return 0;
	if (job && !job->ended)
		leaders++;
	if (job && __atomic_load_n(&job->holder, __ATOMIC_ACQUIRE) > 0 && !job->holder_gone)
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

	if (body.survivors == 0 && init->commands.running == 0 &&
	    command_table_holders(&init->commands) == 0)
		init->commands.count = 0; // nobody is left whose command could be asked for
	return answering_send(init, CONTROL_EXITED, seq,
			      &(struct answering_body){&body, sizeof(body)}, err);
}

int reaping_stopped(struct init *init, uint32_t seq, int signo, struct error *err)
{
	const struct control_stopped body = {.signo = signo};

	return answering_send(init, CONTROL_STOPPED, seq,
			      &(struct answering_body){&body, sizeof(body)}, err);
}

/* Holders of terminals ----------------------------------------------------------------- */

static int take_report(struct init *init, const struct terminal_report *report, struct error *err)
{
	struct job *job = init->spawner.job;
	struct command_entry *command = command_table_held(&init->commands, report->holder);
	bool stopped = WIFSTOPPED(report->status);

	if (job && __atomic_load_n(&job->holder, __ATOMIC_ACQUIRE) == report->holder) {
		// Told after CONTROL_SPAWNED.
		job->stopped = stopped ? WSTOPSIG(report->status) : 0;
		job->ended = !stopped;
		job->status = report->status;
		job->usage = report->usage;
		return 0;
	}
	if (!command || command->ended)
		return 0;
	if (stopped)
		return reaping_stopped(init, command->seq, WSTOPSIG(report->status), err);
	return reaping_report(init, command->pid, report->status, &report->usage, err);
}

int reaping_take_reports(struct init *init, struct error *err)
{
	struct terminal_report report;

	for (unsigned i = 0; i < REPORTS_MAX; i++) {
		// A record is written at once, so it is read whole or not at all.
		if (read(init->reports, &report, sizeof(report)) != (ssize_t)sizeof(report))
			return 0;

		int r = take_report(init, &report, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/** A holder that was killed reports nothing; its command is ours then, unless it is gone too. */
static int report_unheld(struct init *init, struct error *err)
{
	static const struct rusage unknown;
	int r = reaping_take_reports(init, err); // one may have come before its holder was reaped

	if (r < 0)
		return r;
	for (size_t i = 0; i < init->commands.count; i++) {
		struct command_entry *command = &init->commands.items[i];

		if (command->ended || command->held || command->session == command->pid ||
		    kill(command->pid, 0) == 0 || errno != ESRCH)
			continue;

		r = reaping_report(init, command->pid, SIGKILL, &unknown, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/** Note that it is reaped.  False: it holds no terminal. */
static bool is_holder(struct init *init, pid_t pid)
{
	struct job *job = init->spawner.job;
	struct command_entry *command = command_table_held(&init->commands, pid);

	if (job && __atomic_load_n(&job->holder, __ATOMIC_ACQUIRE) == pid)
		job->holder_gone = true;
	else if (command)
		command->held = false;
	else
		return false;
	return true;
}

/* Children ----------------------------------------------------------------------------- */

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
	bool unheld = false;
	int r = reaping_take_reports(init, err); // a holder reports before it ends

	if (r < 0)
		return r;
	for (; reaped < BATCH_MAX; reaped++) {
		struct ended *ended = &leaders[nleaders];

		ended->pid = wait4(-1, &ended->status, WNOHANG | __WALL, &ended->usage);
		if (ended->pid <= 0)
			break;
		if (is_holder(init, ended->pid))
			unheld = true;
		else if (is_leader(init, ended))
			nleaders++;
	}
	init->more = reaped == BATCH_MAX;
	init->childless = reaped < BATCH_MAX && leaders[nleaders].pid < 0 && errno == ECHILD;
	// After the whole batch, so that an orphan that ended with its command is no survivor.
	for (size_t i = 0; i < nleaders; i++) {
		r = reaping_report(init, leaders[i].pid, leaders[i].status, &leaders[i].usage, err);
		if (r < 0)
			return r;
	}
	return unheld ? report_unheld(init, err) : 0;
}

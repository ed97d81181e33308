// SPDX-License-Identifier: Apache-2.0
/**
 * Terminals of the world's own, and the process that holds a terminal's session.
 *
 * A process group whose parents are all outside its session is orphaned, and Ctrl-Z is ignored in
 * it (POSIX, "orphaned process group").  So the command is no child of init: between them stands a
 * holder, which leads the session, waits, and tells init when the command stops or ends.
 */
#pragma once

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct job;

/**
 * What comes through the pipe of one job while its command starts: the pid from the command itself,
 * before it executes its program and may kill its holder; or what failed, from the holder.
 */
struct terminal_answer {
	pid_t pid; /**< 0: it does not run. */
	uint32_t step;
	int code;
};

/** What a holder writes into the pipe that all of them share; smaller than PIPE_BUF. */
struct terminal_report {
	pid_t holder;
	int status; /**< Of the command, as wait4() gives it: stopped or ended. */
	struct rusage usage;
};

/**
 * Open a terminal, fork the holder, and have it start the job's command: sets job->master,
 * holder, pid, step and code.  Blocks until the command has executed its program.  Called by the
 * spawner; `report_fd` is the pipe, `stack` the child's.
 */
void terminal_spawn(struct job *job, int report_fd, char *stack_top);

// SPDX-License-Identifier: Apache-2.0
/** A command on its way: from the packet that asks for it to the answer. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct control_packet;
struct error;

#define JOB_FDS 3

/**
 * Made by the main thread, which fills the inputs; then the spawner's until it says so; the
 * child between clone and exec reads the inputs and writes step and code.
 */
struct job {
	struct job *next;
	uint32_t seq;

	int fds[JOB_FDS]; /**< Owned: become 0, 1, 2.  On a terminal [0] is its slave, [1], [2] -1.
			   */
	bool terminal;
	uint16_t rows, cols; /**< Of the terminal. */
	int master;          /**< Owned; -1 without a terminal. */
	int answer_fd;       /**< Where a terminal's command writes its pid; see terminal.c. */
	uint32_t umask;
	bool keep_fds; /**< Tests: leave close_range() out. */
	const char *cwd;
	char **argv; /**< NULL-terminated, into the payload. */
	char **envp;
	const char *search; /**< The value of PATH. */

	pid_t pid;     /**< The kernel stores it before the child runs, see terminal.c. */
	pid_t holder;  /**< Of the terminal's session; stored in the same way.  0: none. */
	uint32_t step; /**< enum control_step that failed, CONTROL_STEP_NONE: it runs. */
	int code;      /**< errno of that step. */

	int signo;        /**< To be sent when it runs, 0: none. */
	int stopped;      /**< It was stopped by this signal before the spawner was back. */
	bool holder_gone; /**< The holder was reaped before the spawner was back. */
	bool ended;       /**< It was reaped before the spawner was back. */
	int status;       /**< As wait4() gives it. */
	struct rusage usage;

	void *payload; /**< Owned. */
	size_t payload_size;
	bool mapped;         /**< The payload is a mapping, else it was allocated. */
	char path[PATH_MAX]; /**< Where the child puts names together. */
};

/** Check a CONTROL_SPAWN packet and take its descriptors.  On success the caller owns *ret. */
int job_new(struct control_packet *packet, struct job **ret, struct error *err);

/** NULL is fine.  Returns NULL. */
struct job *job_free(struct job *job);

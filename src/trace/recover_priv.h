// SPDX-License-Identifier: Apache-2.0
/** What the files tell about where a trace stands, and the mending of a torn end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct tail;
struct unfinished;

/** Where a file stands. */
struct recover_state {
	bool has_line;  /**< There is at least one whole line. */
	char head[65];  /**< Hash of the last whole line. */
	uint64_t whole; /**< Bytes in whole lines; what follows is torn. */
};

/** Read the file once from its start: its state, and its commands into `set`. */
int recover_scan(int fd, struct unfinished *set, struct recover_state *ret, struct error *err);

/** Move what follows `whole` in the file to the end of trace.torn, and cut it off. */
int recover_torn(struct tail *tail, int dirfd, uint64_t whole, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** Children of init that end. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct error;
struct init;
struct rusage;

/** Reap what has ended, a bounded number, and report the commands among it. */
int reaping_run(struct init *init, struct error *err);

/** Take what holders of terminals tell: stops, and ends. */
int reaping_take_reports(struct init *init, struct error *err);

/** Report that a command was stopped by `signo`. */
int reaping_stopped(struct init *init, uint32_t seq, int signo, struct error *err);

/** Report that the command which `pid` led has ended; one that is no command is nothing. */
int reaping_report(struct init *init, pid_t pid, int status, const struct rusage *usage,
		   struct error *err);

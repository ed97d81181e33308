// SPDX-License-Identifier: Apache-2.0
/** The processes of the world, read from its procfs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

struct proc_list_entry {
	pid_t pid, ppid, sid;
	char state; /**< 'Z' and 'X' are dead. */
	char comm[16];
};

/** A list sorted by pid, init left out.  Zero-initialise it. */
struct proc_list {
	struct proc_list_entry *items; /**< Owned. */
	size_t count, cap;
};

/** Read it anew; the memory is used again.  `proc`: the procfs. */
int proc_list_read(struct proc_list *list, int proc, struct error *err);

/** How many processes there are, init left out; -1: unknown.  Cheaper than reading them. */
long proc_list_count(int proc);

/** The process with this pid, or NULL. */
const struct proc_list_entry *proc_list_find(const struct proc_list *list, pid_t pid);

/**
 * True when the process belongs to the session of `leader`, or an ancestor does: what a command
 * started is told by this, also after the leader is gone.
 */
bool proc_list_belongs(const struct proc_list *list, const struct proc_list_entry *entry,
		       pid_t leader);

/** Free it; works on a zeroed one. */
void proc_list_done(struct proc_list *list);

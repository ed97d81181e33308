// SPDX-License-Identifier: Apache-2.0
/**
 * Reading the world's procfs.
 *
 * The content is hostile: a process chooses its name, and processes come and go while we
 * read.  Everything is bounded, and a process that cannot be read is left out.
 */
#include "sandbox/proc_list_priv.h"

#include "base/error.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIR_BYTES 8192U
#define STAT_BYTES 512U
#define DEPTH_MAX 4096U /**< Of a chain of parents: no more than there can be. */

/** The kernel's struct linux_dirent64. */
struct dirent64_head {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/** The pid that a directory of procfs stands for, 0: none. */
static pid_t parse_pid(const char *name)
{
	long pid = 0;

	for (; *name >= '0' && *name <= '9' && pid < 100000000; name++)
		pid = pid * 10 + (*name - '0');
	return *name == '\0' ? (pid_t)pid : 0;
}

/** Called for each pid but init's; <0 ends the walk. */
typedef int pid_fn(pid_t pid, int proc, void *arg);

static int for_each_pid(int proc, pid_fn *fn, void *arg)
{
	AUTO(fd_close) int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64_head) char data[DIR_BYTES];

	if (fd < 0)
		return -errno;
	for (;;) {
		long n = syscall(SYS_getdents64, fd, data, sizeof(data));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (long at = 0; at < n;) {
			const struct dirent64_head *entry = (const void *)(data + at);
			pid_t pid = parse_pid(entry->name);
			int r = pid > 1 ? fn(pid, proc, arg) : 0;

			if (r < 0)
				return r;
			at += entry->reclen;
		}
	}
}

static int count_pid(pid_t pid, int proc, void *arg)
{
	long *count = arg;

	(void)pid;
	(void)proc;
	(*count)++;
	return 0;
}

long proc_list_count(int proc)
{
	long count = 0;

	return proc < 0 || for_each_pid(proc, count_pid, &count) < 0 ? -1 : count;
}

/** "pid (comm) state ppid pgrp session ..."; comm may hold anything, brackets too. */
static bool parse_stat(char *text, struct proc_list_entry *ret)
{
	char *open = strchr(text, '(');
	char *close = strrchr(text, ')');
	int ppid = 0;
	int sid = 0;

	if (!open || !close || close < open)
		return false;
	// NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers.
	if (sscanf(close + 1, " %c %d %*d %d", &ret->state, &ppid, &sid) != 3)
		return false;
	ret->ppid = ppid;
	ret->sid = sid;

	size_t len = (size_t)(close - open - 1);

	if (len >= sizeof(ret->comm))
		len = sizeof(ret->comm) - 1;
	memcpy(ret->comm, open + 1, len);
	ret->comm[len] = '\0';
	return true;
}

static int read_pid(pid_t pid, int proc, void *arg)
{
	struct proc_list *list = arg;
	struct proc_list_entry entry = {.pid = pid};
	char path[32];
	char text[STAT_BYTES];

	(void)snprintf(path, sizeof(path), "%d/stat", (int)pid);

	AUTO(fd_close) int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0; // it is gone
	text[n] = '\0';
	if (!parse_stat(text, &entry))
		return 0;
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct proc_list_entry *items = reallocarray(list->items, cap, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->cap = cap;
	}
	list->items[list->count++] = entry;
	return 0;
}

static int compare(const void *a, const void *b)
{
	pid_t left = ((const struct proc_list_entry *)a)->pid;
	pid_t right = ((const struct proc_list_entry *)b)->pid;

	return (left > right) - (left < right);
}

int proc_list_read(struct proc_list *list, int proc, struct error *err)
{
	list->count = 0;
	if (proc < 0)
		return error_set(err, ENOENT, "the world has no procfs");

	int r = for_each_pid(proc, read_pid, list);

	if (r < 0)
		return error_set(err, -r, "read the world's procfs: %s", strerror(-r));
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	return 0;
}

const struct proc_list_entry *proc_list_find(const struct proc_list *list, pid_t pid)
{
	const struct proc_list_entry key = {.pid = pid};

	return list->count == 0 ? NULL
				: bsearch(&key, list->items, list->count, sizeof(key), compare);
}

bool proc_list_belongs(const struct proc_list *list, const struct proc_list_entry *entry,
		       pid_t leader)
{
	for (unsigned depth = 0; entry && depth < DEPTH_MAX; depth++) {
		if (entry->sid == leader || entry->pid == leader)
			return true;
		entry = entry->ppid > 1 ? proc_list_find(list, entry->ppid) : NULL;
	}
	return false;
}

void proc_list_done(struct proc_list *list)
{
	free(list->items);
	*list = (struct proc_list){0};
}

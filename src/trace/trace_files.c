// SPDX-License-Identifier: Apache-2.0
/**
 * The files of a trace.
 *
 * A snapshot opens the current file first and lists the rotated ones after it: whatever the
 * writer does in between, nothing that was written before the snapshot is missed.  When the
 * opened file is found again under a number, it was rotated meanwhile; the list then ends
 * before it.
 */
#include "trace/trace_files_priv.h"

#include "base/error.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return NULL;
}
DEFINE_AUTO(DIR *, dir_close)

void trace_files_done(struct trace_files *files)
{
	free(files->seqs);
	files->seqs = NULL;
	files->count = 0;
	files->current = fd_close(files->current);
}

void trace_files_name(uint32_t seq, char ret[static TRACE_FILES_NAME_SIZE])
{
	if (seq)
		(void)snprintf(ret, TRACE_FILES_NAME_SIZE, "%s.%u", TRACE_FILES_CURRENT, seq);
	else
		(void)snprintf(ret, TRACE_FILES_NAME_SIZE, "%s", TRACE_FILES_CURRENT);
}

uint32_t trace_files_seq(const char *name)
{
	static const char prefix[] = TRACE_FILES_CURRENT ".";
	uint32_t seq = 0;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;

	const char *digits = name + sizeof(prefix) - 1;

	if (*digits == '0')
		return 0;
	for (const char *at = digits; *at; at++) {
		if (*at < '0' || *at > '9' || at - digits >= 9)
			return 0;
		seq = seq * 10 + (uint32_t)(*at - '0');
	}
	return seq;
}

int trace_files_open(int dirfd, const char *name, int flags, int *ret, struct error *err)
{
	struct stat st;

	// O_NONBLOCK: a FIFO in its place must not block the open.
	AUTO(fd_close)
	int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ELOOP)
		return error_set(err, EPERM, "%s is a symbolic link", name);
	if (fd < 0)
		return error_errno(err, "open %s", name);
	if (fstat(fd, &st) < 0)
		return error_errno(err, "stat %s", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EPERM, "%s is not a regular file", name);
	if (st.st_uid != geteuid())
		return error_set(err, EPERM, "%s belongs to uid %u", name, st.st_uid);
	*ret = TAKE_FD(fd);
	return 0;
}

/** Call fn with the number of each rotated file, in no order. */
static int each_seq(int dirfd, int (*fn)(void *arg, uint32_t seq), void *arg, struct error *err)
{
	AUTO(fd_close) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open the directory of the trace");

	AUTO(dir_close) DIR *dir = fdopendir(fd);
	if (!dir)
		return error_errno(err, "list the directory of the trace");
	(void)TAKE_FD(fd);

	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry && errno)
			return error_errno(err, "list the directory of the trace");
		if (!entry)
			return 0;

		uint32_t seq = trace_files_seq(entry->d_name);

		if (seq && fn(arg, seq) < 0)
			return error_oom(err);
	}
}

static int keep_highest(void *arg, uint32_t seq)
{
	uint32_t *highest = arg;

	if (seq > *highest)
		*highest = seq;
	return 0;
}

int trace_files_last(int dirfd, uint32_t *ret, struct error *err)
{
	uint32_t highest = 0;
	int r = each_seq(dirfd, keep_highest, &highest, err);

	if (r < 0)
		return r;
	*ret = highest;
	return 0;
}

int trace_files_rename(int dirfd, const char *name, struct error *err)
{
	struct stat st;
	int r = renameat2(dirfd, TRACE_FILES_CURRENT, dirfd, name, RENAME_NOREPLACE);

	// Some file systems (NFS) do not know the flag; nobody else makes files here.
	if (r < 0 && errno == EINVAL && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		r = renameat(dirfd, TRACE_FILES_CURRENT, dirfd, name);
	return r < 0 ? error_errno(err, "rename the trace to %s", name) : 0;
}

static int append_seq(void *arg, uint32_t seq)
{
	struct trace_files *files = arg;
	uint32_t *grown = reallocarray(files->seqs, files->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[files->count++] = seq;
	files->seqs = grown;
	return 0;
}

static int compare_seq(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

/** Cut the list where the opened file turns up under a number. */
static int cut_at_current(struct trace_files *files, int dirfd, struct error *err)
{
	struct stat current;

	if (fstat(files->current, &current) < 0)
		return error_errno(err, "stat %s", TRACE_FILES_CURRENT);
	for (size_t i = 0; i < files->count; i++) {
		char name[TRACE_FILES_NAME_SIZE];
		struct stat st;

		trace_files_name(files->seqs[i], name);
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ino == current.st_ino && st.st_dev == current.st_dev) {
			files->current_seq = files->seqs[i];
			files->count = i;
		}
	}
	return 0;
}

int trace_files_snap(int dirfd, struct trace_files *ret, struct error *err)
{
	AUTO(trace_files_done) struct trace_files files = {.current = -1};
	int r = trace_files_open(dirfd, TRACE_FILES_CURRENT, O_RDONLY, &files.current, err);

	if (r < 0 && r != -ENOENT)
		return r;
	r = each_seq(dirfd, append_seq, &files, err);
	if (r < 0)
		return r;
	if (files.count)
		qsort(files.seqs, files.count, sizeof(*files.seqs), compare_seq);
	if (files.current >= 0) {
		r = cut_at_current(&files, dirfd, err);
		if (r < 0)
			return r;
	}
	*ret = files;
	files = (struct trace_files){.current = -1};
	return 0;
}

size_t trace_files_total(const struct trace_files *files)
{
	return files->count + (files->current >= 0 ? 1 : 0);
}

void trace_files_name_at(const struct trace_files *files, size_t index,
			 char ret[static TRACE_FILES_NAME_SIZE])
{
	trace_files_name(index < files->count ? files->seqs[index] : files->current_seq, ret);
}

int trace_files_open_at(const struct trace_files *files, int dirfd, size_t index, int *ret,
			struct error *err)
{
	char name[TRACE_FILES_NAME_SIZE];

	if (index < files->count) {
		trace_files_name(files->seqs[index], name);
		return trace_files_open(dirfd, name, O_RDONLY, ret, err);
	}

	int fd = fcntl(files->current, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(err, "dup");
	*ret = fd;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** The folder for what is set aside, and the moves into it. */
#include "world/aside.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/random.h"
#include "base/str.h"
#include "world/aside_tree.h"
#include "world/remover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/** Bounds of what is kept for one span; beyond them things are removed and not kept. */
#define KEEP_MAX 256U
#define KEEP_BYTES_MAX (64ULL << 20)
/** Bounds of one copy, and of a removal of what cannot get another name first. */
#define COPY_ENTRIES_MAX 4096U
#define COPY_BYTES_MAX (32ULL << 20)
#define REMOVE_ENTRIES_MAX 4096U

struct aside {
	struct remover *remover; /**< Removes what is not kept.  Borrowed. */
	char *home;
	char *span;          /**< Whose folder is open; NULL: none. */
	char *folder;        /**< Its path. */
	int fd;              /**< The folder. */
	unsigned next;       /**< Number of the next entry; lower ones are taken. */
	uint64_t bytes_left; /**< That may still be copied for this span. */
};

int aside_new(const char *home, struct remover *remover, struct aside **ret, struct error *err)
{
	struct aside *aside = calloc(1, sizeof(*aside));

	if (!aside)
		return error_oom(err);
	aside->fd = -1;
	aside->remover = remover;
	aside->home = strdup(home);
	if (!aside->home) {
		free(aside);
		return error_oom(err);
	}
	*ret = aside;
	return 0;
}

static void close_folder(struct aside *aside)
{
	free(aside->span);
	free(aside->folder);
	aside->span = NULL;
	aside->folder = NULL;
	aside->fd = fd_close(aside->fd);
}

struct aside *aside_free(struct aside *aside)
{
	if (!aside)
		return NULL;
	close_folder(aside);
	free(aside->home);
	free(aside);
	return NULL;
}

void aside_result_done(struct aside_result *result)
{
	free(result->kept);
	*result = (struct aside_result){0};
}

/* The folder --------------------------------------------------------------------------- */

static int make_and_open(int dirfd, const char *name, int *ret, struct error *err)
{
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make the folder %s", name);

	int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return error_errno(err, "open the folder %s", name);
	*ret = fd;
	return 0;
}

/** Open (and make) the folder of a span. */
static int open_folder(struct aside *aside, const char *span, struct error *err)
{
	AUTO(fd_close) int all = -1;
	AUTO(fd_close) int own = -1;

	if (aside->span && strcmp(aside->span, span) == 0)
		return 0;
	close_folder(aside);

	AUTO(fd_close) int home = open(aside->home, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (home < 0)
		return error_errno(err, "open %s", aside->home);

	int r = make_and_open(home, "aside", &all, err);

	if (r == 0)
		r = make_and_open(all, span, &own, err);
	if (r < 0)
		return r;
	aside->span = strdup(span);
	aside->folder = str_format("%s/aside/%s", aside->home, span);
	if (!aside->span || !aside->folder) {
		close_folder(aside);
		return error_oom(err);
	}
	aside->fd = TAKE_FD(own);
	aside->bytes_left = KEEP_BYTES_MAX;
	aside->next = 1;
	return 0;
}

/** "<n>-<name>", cut to what a directory entry can hold. */
static void entry_name(unsigned n, const char *name, char ret[static NAME_MAX + 1])
{
	(void)snprintf(ret, NAME_MAX + 1, "%u-%.200s", n, name);
}

/**
 * Call `put` with the first name that is free.  Returns the number of it, 0 when so much is kept
 * that no more is, or <0.
 */
static int put_first_free(struct aside *aside, const char *name,
			  int (*put)(int fd, const char *entry, void *arg), void *arg)
{
	char entry[NAME_MAX + 1];

	for (; aside->next <= KEEP_MAX; aside->next++) {
		entry_name(aside->next, name, entry);
		if (put(aside->fd, entry, arg) == 0)
			return (int)aside->next++;
		if (errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int set_kept(const struct aside *aside, int n, const char *name, struct aside_result *ret,
		    struct error *err)
{
	char entry[NAME_MAX + 1];

	entry_name((unsigned)n, name, entry);
	ret->kept = path_join(aside->folder, entry);
	return ret->kept ? 0 : error_oom(err);
}

/* Moving ------------------------------------------------------------------------------- */

/** Where an entry comes from. */
struct origin {
	int dirfd;
	const char *name;
};

static int put_rename(int fd, const char *entry, void *arg)
{
	const struct origin *from = arg;

	return renameat2(from->dirfd, from->name, fd, entry, RENAME_NOREPLACE);
}

/** A directory can be moved only by who may write to it, and its maker may have forbidden that. */
static void unlock_entry(const struct origin *from)
{
	AUTO(fd_close) int fd = aside_tree_open(from->dirfd, from->name, O_PATH | O_DIRECTORY);

	if (fd >= 0)
		(void)aside_tree_unlock(fd);
}

/** The copy of a tree. */
struct copy {
	struct origin from;
	struct aside_budget budget;
};

static int put_copy(int fd, const char *entry, void *arg)
{
	struct copy *copy = arg;
	struct error ignored = {0};
	struct stat st;

	if (fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}

	int r = aside_tree_copy(copy->from.dirfd, copy->from.name, fd, entry, &copy->budget,
				&ignored);

	errno = -r;
	return r < 0 ? -1 : 0;
}

static void new_name(char ret[static 48])
{
	uint64_t number;

	random_fill(&number, sizeof(number));
	(void)snprintf(ret, 48, ".substrate-aside-%016llx", (unsigned long long)number);
}

/** Give the entry a harmless name in its own directory. */
static int hide(const struct origin *from, char ret[static 48], struct error *err)
{
	char hidden[48];

	new_name(hidden);
	if (renameat2(from->dirfd, from->name, from->dirfd, hidden, RENAME_NOREPLACE) < 0)
		return error_errno(err, "rename %s", from->name);
	memcpy(ret, hidden, sizeof(hidden));
	return 0;
}

/** Another file system: a harmless name first, so that the bounded copy has no hurry. */
static int move_across(struct aside *aside, const struct origin *from, struct aside_result *ret,
		       struct error *err)
{
	char hidden[48];
	struct copy copy = {.from = *from};
	struct aside_budget removal = {.entries = REMOVE_ENTRIES_MAX};

	// An overlay refuses to rename some directories; then it is copied from where it is.
	if (hide(from, hidden, err) == 0)
		copy.from.name = hidden;
	copy.budget.entries = COPY_ENTRIES_MAX;
	copy.budget.bytes = aside->bytes_left < COPY_BYTES_MAX ? aside->bytes_left : COPY_BYTES_MAX;

	uint64_t before = copy.budget.bytes;
	int n = put_first_free(aside, from->name, put_copy, &copy);

	aside->bytes_left -= before - copy.budget.bytes;
	if (n < 0)
		copy.budget.cut = true; // it still must not stay where it was

	int r = 0;

	if (copy.from.name == hidden)
		remover_take(aside->remover, from->dirfd, hidden);
	else
		r = aside_tree_remove(from->dirfd, from->name, &removal, err);
	ret->partial = copy.budget.cut || removal.cut;
	return n > 0 ? set_kept(aside, n, from->name, ret, err) : r;
}

/** Enough was kept: a name that is ours or harmless first, then it is removed. */
static int remove_unkept(struct aside *aside, const struct origin *from, struct error *err)
{
	struct aside_budget removal = {.entries = REMOVE_ENTRIES_MAX};
	char name[48];

	unlock_entry(from);
	new_name(name);
	if (renameat2(from->dirfd, from->name, aside->fd, name, RENAME_NOREPLACE) == 0)
		remover_take(aside->remover, aside->fd, name);
	else if (hide(from, name, err) == 0)
		remover_take(aside->remover, from->dirfd, name);
	else
		return aside_tree_remove(from->dirfd, from->name, &removal, err);
	return 0;
}

static int move_out(struct aside *aside, struct origin *from, struct aside_result *ret,
		    struct error *err)
{
	int n = put_first_free(aside, from->name, put_rename, from);

	if (n == -EACCES || n == -EPERM) {
		unlock_entry(from);
		n = put_first_free(aside, from->name, put_rename, from);
	}
	if (n > 0)
		return set_kept(aside, n, from->name, ret, err);
	if (n == 0)
		return remove_unkept(aside, from, err);
	if (n == -EXDEV)
		return move_across(aside, from, ret, err);
	return error_set(err, -n, "move %s: %s", from->name, strerror(-n));
}

int aside_move(struct aside *aside, const char *span, int dirfd, const char *name,
	       struct aside_result *ret, struct error *err)
{
	struct origin from = {.dirfd = dirfd, .name = name};
	// Whoever made the entry may have taken the right to move it from its directory.
	int mode = aside_tree_unlock(dirfd);
	int r = open_folder(aside, span, err);

	if (r == 0)
		r = move_out(aside, &from, ret, err);
	if (r < 0 && r != -ENOENT && hide(&from, ret->hidden, err) == 0)
		r = 0;
	if (mode >= 0 && (mode & 0700) != 0700)
		(void)aside_tree_chmod(dirfd, (mode_t)mode);
	return r;
}

/* Keeping bytes ------------------------------------------------------------------------ */

static int put_bytes(int fd, const char *entry, void *arg)
{
	const struct aside_bytes *const *bytes = arg;
	AUTO(fd_close)
	int out = openat(fd, entry, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (out < 0)
		return -1;
	return fd_write_full(out, (*bytes)->data, (*bytes)->len);
}

int aside_keep(struct aside *aside, const char *span, const struct aside_bytes *bytes,
	       struct aside_result *ret, struct error *err)
{
	int r = open_folder(aside, span, err);

	if (r < 0)
		return r;
	if (bytes->len > aside->bytes_left) {
		ret->partial = true;
		return 0;
	}

	int n = put_first_free(aside, bytes->name, put_bytes, &bytes);

	if (n < 0)
		return error_set(err, -n, "keep %s: %s", bytes->name, strerror(-n));
	aside->bytes_left -= bytes->len;
	if (n == 0) {
		ret->partial = true;
		return 0;
	}
	return set_kept(aside, n, bytes->name, ret, err);
}

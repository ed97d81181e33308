// SPDX-License-Identifier: Apache-2.0
/**
 * Protected paths.
 *
 * How it works.  A world cannot rename or unlink an entry that is mounted in it (EBUSY), so an
 * entry that is replaced by one rename was replaced on the host; its mount is lost by that, and
 * init is told to look.  An entry that is not mounted (a symlink), or was absent, if only between
 * two events, may have been made by the world: it is set aside.
 */
#include "world/guard_path.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/aside_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

/** Directories of one hub that stay open. */
#define KEPT_MAX 128U

#define DIR_MASK \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)

/* Directories -------------------------------------------------------------------------- */

static int open_plain(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

void guard_path_unlock(int fd)
{
	struct stat st;

	if (geteuid() != 0 && fstat(fd, &st) == 0 && !(st.st_mode & S_IXUSR))
		(void)aside_tree_chmod(fd, (st.st_mode & 07777U) | S_IRWXU);
}

static bool is_covered(const struct guard_hub *hub, const char *path)
{
	const struct guard *guard = hub->guards;

	while (guard && !guard_covers(guard, path))
		guard = guard->next;
	return guard != NULL;
}

/** Make the directories on the way searchable, as far as worlds can write there. */
static void unlock_way(const struct guard_hub *hub, const char *path)
{
	for (const char *at = path; (at = strchr(at + 1, '/'));) {
		AUTO(mem_free) char *prefix = strndup(path, (size_t)(at - path));
		AUTO(fd_close)
		int fd = prefix && is_covered(hub, prefix) ? open_plain(prefix) : -1;

		if (fd >= 0)
			guard_path_unlock(fd);
	}
}

int guard_path_open(const struct guard_hub *hub, const char *path)
{
	int fd = open_plain(path);

	if (fd < 0 && errno == EACCES) {
		unlock_way(hub, path);
		fd = open_plain(path);
	}
	if (fd >= 0)
		guard_path_unlock(fd);
	return fd;
}

int guard_path_open_same(const struct guard_hub *hub, const char *path,
			 const struct guard_identity *identity)
{
	AUTO(fd_close) int fd = guard_path_open(hub, path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!identity->exists || st.st_dev != identity->dev || st.st_ino != identity->ino) {
		errno = ESTALE;
		return -1;
	}
	return TAKE_FD(fd);
}

static void on_event(struct guard_watch_sub *sub, uint32_t mask, const char *name)
{
	struct guard_dir *dir = container_of(sub, struct guard_dir, sub);

	if (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) {
		dir->lost = true;
		return;
	}
	for (struct guard_entry *entry = dir->entries; entry; entry = entry->next) {
		if (strcmp(entry->name, name) != 0)
			continue;
		entry->dirty = true;
		if (mask & (IN_DELETE | IN_MOVED_FROM))
			entry->vanished = true;
	}
}

static int dir_pin(struct guard_dir *dir, struct error *err)
{
	AUTO(fd_close) int fd = guard_path_open(dir->hub, dir->path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "%s", dir->path);

	int r = guard_watch_add(dir->hub->watch, &dir->sub, fd, DIR_MASK, on_event, err);

	if (r < 0)
		return error_wrap(err, r, "%s", dir->path);
	dir->identity = (struct guard_identity){.exists = true, .dev = st.st_dev, .ino = st.st_ino};
	dir->lost = false;
	return 0;
}

static void dir_unpin(struct guard_dir *dir)
{
	guard_watch_remove(dir->hub->watch, &dir->sub);
	dir->fd = fd_close(dir->fd);
	dir->identity.exists = false;
}

static struct guard_dir *dir_free(struct guard_dir *dir)
{
	if (!dir)
		return NULL;
	dir->hub->kept -= dir->keep;
	dir_unpin(dir);
	free(dir->path);
	free(dir);
	return NULL;
}
DEFINE_AUTO(struct guard_dir *, dir_free)

int guard_path_enter(struct guard_hub *hub, const char *path, struct guard_dir **ret,
		     struct error *err)
{
	for (struct guard_dir *have = hub->dirs; have; have = have->next) {
		if (strcmp(have->path, path) == 0) {
			have->refs++;
			*ret = have;
			return 0;
		}
	}

	AUTO(dir_free) struct guard_dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return error_oom(err);
	dir->hub = hub;
	dir->fd = -1;
	dir->path = strdup(path);
	if (!dir->path)
		return error_oom(err);

	int r = dir_pin(dir, err);

	if (r < 0)
		return r;
	dir->keep = guard_path_keep(hub);
	dir->refs = 1;
	dir->next = hub->dirs;
	hub->dirs = dir;
	*ret = TAKE_PTR(dir);
	return 0;
}

void guard_path_leave(struct guard_dir *dir)
{
	struct guard_dir **link = &dir->hub->dirs;

	if (--dir->refs > 0)
		return;
	while (*link != dir)
		link = &(*link)->next;
	*link = dir->next;
	(void)dir_free(dir);
}

bool guard_path_reopen(struct guard_hub *hub)
{
	struct error ignored = {0};
	bool any = false;

	for (struct guard_dir *dir = hub->dirs; dir; dir = dir->next) {
		if (!dir->lost)
			continue;
		any |= dir->identity.exists; // else this is one of many tries
		dir_unpin(dir);
		for (struct guard_entry *entry = dir->entries; entry; entry = entry->next) {
			entry->dirty = true;
			entry->vanished = true;
		}
		if (dir_pin(dir, &ignored) < 0)
			dir->lost = true; // it may come back
		else
			any = true;
	}
	return any;
}

/* Entries ------------------------------------------------------------------------------ */

int guard_path_add(struct guard_hub *hub, const char *path, struct guard_entry **ret,
		   struct error *err)
{
	AUTO(mem_free) char *parent = path_parent(path);
	struct guard_dir *dir = NULL;

	if (!parent)
		return error_oom(err);

	int r = guard_path_enter(hub, parent, &dir, err);

	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP) {
		*ret = NULL;
		return 0;
	}
	if (r < 0 || !dir)
		return r;
	for (struct guard_entry *have = dir->entries; have; have = have->next) {
		if (strcmp(have->path, path) == 0) {
			have->refs++;
			guard_path_leave(dir);
			*ret = have;
			return 0;
		}
	}

	struct guard_entry *entry = calloc(1, sizeof(*entry));

	if (entry) {
		entry->path = strdup(path);
		entry->name = strdup(path_base(path));
	}
	if (!entry || !entry->path || !entry->name) {
		if (entry) {
			free(entry->path);
			free(entry->name);
		}
		free(entry);
		guard_path_leave(dir);
		return error_oom(err);
	}
	entry->dir = dir;
	entry->refs = 1;
	entry->next = dir->entries;
	dir->entries = entry;
	guard_path_accept(entry);
	*ret = entry;
	return 0;
}

void guard_path_drop(struct guard_entry *entry)
{
	if (!entry || --entry->refs > 0)
		return;

	struct guard_entry **link = &entry->dir->entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	guard_path_leave(entry->dir);
	free(entry->path);
	free(entry->name);
	free(entry);
}

bool guard_path_keep(struct guard_hub *hub)
{
	if (hub->kept >= KEPT_MAX)
		return false;
	hub->kept++;
	return true;
}

void guard_path_hold(struct guard_dir *dir)
{
	if (dir->fd < 0)
		dir->fd = guard_path_open_same(dir->hub, dir->path, &dir->identity);
	else
		guard_path_unlock(dir->fd);
}

void guard_path_release(struct guard_dir *dir)
{
	if (!dir->keep)
		dir->fd = fd_close(dir->fd);
}

/** True when the entry is there. */
static bool look(const struct guard_entry *entry, struct stat *ret)
{
	struct guard_dir *dir = entry->dir;
	bool held = dir->fd >= 0;

	guard_path_hold(dir);

	bool there = dir->fd >= 0 && fstatat(dir->fd, entry->name, ret, AT_SYMLINK_NOFOLLOW) == 0;

	if (!held)
		guard_path_release(dir);
	return there;
}

struct guard_identity guard_path_identity(const struct guard_entry *entry)
{
	return (struct guard_identity){
		.exists = entry->exists, .dev = entry->dev, .ino = entry->ino};
}

bool guard_path_is_link(const struct guard_entry *entry)
{
	struct stat st;

	return look(entry, &st) && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode);
}

static void accept_as(struct guard_entry *entry, const struct stat *st)
{
	entry->exists = st != NULL;
	entry->dev = st ? st->st_dev : 0;
	entry->ino = st ? st->st_ino : 0;
	entry->dirty = false;
	entry->vanished = false;
	entry->failed = false;
}

void guard_path_accept(struct guard_entry *entry)
{
	struct stat st;

	accept_as(entry, look(entry, &st) ? &st : NULL);
	entry->unsettled = false;
}

/** True when every busy world that covers the entry has it mounted. */
static bool is_mounted(const struct guard_entry *entry)
{
	for (const struct guard *guard = entry->dir->hub->guards; guard; guard = guard->next) {
		if (!guard_is_busy(guard))
			continue;
		for (size_t i = 0; i < guard->nrefs; i++) {
			if (guard->refs[i].entry == entry && !guard->refs[i].had)
				return false;
		}
	}
	return true;
}

/** The host replaced it by one rename: worlds have lost their mount of it. */
static void ask_for_mounts(struct guard_entry *entry)
{
	entry->unsettled = true;
	for (struct guard *guard = entry->dir->hub->guards; guard; guard = guard->next) {
		if (guard_is_busy(guard) && guard_covers(guard, entry->path)) {
			guard->checks++;
			guard->check(guard->owner);
		}
	}
}

static void judge(struct guard_entry *entry)
{
	struct guard *writer = guard_writer(entry->dir->hub, entry->path);
	struct stat st;

	if (!writer) {
		guard_path_accept(entry);
		return;
	}
	if (!look(entry, &st)) {
		accept_as(entry, NULL);
		return;
	}
	if (entry->exists && !entry->vanished) {
		bool same = st.st_dev == entry->dev && st.st_ino == entry->ino;

		if (same || (!entry->unsettled && is_mounted(entry))) {
			accept_as(entry, &st);
			if (!same)
				ask_for_mounts(entry);
			return;
		}
	}
	// What cannot be set aside is tried again whenever there is a reason to look.
	if (guard_set_aside(writer, entry->dir->fd, entry->name, entry->path,
			    entry->failed ? NULL : "it was not there when the world was built") < 0)
		entry->failed = true;
	else
		accept_as(entry, NULL);
}

void guard_path_judge(struct guard_entry *entry)
{
	bool held = entry->dir->fd >= 0;

	guard_path_hold(entry->dir);
	judge(entry);
	if (!held)
		guard_path_release(entry->dir);
}

// SPDX-License-Identifier: Apache-2.0
/** Entries of skeletons that are bound again after the host replaced them. */
#include "world/rebind.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/plan.h"
#include "world/compile.h"
#include "world/guard.h"
#include "world/guard_watch.h"
#include "world/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SKELETON_MASK (IN_CREATE | IN_MOVED_TO)
/** Mounts before one command; the rest waits for the next one. */
#define MOUNTS_MAX 16U
/** Flags of a bind that a later one of the same entry needs too. */
#define BIND_FLAGS ((uint32_t)(PLAN_RW | PLAN_RECURSIVE | PLAN_DEV | PLAN_NOEXEC))

/** A skeleton: a host directory whose entries are bound one by one. */
struct rebind_dir {
	struct rebind_dir *next;
	struct rebind *rebind;
	char *path;
	int fd;
	struct guard_watch_sub sub;
	struct rebind_entry *entries;
};

struct rebind_entry {
	struct rebind_entry *next;
	char *source, *name, *path; /**< On the host, its last component, in the world. */
	uint32_t flags;
	mode_t type;
	dev_t dev;
	ino_t ino;
	bool dirty;
};

struct rebind {
	struct rebind_options options;
	struct rebind_dir *dirs;
	bool dirty; /**< An entry is. */
};

/* Noticing ----------------------------------------------------------------------------- */

static void on_event(struct guard_watch_sub *sub, uint32_t mask, const char *name)
{
	struct rebind_dir *dir = container_of(sub, struct rebind_dir, sub);

	(void)mask;
	for (struct rebind_entry *entry = dir->entries; entry; entry = entry->next) {
		if (strcmp(entry->name, name) == 0) {
			entry->dirty = true;
			dir->rebind->dirty = true;
		}
	}
}

/** True when a world can write to path: what appears there is not to be trusted. */
static bool is_writable(const struct spec *spec, const char *path)
{
	if (path_within(path, spec->project.root) ||
	    (spec->project.common_dir && path_within(path, spec->project.common_dir)))
		return true;
	for (size_t i = 0; i < spec->write.count; i++) {
		if (path_within(path, spec->write.items[i]))
			return true;
	}
	return false;
}

/* Making it ---------------------------------------------------------------------------- */

static struct rebind_entry *entry_free(struct rebind_entry *entry)
{
	if (!entry)
		return NULL;
	free(entry->source);
	free(entry->name);
	free(entry->path);
	free(entry);
	return NULL;
}
DEFINE_AUTO(struct rebind_entry *, entry_free)

static struct rebind_dir *dir_free(struct rebind_dir *dir)
{
	if (!dir)
		return NULL;
	guard_watch_remove(dir->rebind->options.watch, &dir->sub);
	while (dir->entries) {
		struct rebind_entry *entry = dir->entries;

		dir->entries = entry->next;
		(void)entry_free(entry);
	}
	dir->fd = fd_close(dir->fd);
	free(dir->path);
	free(dir);
	return NULL;
}
DEFINE_AUTO(struct rebind_dir *, dir_free)

static int add_dir(struct rebind *rebind, const char *path, struct error *err)
{
	AUTO(dir_free) struct rebind_dir *dir = calloc(1, sizeof(*dir));
	AUTO(fd_close) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!dir)
		return error_oom(err);
	dir->rebind = rebind;
	dir->fd = root < 0 || path[0] != '/' || path[1] == '\0'
			  ? -1
			  : fd_open_beneath(root, path + 1, O_PATH | O_DIRECTORY, 0);
	if (dir->fd < 0)
		return 0; // gone since the plan was made: its entries stay as they are bound
	dir->path = strdup(path);
	if (!dir->path)
		return error_oom(err);

	int r = guard_watch_add(rebind->options.watch, &dir->sub, dir->fd, SKELETON_MASK, on_event,
				err);

	if (r == -EACCES)
		return 0; // nobody but its owner can see what happens there
	if (r < 0)
		return error_wrap(err, r, "%s", path);
	dir->next = rebind->dirs;
	rebind->dirs = TAKE_PTR(dir);
	return 0;
}

static struct rebind_dir *dir_of(const struct rebind *rebind, const char *source)
{
	size_t len = (size_t)(path_base(source) - source);

	for (struct rebind_dir *dir = rebind->dirs; dir; dir = dir->next) {
		if (strlen(dir->path) + 1 == len && strncmp(dir->path, source, len - 1) == 0)
			return dir;
	}
	return NULL;
}

static int add_entry(struct rebind_dir *dir, const char *source, const char *path, uint32_t flags,
		     struct error *err)
{
	AUTO(entry_free) struct rebind_entry *entry = calloc(1, sizeof(*entry));
	struct stat st;

	if (!entry)
		return error_oom(err);
	entry->source = strdup(source);
	entry->name = strdup(path_base(source));
	entry->path = strdup(path);
	if (!entry->source || !entry->name || !entry->path)
		return error_oom(err);
	if (fstatat(dir->fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; // gone already
	entry->flags = flags & BIND_FLAGS;
	entry->type = st.st_mode & S_IFMT;
	entry->dev = st.st_dev;
	entry->ino = st.st_ino;
	entry->next = dir->entries;
	dir->entries = TAKE_PTR(entry);
	return 0;
}

static int add_entries(struct rebind *rebind, const struct image *image, struct error *err)
{
	struct plan plan;
	int r = plan_open(image->plan.data, image->plan.len, &plan, err);

	for (uint32_t i = 0; r == 0 && i < plan.nops; i++) {
		const struct plan_op *op = &plan.ops[i];
		const char *source = plan_string(&plan, op->source);
		const char *path = plan_string(&plan, op->path);

		if (op->kind != PLAN_BIND || (op->flags & PLAN_INSIDE) || !source || !path)
			continue;

		struct rebind_dir *dir = dir_of(rebind, source);

		if (dir)
			r = add_entry(dir, source, path, op->flags, err);
	}
	return r;
}

int rebind_new(const struct rebind_options *options, struct rebind **ret, struct error *err)
{
	AUTO(rebind_free) struct rebind *rebind = calloc(1, sizeof(*rebind));
	const struct strv *skeletons = &options->image->skeletons;
	int r = 0;

	if (!rebind)
		return error_oom(err);
	rebind->options = *options;
	for (size_t i = 0; r == 0 && i < skeletons->count; i++) {
		if (!is_writable(options->spec, skeletons->items[i]))
			r = add_dir(rebind, skeletons->items[i], err);
	}
	if (r == 0)
		r = add_entries(rebind, options->image, err);
	rebind->options.spec = NULL;
	rebind->options.image = NULL;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rebind);
	return 0;
}

struct rebind *rebind_free(struct rebind *rebind)
{
	if (!rebind)
		return NULL;
	while (rebind->dirs) {
		struct rebind_dir *dir = rebind->dirs;

		rebind->dirs = dir->next;
		(void)dir_free(dir);
	}
	free(rebind);
	return NULL;
}

/* Mounting ----------------------------------------------------------------------------- */

/** Mount the entry when it is another one of the same type.  True: a mount was tried. */
static bool mount_entry(struct rebind *rebind, const struct rebind_dir *dir,
			struct rebind_entry *entry)
{
	struct error ignored = {0};
	struct stat st;

	entry->dirty = false;
	if (fstatat(dir->fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false; // the world keeps the old one
	if ((st.st_dev == entry->dev && st.st_ino == entry->ino) ||
	    (st.st_mode & S_IFMT) != entry->type)
		return false;
	if (rebind->options.mount(entry->source, entry->path, entry->flags, rebind->options.owner,
				  &ignored) < 0)
		return true; // the world keeps the old one; the next change tries again
	entry->dev = st.st_dev;
	entry->ino = st.st_ino;
	return true;
}

void rebind_run(struct rebind *rebind)
{
	unsigned mounts = 0;

	if (!rebind->dirty)
		return;
	for (struct rebind_dir *dir = rebind->dirs; dir; dir = dir->next) {
		for (struct rebind_entry *entry = dir->entries; entry; entry = entry->next) {
			if (mounts == MOUNTS_MAX)
				return; // still dirty: the rest comes before the next command
			if (entry->dirty && mount_entry(rebind, dir, entry))
				mounts++;
		}
	}
	rebind->dirty = false;
}

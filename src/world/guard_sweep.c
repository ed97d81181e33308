// SPDX-License-Identifier: Apache-2.0
/**
 * Sweeps.
 *
 * Whose a repository is that a sweep finds is told by the times of its parts (guard_touched()).
 *
 * Limits: FOLDERS_MAX folders, DEPTH_MAX deep; a repository is trusted until the sweep comes by.
 */
#include "world/guard_sweep.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/aside_tree.h"
#include "world/guard_config.h"
#include "world/guard_place.h"
#include "world/guard_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FOLDERS_MAX 20000U
#define FINISH_MAX 4000U
#define DEPTH_MAX 32U
#define ENTRIES_MAX 16384U
/** Folders that are looked into before the loop gets its turn. */
#define STEP_FOLDERS 64U
#define STEP_MS 2
/** A sweep may take one part in so many of the time. */
#define SHARE 20U

/* Times -------------------------------------------------------------------------------- */

static bool touched_in(const struct guard_place *place, int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       guard_touched(place->hub, place->path, &st.st_ctim);
}

static bool touched_hooks(const struct guard_place *place, int git_fd)
{
	AUTO(fd_close) int hooks = aside_tree_enter(git_fd, "hooks");
	DIR *dir = hooks < 0 ? NULL : fdopendir(hooks);
	const struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = !str_ends(entry->d_name, ".sample") && strcmp(entry->d_name, "..") != 0 &&
			touched_in(place, hooks, entry->d_name);
	hooks = -1; // it is the stream's
	(void)closedir(dir);
	return found;
}

/** True when a world made the repository in the folder, or changed what git runs there. */
static bool is_made(const struct guard_place *place, const char *git)
{
	AUTO(fd_close) int fd = aside_tree_open(place->fd, git, O_PATH | O_DIRECTORY);

	if (touched_in(place, place->fd, git))
		return true;
	return fd >= 0 && (touched_in(place, fd, "config") || touched_in(place, fd, "commondir") ||
			   touched_hooks(place, fd));
}

/* Folders ------------------------------------------------------------------------------ */

/** What of a repository a folder holds. */
struct contents {
	bool git, head, objects, refs, commondir;
};

static void look_again(struct guard_repo *repo, bool accept)
{
	if (accept) {
		guard_repo_accept(repo);
		return;
	}
	guard_config_check(repo->config);
	guard_config_check(repo->config_worktree);
	guard_repo_check(repo);
}

static void found(struct guard *guard, const char *below, int fd, const struct contents *contents)
{
	const struct guard_root *root = &guard->root;
	AUTO(mem_free) char *path = path_join(root->path, below);
	AUTO(mem_free) char *git = path ? path_join(path, contents->git ? ".git" : "") : NULL;
	struct guard_repo *known = git ? guard_repo_find(guard->hub, git) : NULL;
	struct guard_place place = {
		.hub = guard->hub,
		.repo = root->git_dir ? guard_repo_find(guard->hub, root->git_dir) : NULL,
		.path = path,
		.fd = fd,
		.loose = true,
	};

	if (!git)
		return;
	place.accept = !is_made(&place, contents->git ? ".git" : ".");
	guard->sweeping = true; // what it finds counts as done by this world
	if (known && guard_repo_is_there(known) && known->loose)
		look_again(known, place.accept);
	else if (contents->git)
		guard_place_enter(&place);
	else
		guard_place_enter_bare(&place);
	guard->sweeping = false;
}

static unsigned depth_of(const char *below)
{
	unsigned depth = 0;

	for (; *below; below++)
		depth += *below == '/';
	return depth;
}

static void push(struct guard_sweep *sweep, const char *below, const char *name)
{
	char *next = path_join(below, name);

	// Without memory the folder is not looked into; the next sweep tries again.
	if (sweep->folders_left > 0 && depth_of(below) < DEPTH_MAX &&
	    strv_take(&sweep->queue, next) == 0)
		sweep->folders_left--;
	else if (sweep->folders_left == 0 || depth_of(below) >= DEPTH_MAX)
		free(next);
}

static void take_entry(struct guard_sweep *sweep, const char *below, const struct dirent *entry,
		       struct contents *contents)
{
	const char *name = entry->d_name;

	contents->git |= strcmp(name, ".git") == 0;
	contents->head |= strcmp(name, "HEAD") == 0;
	contents->objects |= strcmp(name, "objects") == 0;
	contents->refs |= strcmp(name, "refs") == 0;
	contents->commondir |= strcmp(name, "commondir") == 0;
	if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0 && strcmp(name, ".git") != 0)
		push(sweep, below, name);
}

/** Git enters a folder that its user may not read; so do we, and leave its mode as it was. */
static int open_folder(int root_fd, const char *below)
{
	AUTO(fd_close) int fd = aside_tree_open(root_fd, below, O_RDONLY | O_DIRECTORY);

	if (fd >= 0 || errno != EACCES)
		return TAKE_FD(fd);

	AUTO(fd_close) int pin = aside_tree_open(root_fd, below, O_PATH | O_DIRECTORY);
	int mode = pin < 0 ? -1 : aside_tree_unlock(pin);

	if (mode < 0)
		return -1;
	fd = aside_tree_open(pin, ".", O_RDONLY | O_DIRECTORY);
	(void)aside_tree_chmod(pin, (mode_t)mode);
	return TAKE_FD(fd);
}

static void look_into(struct guard *guard, const char *below)
{
	AUTO(fd_close) int fd = open_folder(guard->root.fd, below[0] ? below : ".");
	AUTO(fd_close) int own = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct contents contents = {0};
	const struct dirent *entry;

	if (!dir)
		return;
	own = -1; // it is the stream's
	for (unsigned i = 0; i < ENTRIES_MAX && (entry = readdir(dir)); i++)
		take_entry(&guard->sweep, below, entry, &contents);
	(void)closedir(dir);
	if (below[0] && // the project's own folder is looked at by guard_root.c
	    (contents.git ||
	     (contents.head && (contents.commondir || (contents.objects && contents.refs)))))
		found(guard, below, fd, &contents);
}

/* Steps -------------------------------------------------------------------------------- */

/** Take the folder that was put in last. */
static char *pop(struct strv *queue)
{
	char *last = queue->items[--queue->count];

	queue->items[queue->count] = NULL;
	return last;
}

/** Look into up to `count` folders.  True: there are more. */
static bool step(struct guard *guard, unsigned count)
{
	struct guard_sweep *sweep = &guard->sweep;
	uint64_t start_ns = clock_mono_ns();

	for (; count > 0 && sweep->queue.count > 0; count--) {
		AUTO(mem_free) char *below = pop(&sweep->queue);

		look_into(guard, below);
	}
	sweep->spent_ns += clock_mono_ns() - start_ns;
	return sweep->queue.count > 0;
}

static void step_due(struct timer *timer)
{
	struct guard_sweep *sweep = container_of(timer, struct guard_sweep, timer);
	struct guard *guard = container_of(sweep, struct guard, sweep);

	if (sweep->queue.count == 0) {
		sweep->folders_left = FOLDERS_MAX;
		sweep->spent_ns = 0;
		sweep->again = false;
		(void)strv_add(&sweep->queue, "");
	}
	if (step(guard, STEP_FOLDERS)) {
		timer_start(guard->hub->loop, timer, STEP_MS, step_due);
		return;
	}
	sweep->next_ns = clock_mono_ns() + SHARE * sweep->spent_ns;
	if (sweep->again)
		guard_sweep_start(guard);
}

void guard_sweep_start(struct guard *guard)
{
	struct guard_sweep *sweep = &guard->sweep;
	uint64_t now_ns = clock_mono_ns();

	if (!guard->root.path)
		return;
	if (sweep->timer.loop) {
		sweep->again |= sweep->queue.count > 0; // else it has not begun yet
		return;
	}
	timer_start(guard->hub->loop, &sweep->timer,
		    sweep->next_ns > now_ns ? (sweep->next_ns - now_ns) / 1000000 : 0, step_due);
}

void guard_sweep_finish(struct guard *guard)
{
	struct guard_sweep *sweep = &guard->sweep;

	if (!sweep->timer.loop)
		return;
	timer_stop(&sweep->timer);
	strv_done(&sweep->queue);
	sweep->folders_left = FINISH_MAX;
	(void)strv_add(&sweep->queue, "");
	(void)step(guard, FINISH_MAX);
	guard_sweep_stop(guard);
}

void guard_sweep_stop(struct guard *guard)
{
	timer_stop(&guard->sweep.timer);
	strv_done(&guard->sweep.queue);
}

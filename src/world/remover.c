// SPDX-License-Identifier: Apache-2.0
/**
 * Removing in the background.
 *
 * How it works: a job holds the directory and removes a slice of the tree each time it runs, so
 * that other jobs get their turn and the end of the daemon does not wait for a large tree.  A
 * world can fill the tree again meanwhile, and hand over trees faster than they are removed, each
 * of which holds a descriptor: so the slices and the jobs are bounded.
 */
#include "world/remover.h"

#include "base/error.h"
#include "base/fd.h"
#include "loop/worker.h"
#include "world/aside_tree.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define SLICE_ENTRIES 4096U
#define SLICES_MAX 4096U
/** Trees that may wait at once. */
#define WAITING_MAX 256U

struct remover {
	struct worker *worker;
	unsigned waiting;
};

struct removal {
	struct worker_job job;
	struct remover *remover;
	int dirfd;
	char *name;
	unsigned slices; /**< That may still run. */
	bool more;       /**< The slice did not suffice. */
};

int remover_new(struct loop *loop, struct remover **ret, struct error *err)
{
	struct remover *remover = calloc(1, sizeof(*remover));

	if (!remover)
		return error_oom(err);

	int r = worker_new(loop, &remover->worker, err);

	if (r < 0)
		free(remover);
	else
		*ret = remover;
	return r;
}

struct remover *remover_free(struct remover *remover)
{
	if (!remover)
		return NULL;
	remover->worker = worker_free(remover->worker);
	free(remover);
	return NULL;
}

static void remove_slice(struct worker_job *job)
{
	struct removal *removal = container_of(job, struct removal, job);
	struct aside_budget budget = {.entries = SLICE_ENTRIES};
	struct error ignored = {0};
	// The directory may be the world's, which may have taken the right to change it.
	int mode = aside_tree_unlock(removal->dirfd);
	int r = aside_tree_remove(removal->dirfd, removal->name, &budget, &ignored);

	if (mode >= 0 && (mode & 0700) != 0700)
		(void)aside_tree_chmod(removal->dirfd, (mode_t)mode);
	removal->more = r < 0 && budget.entries == 0;
}

static void removal_free(struct removal *removal)
{
	removal->dirfd = fd_close(removal->dirfd);
	free(removal->name);
	free(removal);
}

static void slice_done(struct worker_job *job)
{
	struct removal *removal = container_of(job, struct removal, job);

	if (job->ran && removal->more && --removal->slices > 0) {
		worker_submit(removal->remover->worker, job);
		return;
	}
	removal->remover->waiting--;
	removal_free(removal);
}

void remover_take(struct remover *remover, int dirfd, const char *name)
{
	// What is no directory needs no time.
	if (unlinkat(dirfd, name, 0) == 0 || remover->waiting >= WAITING_MAX)
		return;

	struct removal *removal = calloc(1, sizeof(*removal));

	if (!removal)
		return;
	removal->job = (struct worker_job){.run = remove_slice, .done = slice_done};
	removal->remover = remover;
	removal->slices = SLICES_MAX;
	removal->name = strdup(name);
	removal->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (!removal->name || removal->dirfd < 0) {
		removal_free(removal);
		return;
	}
	remover->waiting++;
	worker_submit(remover->worker, &removal->job);
}

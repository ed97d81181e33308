// SPDX-License-Identifier: Apache-2.0
/**
 * Removing in the background.
 *
 * How it works: a job holds the directory and removes a slice of the tree each time it runs, so
 * that other jobs get their turn and the end of the daemon does not wait for a large tree.  A
 * world can fill the tree again meanwhile, so the number of slices is bounded.
 */
#include "world/aside_remove.h"

#include "base/compiler.h"
#include "base/error.h"
#include "base/fd.h"
#include "loop/worker.h"
#include "world/aside_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define SLICE_ENTRIES 4096U
#define SLICES_MAX 4096U

struct removal {
	struct worker_job job;
	struct worker *worker;
	int dirfd;
	char *name;
	unsigned slices; /**< That may still run. */
	bool more;       /**< The slice did not suffice. */
};

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

	if (job->ran && removal->more && removal->slices-- > 0)
		worker_submit(removal->worker, job);
	else
		removal_free(removal);
}

int aside_remove(struct worker *worker, int dirfd, const char *name, struct error *err)
{
	struct removal *removal = calloc(1, sizeof(*removal));

	if (!removal)
		return error_oom(err);
	removal->job = (struct worker_job){.run = remove_slice, .done = slice_done};
	removal->worker = worker;
	removal->slices = SLICES_MAX;
	removal->name = strdup(name);
	removal->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (!removal->name || removal->dirfd < 0) {
		int r = error_errno(err, "remove %s", name);

		removal_free(removal);
		return r;
	}
	if (worker) {
		worker_submit(worker, &removal->job);
		return 0;
	}
	do {
		remove_slice(&removal->job);
	} while (removal->more && removal->slices-- > 0);
	removal_free(removal);
	return 0;
}

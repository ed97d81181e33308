// SPDX-License-Identifier: Apache-2.0
/** Building a world: the state that the operations share. */
#pragma once

#include "sandbox/plan.h"
#include "sandbox/watch_priv.h"

#include <limits.h>
#include <sys/types.h>

struct error;
struct sock_filter;

/** Directory that the last file operation worked in: plans name many files of one. */
struct build_parent {
	char path[PATH_MAX];
	int fd; /**< -1: none. */
};

struct build {
	const struct plan *plan; /**< Borrowed. */
	struct watch_list *watches;
	int root;    /**< O_PATH of the new root. */
	int proc;    /**< The world's procfs, -1: none. */
	int ruleset; /**< Landlock ruleset, -1: none. */
	int abi;     /**< Of Landlock, 0: not there. */
	uid_t uid;   /**< Whose the commands are; our own at first. */
	gid_t gid;
	bool entered;               /**< PLAN_PIVOT is done. */
	bool pids;                  /**< kernel.pid_max is set. */
	struct sock_filter *filter; /**< Owned: of the last PLAN_SECCOMP; NULL: none. */
	uint32_t filter_bytes;
	char *scratch; /**< Owned; where files are copied through. */
	struct build_parent parent;
};

/** Executes one operation. */
typedef int build_fn(struct build *build, const struct plan_op *op, struct error *err);

/** Make the new root and execute the plan. `build` is to be zeroed but for plan and watches. */
int build_run(struct build *build, struct error *err);

/** Close what is open; works on a half-built one. */
void build_done(struct build *build);

/** Open `path` of the world beneath its root.  Returns the descriptor, or -1 with errno. */
int build_open(const struct build *build, const char *path, uint64_t flags);

build_fn build_files_dir, build_files_link, build_files_file, build_files_copy;
build_fn build_mounts_bind, build_mounts_self, build_mounts_tmpfs, build_mounts_proc;
build_fn build_mounts_devpts, build_mounts_seal, build_mounts_pivot;
build_fn build_state_sysctl, build_state_hostname, build_state_loopback, build_state_user;
build_fn build_state_landlock, build_state_seccomp;

/** Make an empty mount point: a directory, or a file.  One that exists is fine. */
int build_files_point(struct build *build, const char *path, bool directory, struct error *err);

/** Mount the tmpfs that is the new root over "/", where it hides nothing. */
int build_mounts_root(struct build *build, struct error *err);

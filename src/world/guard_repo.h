// SPDX-License-Identifier: Apache-2.0
/**
 * Repositories that the host's git would enter from a project: the project's own, one that a
 * command makes, and every directory that their indexes call a submodule.
 *
 * Suspects are what git would run or be led by (hooks that are no samples, `commondir`, a
 * `.git` that points elsewhere).  Those that are there while nothing runs are the host's and
 * remembered by identity; others are set aside.  Repositories are shared by the guards of a hub
 * and live as long as one of them covers the place.
 */
#pragma once

#include "world/guard_index.h"
#include "world/guard_priv.h"

/** Something that was there while nothing ran. */
struct guard_seen {
	char *name; /**< Below the repository, or below its working tree with "//" first. */
	dev_t dev;
	ino_t ino;
	struct timespec ctime;
};

struct guard_repo {
	struct guard_repo *next;
	struct guard_hub *hub;
	char *path;          /**< Of the git directory. */
	char *worktree;      /**< Path of its working tree, or NULL. */
	int fd, worktree_fd; /**< O_PATH while it is looked at; else -1. */
	struct guard_identity identity;
	bool mounted; /**< Its hooks and commondir are protected by mounts. */
	bool dirty;   /**< An event came from it. */
	bool dead;    /**< Another directory took its place; free it when nobody looks. */
	bool keep;    /**< It stays open. */
	bool loose;   /**< No index leads to it: looked at on events and by sweeps. */
	bool failed;  /**< Something could not be set aside. */
	struct guard_watch_sub sub, hooks_sub;
	struct guard_config *config, *config_worktree;
	struct guard_seen *seen;
	size_t nseen;
	struct guard_index index; /**< What the index holds, as of: */
	struct stat index_stat;
	uint64_t index_ns; /**< CLOCK_MONOTONIC. */
	bool index_exact;  /**< Nobody could write to it since index_stat was taken. */
	bool crowded;      /**< There was more than is looked at; told once. */
};

/** What guard_repo_add() takes.  Borrowed. */
struct guard_repo_options {
	const char *path, *worktree; /**< worktree may be NULL. */
	int fd;                      /**< Of path. */
	bool made;                   /**< By a world: nothing in it is trusted. */
	bool mounted;
	bool loose;
};

/** What guard_repo_add() did. */
enum guard_repo_outcome { GUARD_REPO_KNOWN, GUARD_REPO_NEW };

/**
 * Look after a repository.  One that is known already stays as it is.  A new one has not been
 * looked at yet: accept or check it.  -E2BIG: there are too many.
 */
int guard_repo_add(struct guard_hub *hub, const struct guard_repo_options *options,
		   struct guard_repo **ret, struct error *err);

/** The repository at path, or NULL. */
struct guard_repo *guard_repo_find(const struct guard_hub *hub, const char *path);

/** Open its directory: O_PATH, owned; -1 when its path leads elsewhere or nowhere. */
int guard_repo_open(const struct guard_repo *repo);

/** True when its path still leads to the directory that is held. */
bool guard_repo_is_there(const struct guard_repo *repo);

/** Forget the repositories that are gone and those that no guard covers any more. */
void guard_repo_prune(struct guard_hub *hub);

/** Nothing runs that can write it: what is there is the host's. */
void guard_repo_accept(struct guard_repo *repo);

/** Set aside what is not the host's, and find submodules that appeared. */
void guard_repo_check(struct guard_repo *repo);

/** A suspect: remember it (`accept`) or set it aside unless it is remembered. */
struct guard_suspect {
	int dirfd;
	const char *name; /**< In dirfd. */
	const char *key;  /**< As in struct guard_seen. */
	const char *path; /**< On the host. */
	const char *why;
	bool accept;
};

/** Look at it again. */
void guard_repo_suspect(struct guard_repo *repo, const struct guard_suspect *suspect);

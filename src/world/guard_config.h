// SPDX-License-Identifier: Apache-2.0
/**
 * One file of git configuration: what it held before commands ran, and putting it back.
 *
 * Shared by the guards of a hub and counted.
 */
#pragma once

#include "world/guard_priv.h"

/** What is at the place of a configuration file. */
enum guard_config_kind {
	GUARD_CONFIG_ABSENT,
	GUARD_CONFIG_TEXT,    /**< A regular file of a sane size. */
	GUARD_CONFIG_LINK,    /**< A symlink; `text` is its target. */
	GUARD_CONFIG_STRANGE, /**< Something that no git needs here, or unreadable. */
};

struct guard_config_state {
	enum guard_config_kind kind;
	char *text; /**< Owned; NULL unless TEXT or LINK. */
	size_t len;
	mode_t mode; /**< TEXT: permission bits and owner. */
	uid_t uid;
	gid_t gid;
};

struct guard_config {
	struct guard_config *next;
	struct guard_hub *hub;
	char *path, *name;
	char *dir;                      /**< Path of its directory. */
	struct guard_identity identity; /**< Of the directory. */
	int dirfd;                      /**< O_PATH of it while it is looked at; else -1. */
	struct guard_watch_sub sub;
	struct guard_config_state before; /**< What is right. */
	struct timespec seen_mtime, seen_ctime;
	ino_t seen_ino;
	bool made;   /**< Of a repository that a world made: defused. */
	bool keep;   /**< Its directory stays open. */
	bool dirty;  /**< An event named it. */
	bool loose;  /**< Of a repository that no index leads to (guard_repo.h). */
	bool failed; /**< It could not be put back; told once. */
	unsigned refs;
};

/** Keep the directory of a project's own configuration open. */
void guard_config_keep(struct guard_config *config);

/**
 * Guard the file dirfd/name, known as `path`.  `made`: nothing in it is trusted.
 * Drop it with guard_config_drop(); NULL is fine there.
 */
int guard_config_add(struct guard_hub *hub, int dirfd, const char *path, bool made,
		     struct guard_config **ret, struct error *err);

/** Forget it. */
void guard_config_drop(struct guard_config *config);

/** Nothing runs: take what is there as the host's, when it is another file than was seen. */
void guard_config_accept(struct guard_config *config);

/** Compare, and put back what a world must not change. */
void guard_config_check(struct guard_config *config);

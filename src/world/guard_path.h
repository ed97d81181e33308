// SPDX-License-Identifier: Apache-2.0
/**
 * Protected paths: pinned directories and the entries in them that matter.
 *
 * Shared by the guards of a hub and counted.  `known` is what the host has there; what appears
 * while a world runs and is not known is the world's.
 */
#pragma once

#include "world/guard_priv.h"

/** A directory that is held by a descriptor and watched. */
struct guard_dir {
	struct guard_dir *next;
	struct guard_hub *hub;
	char *path; /**< Real when it was opened. */
	int fd;     /**< O_PATH, while guard_path_hold() holds it; else -1. */
	struct guard_identity identity;
	struct guard_watch_sub sub;
	bool keep; /**< It stays open. */
	bool lost; /**< It was removed or moved: open it again. */
	unsigned refs;
	struct guard_entry *entries;
};

/** One protected path. */
struct guard_entry {
	struct guard_entry *next; /**< In its directory. */
	struct guard_dir *dir;
	char *name, *path;
	bool exists; /**< Known to be there, as dev and ino. */
	dev_t dev;
	ino_t ino;
	bool dirty;     /**< An event named it. */
	bool vanished;  /**< It was gone for a moment, so its mount in a world is too. */
	bool unsettled; /**< Replaced by the host; its mounts are not back yet. */
	bool failed;    /**< It could not be set aside; told once. */
	unsigned refs;
};

/**
 * Open a real path (a directory) without following any symlink: O_PATH fd, or -1 with errno.
 * Directories that worlds can write are made searchable for their owner.
 */
int guard_path_open(const struct guard_hub *hub, const char *path);

/**
 * Give the owner of an open directory the right to search it: whoever takes it away must not
 * hide by that what is in there.
 */
void guard_path_unlock(int fd);

/** The same, or -1 when it is another directory than `identity`. */
int guard_path_open_same(const struct guard_hub *hub, const char *path,
			 const struct guard_identity *identity);

/** The directory at `path`, opened when nobody had it.  Count it down with guard_path_leave(). */
int guard_path_enter(struct guard_hub *hub, const char *path, struct guard_dir **ret,
		     struct error *err);

/** Leave it. */
void guard_path_leave(struct guard_dir *dir);

/**
 * The entry at `path`.  *ret is NULL when the directory it would be in does not exist.
 * Drop it with guard_path_drop(); NULL is fine there.
 */
int guard_path_add(struct guard_hub *hub, const char *path, struct guard_entry **ret,
		   struct error *err);

/** Forget it. */
void guard_path_drop(struct guard_entry *entry);

/**
 * True when a directory may stay open for good.  A few may, for speed: those of the projects
 * themselves.  Others are opened when they are looked at, because worlds can make many.
 */
bool guard_path_keep(struct guard_hub *hub);

/** Keep the directory open while several of its entries are looked at. */
void guard_path_hold(struct guard_dir *dir);

/** Close it again, unless it stays open for good. */
void guard_path_release(struct guard_dir *dir);

/** What is known to be there. */
struct guard_identity guard_path_identity(const struct guard_entry *entry);

/** True when what is there is neither a directory nor a regular file. */
bool guard_path_is_link(const struct guard_entry *entry);

/** Take what is there as the host's. */
void guard_path_accept(struct guard_entry *entry);

/** Look at the entry: accept it, have mounts checked, or set it aside. */
void guard_path_judge(struct guard_entry *entry);

/** Open directories again that were replaced.  True: one of them was. */
bool guard_path_reopen(struct guard_hub *hub);

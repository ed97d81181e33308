// SPDX-License-Identifier: Apache-2.0
/**
 * What a world is to be: the struct that a policy fills; until then spec_default() does, with
 * the built-in equal of an fs.write that names the project, /tmp and the (private) caches.
 *
 * A spec plus the state of the host's file system gives a plan (compile.h).
 */
#pragma once

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/** Who a world's commands are. */
struct spec_user {
	uid_t uid;
	gid_t gid;
	char *name; /**< From passwd, or the number. */
	char *home; /**< Real path of the passwd home ("/" when it has none). */
	char *shell;
};

/** Where the project is and what may be written; made by project_find(). */
struct spec_project {
	char *root;       /**< Real path. */
	char *git_dir;    /**< Below root, or a worktree's; NULL: no repository. */
	char *common_dir; /**< NULL: none. */
	bool git_file;    /**< root/.git is a file: protected. */
	bool read_only;   /**< It may not be written ... */
	char *reason;     /**< ... because of this; NULL when it may. */
	uid_t uid;        /**< Owner of root. */
	gid_t gid;
};

enum spec_caches {
	SPEC_CACHES_PRIVATE, /**< ~/.cache, ~/.npm, ... are directories of the world's own. */
	SPEC_CACHES_SHARED,  /**< The host's, writable. */
};

struct spec {
	char *substrate_home; /**< Real path. */
	char *profile;        /**< "default". */
	char *agent;
	char *env_home; /**< $HOME of the daemon when it differs from passwd's; or NULL. */
	struct spec_user user;
	struct spec_project project;
	struct strv write; /**< More writable host paths, real ($PROJECT is implied). */
	enum spec_caches caches;
	uint64_t tmp_bytes;       /**< Size of the world's /tmp. */
	uint32_t filter_families; /**< FILTER_ALL outside tests. */
	uint32_t guards_off;      /**< Bits (1 << enum plan_guard) left out of the plan: tests. */
	uint32_t harden_off;      /**< enum control_harden bits left out: tests. */
};

/** What a test takes out of a world to show that it bites.  All zero in production. */
struct spec_without {
	uint32_t families; /**< enum filter_family bits. */
	uint32_t guards;   /**< 1 << enum plan_guard. */
	uint32_t harden;   /**< enum control_harden bits. */
};

/** Take it out of a spec. */
static inline void spec_leave_out(struct spec *spec, const struct spec_without *without)
{
	spec->filter_families &= ~without->families;
	spec->guards_off |= without->guards;
	spec->harden_off |= without->harden;
}

/**
 * The built-in defaults for a project.  `cwd` is any path; the project is found from it.
 * When the daemon is root and the project belongs to another uid, `user` is that one.
 */
int spec_default(const char *substrate_home, const char *cwd, const char *profile,
		 const char *agent, struct spec *ret, struct error *err);

/**
 * The SHA-256 of all members, in lower-case hex: which rules a command ran under.  Returns 0 or
 * -ENOMEM.
 */
int spec_hash(const struct spec *spec, char ret[static 65]);

/** Free the members; works on a zeroed one. */
void spec_done(struct spec *spec);
static inline void spec_donep(struct spec *spec)
{
	spec_done(spec);
}

/** Passwd entry of uid (getpwuid); a uid without entry gets "/" and "/bin/sh". */
int spec_user_find(uid_t uid, struct spec_user *ret, struct error *err);

/** Free the members; works on a zeroed one. */
void spec_user_done(struct spec_user *user);

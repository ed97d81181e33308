// SPDX-License-Identifier: Apache-2.0
/** Taking privileges away: from init at its start, from its main thread, from the spawner. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct sock_filter;

/** What the spawner, and so every command, is confined to. */
struct harden {
	uint32_t off; /**< enum control_harden bits left out: tests. */
	uid_t uid;
	gid_t gid;
	int ruleset;                /**< Landlock ruleset, -1: none. */
	struct sock_filter *filter; /**< Only read; NULL: none. */
	uint32_t filter_bytes;
};

/** First thing in init, before the maps are written: die with the daemon, hold nothing. */
int harden_begin(int keep_fd, struct error *err);

/** Once the maps are written: nobody may trace init; no set*id changes capabilities. */
int harden_init(struct error *err);

/** Drop the bounding set of this thread and of what it makes. */
int harden_bounding(struct error *err);

/** When the world stands: the main thread keeps what mounting and killing need. */
int harden_main(struct error *err);

/** The spawner's last privileged act.  On failure the thread must end. */
int harden_spawner(const struct harden *harden, struct error *err);

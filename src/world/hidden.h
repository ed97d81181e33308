// SPDX-License-Identifier: Apache-2.0
/**
 * Hidden paths: what no world may see.
 *
 * A name in the home is resolved first: where `~/.config` is a link, what it leads to is marked,
 * and a hidden name that is a link itself hides its target too.
 */
#pragma once

#include "world/hostfs.h"
#include "world/marks.h"
#include "world/spec.h"

struct error;
struct making;

/** Whose homes, and what of the daemon's own. */
struct hidden_request {
	const struct hostfs *host;
	const struct spec_user *user;
	const char *env_home;       /**< Or NULL. */
	const char *substrate_home; /**< Or NULL. */
};

/** Mark what data/hidden.list says below the homes, and SUBSTRATE_HOME. */
int hidden_homes(const struct hidden_request *req, struct mark *marks, struct error *err);

/** Mark what is hidden from every world or from root's, outside of the homes. */
int hidden_system(struct making *m, struct error *err);

/** Mark bind mounts that show a hidden path elsewhere, and mounts that show the kernel. */
int hidden_mounts(struct making *m, struct error *err);

/** Mark the pathname sockets that exist on the host and would be bound. */
int hidden_sockets(struct making *m, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/** Which host paths are never bound into a world. */
#pragma once

#include "base/str.h"
#include "world/spec.h"

struct error;

/**
 * Collect them: clean absolute host paths, both as named and resolved.  A path that does not
 * exist is listed too, so that its parent becomes a skeleton and it stays invisible later.
 */
int hidden_collect(const struct spec_user *user, const char *env_home, const char *substrate_home,
		   struct strv *ret, struct error *err);

/** Add the host's pathname sockets and mount points that show a hidden path elsewhere. */
int hidden_collect_host(struct strv *hidden, struct error *err);

/** True for an entry of the home's .ssh that a world may see. */
bool hidden_ssh_visible(const char *name);

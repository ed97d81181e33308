// SPDX-License-Identifier: Apache-2.0
/** Compiling with a host that is given: for image_compile(), and for tests with a made-up one. */
#pragma once

#include "world/compile.h"

#include <stdbool.h>

struct hostfs;

/**
 * Compile for the world of a daemon that looks at `host`.  `squash`: the daemon is not root, so
 * its worlds know no user but one.
 */
int image_compile_host(const struct spec *spec, const struct hostfs *host, bool squash,
		       struct image *ret, struct error *err);

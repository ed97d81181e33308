// SPDX-License-Identifier: Apache-2.0
/** Generated files of a world: resolv.conf, hosts, nsswitch.conf, ssh's client configuration. */
#pragma once

#include "world/view.h"

struct error;

/** Make them below /run/substrate/etc and put them over the host's. */
int etcfiles_emit(struct view *view, struct error *err);

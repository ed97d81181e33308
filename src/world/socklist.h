// SPDX-License-Identifier: Apache-2.0
/** Pathname sockets, from the text of /proc/net/unix.  Pure. */
#pragma once

#include "base/str.h"

/** Add the absolute, clean paths that sockets are bound to, in order.  Returns 0 or -ENOMEM. */
int socklist_parse(const char *text, struct strv *ret);

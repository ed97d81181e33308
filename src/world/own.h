// SPDX-License-Identifier: Apache-2.0
/** What a world has of its own: /tmp, /var/tmp, /run, /dev, /proc and what it sees of /sys. */
#pragma once

struct error;
struct making;

/** Mark their places. */
int own_mark(struct making *m, struct error *err);

/** Emit them, when the host's view stands. */
int own_emit(struct making *m, struct error *err);

/** Emit directories from below `base` down to `path`, path included. */
int own_dirs(struct making *m, const char *base, const char *path, struct error *err);

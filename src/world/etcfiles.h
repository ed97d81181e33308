// SPDX-License-Identifier: Apache-2.0
/** Files in /etc that a world has of its own: resolver, hosts, name services, ssh's settings. */
#pragma once

struct error;
struct making;

/** Mark them, where /etc is made file by file. */
int etcfiles_mark(struct making *m, struct error *err);

/** Emit them, when /run stands; the store is closed by etcfiles_seal(). */
int etcfiles_emit(struct making *m, struct error *err);

/** Nothing more is put into the store. */
void etcfiles_seal(struct making *m);

// SPDX-License-Identifier: Apache-2.0
/** Ask `substrate-init --probe` what this host can do for a world. */
#pragma once

#include "base/compiler.h"

struct error;
struct loop;

/**
 * Run the probe.  `done` is called once: with the JSON text that it printed (borrowed), or with
 * `err` set.  Returns 0, or an error and no call.
 */
int examine_start(struct loop *loop, const char *init_path,
		  void (*done)(const char *text, size_t len, const struct error *err, void *owner),
		  void *owner, struct error *err);

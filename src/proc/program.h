// SPDX-License-Identifier: Apache-2.0
/** Where our own programs are: beside /proc/self/exe, then in libexecdir. */
#pragma once

struct error;

/** Absolute path of the program `name` ("substrated", "substrate-init").  Caller frees *ret. */
int program_find(const char *name, char **ret, struct error *err);

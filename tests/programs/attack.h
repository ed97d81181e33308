// SPDX-License-Identifier: Apache-2.0
/**
 * The attacks of the escape suite that no shell can make.
 *
 * Each returns 0 when the attack went through, else -1 with errno.  What an attack makes is gone
 * when the program ends, but for files at the paths that it is given.
 */
#pragma once

struct attack {
	const char *name;
	int nargs;
	int (*run)(char **args);
};

/** Each table ends with an entry without a name. */
extern const struct attack attack_calls[];
extern const struct attack attack_mounts[];
extern const struct attack attack_files[];
extern const struct attack attack_sockets[];

// SPDX-License-Identifier: Apache-2.0
/**
 * usage: substrate-attack NAME [ARG...]
 *
 * Exit status: 0 the attack went through, 1 it was refused, 2 wrong usage.
 */
#include "attack.h"

#include <stdio.h>
#include <string.h>

static const struct attack *const tables[] = {
	attack_calls,
	attack_mounts,
	attack_files,
	attack_sockets,
};

static const struct attack *find(const char *name, int nargs)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct attack *attack = tables[i]; attack->name; attack++) {
			if (strcmp(attack->name, name) == 0 && attack->nargs == nargs)
				return attack;
		}
	}
	return NULL;
}

/** Some attacks end in a root without /proc, where the leak checker cannot work. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int main(int argc, char **argv)
{
	const struct attack *attack = argc < 2 ? NULL : find(argv[1], argc - 2);

	if (!attack) {
		fprintf(stderr, "substrate-attack: no such attack, or wrong arguments\n");
		return 2;
	}
	if (attack->run(argv + 2) < 0) {
		perror(attack->name);
		return 1;
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** substrate-init: PID 1 of a world; with --probe it says what this host can do. */
#include "base/error.h"
#include "sandbox/init.h"
#include "sandbox/probe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int report(int r, const struct error *err)
{
	if (r < 0)
		(void)fprintf(stderr, "substrate-init: %s\n", err->msg);
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct error err = {0};

	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return report(probe_run(STDOUT_FILENO, &err), &err);
	if (argc != 1 || getpid() != 1) {
		(void)fputs("usage: substrate-init --probe\n"
			    "The daemon starts it without arguments, in a world's namespaces.\n",
			    stderr);
		return 2;
	}
	return report(init_run(INIT_CONTROL_FD, &err), &err);
}

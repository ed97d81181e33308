// SPDX-License-Identifier: Apache-2.0
/** substrate: the command line. */
#include "cli/cli.h"

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	return cli_main(SUBSTRATE_VERSION, argv, envp);
}

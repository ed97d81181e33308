// SPDX-License-Identifier: Apache-2.0
/** substrated: one daemon per user, usually started by the client. */
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: substrated [--ready-fd N] [--version]\n"
	"\n"
	"Serves $SUBSTRATE_HOME/sock/agent.sock until told to stop or idle.\n"
	"\n"
	"  --ready-fd N   write one line to descriptor N when it listens, or why it does not\n"
	"\n"
	"SUBSTRATE_HOME (default ~/.substrate) and SUBSTRATE_IDLE_EXIT (seconds, default 1800,\n"
	"0: never) are read from the environment.\n";

int main(int argc, char **argv)
{
	struct daemon_options options = {.ready_fd = -1};
	struct error err = {0};
	long fd = -1;

	log_start("substrated", LOG_LEVEL_INFO);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return fputs(usage, stdout) < 0;
		if (strcmp(argv[i], "--version") == 0)
			return puts("substrated " SUBSTRATE_VERSION) < 0;
		if (strcmp(argv[i], "--ready-fd") != 0 || i + 1 >= argc ||
		    str_to_long(argv[++i], 3, 1 << 20, &fd) < 0) {
			(void)fputs(usage, stderr);
			return 2;
		}
	}
	options.ready_fd = (int)fd;
	if (daemon_run(&options, &err) < 0) {
		log_line(LOG_LEVEL_ERROR, "%s", err.msg);
		return 1;
	}
	return 0;
}

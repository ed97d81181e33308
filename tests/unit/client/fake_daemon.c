// SPDX-License-Identifier: Apache-2.0
/**
 * Stands in for the daemon: does what $SUBSTRATE_HOME/mode says, and leaves its environment in
 * $SUBSTRATE_HOME/env.
 *
 * serve: take the lock, listen, serve until /quit.  running: say that another one runs.
 * fail: say why.  die: say nothing.  hang: say nothing and stay for a while.
 */
#include "http/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define READY_FD 3

static void say(const char *line)
{
	(void)!write(READY_FD, line, strlen(line));
	(void)close(READY_FD);
}

static void leave_environment(void)
{
	FILE *file = fopen("env", "w");

	for (char **entry = environ; file && *entry; entry++)
		(void)fprintf(file, "%s\n", *entry);
	if (file)
		(void)fclose(file);
}

static int serve(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock/agent.sock"};
	int lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	FILE *count = fopen("starts", "a");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (count) {
		(void)fputs("x", count);
		(void)fclose(count);
	}
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		say("running 4711\n");
		return 0;
	}
	(void)poll(NULL, 0, 100); // others are to see the lock held and nobody listening
	(void)mkdir("sock", 0700);
	(void)unlink(address.sun_path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 100) < 0) {
		say("cannot listen\n");
		return 1;
	}
	say("ok\n");
	return fixture_serve(fd, 100);
}

int main(int argc, char **argv)
{
	const char *home = getenv("SUBSTRATE_HOME");
	char mode[32] = "";

	if (argc != 3 || strcmp(argv[1], "--ready-fd") != 0 || strcmp(argv[2], "3") != 0 || !home ||
	    chdir(home) < 0)
		return 9;
	leave_environment();

	FILE *file = fopen("mode", "r");

	if (file) {
		(void)!fgets(mode, sizeof(mode), file);
		(void)fclose(file);
	}
	if (strcmp(mode, "serve") == 0)
		return serve();
	if (strcmp(mode, "running") == 0)
		say("running 4711\n");
	if (strcmp(mode, "fail") == 0)
		say("no luck today\n");
	if (strcmp(mode, "hang") == 0)
		(void)poll(NULL, 0, 2000);
	return strcmp(mode, "die") == 0;
}

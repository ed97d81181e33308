// SPDX-License-Identifier: Apache-2.0
/** One poll() tells which of the three are closed. */
#include "cli/std_fds.h"

#include "base/error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NULL_MAJOR 1
#define NULL_MINOR 3

int std_fds_claim(struct error *err)
{
	struct pollfd fds[] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

	if (poll(fds, ARRAY_LEN(fds), 0) < 0)
		return error_errno(err, "poll");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		// The lowest free number is the one that is given out.  Not writable, on purpose;
		// closed again for a program that is executed.
		if (fds[i].revents & POLLNVAL && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return error_errno(err, "/dev/null");
	}
	return 0;
}

bool std_fds_has_input(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0)
		return false;
	return !S_ISCHR(st.st_mode) || st.st_rdev != makedev(NULL_MAJOR, NULL_MINOR);
}

// SPDX-License-Identifier: Apache-2.0
/** read(), and what its errors mean. */
#include "cli/inlet.h"

#include <errno.h>
#include <unistd.h>

void inlet_done(struct inlet *inlet)
{
	free(inlet->data);
	*inlet = (struct inlet){0};
}

/** True for a terminal whose input goes to another process group now. */
static bool in_background(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group > 0 && group != getpgrp();
}

ssize_t inlet_read(struct inlet *inlet)
{
	ssize_t n;

	if (!inlet->data)
		inlet->data = malloc(INLET_CHUNK);
	if (!inlet->data)
		return -ENOMEM;

	n = read(STDIN_FILENO, inlet->data, INLET_CHUNK);
	inlet->parked = n < 0 && errno == EIO && in_background();
	if (n >= 0)
		return n;
	if (inlet->parked || errno == EINTR)
		return -EAGAIN;
	// A terminal that hung up is at its end.
	return errno == EIO && isatty(STDIN_FILENO) ? 0 : -errno;
}

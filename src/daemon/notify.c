// SPDX-License-Identifier: Apache-2.0
/** One datagram, or one line.  Nobody may be listening: failures are of no interest. */
#include "daemon/notify.h"

#include "base/compiler.h"
#include "base/fd.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

void notify_systemd(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = name ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(address.sun_path) || (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0'; // an abstract socket

	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

void notify_starter(int fd, const char *line)
{
	if (fd < 0)
		return;
	(void)fd_write_full(fd, line, strlen(line));
	(void)fd_write_full(fd, "\n", 1);
	(void)fd_close(fd);
}

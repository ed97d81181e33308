// SPDX-License-Identifier: Apache-2.0
/**
 * Attacks by sockets, and the servers that they look for.
 *
 * An address is `unix:PATH`, `abstract:NAME` or `tcp:PORT` on the loopback.
 */
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
	};
	socklen_t len;
};

/** After the prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static int parse_unix(const char *name, size_t skip, struct address *ret)
{
	size_t len = strlen(name);

	if (len + skip >= sizeof(ret->un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	ret->un.sun_family = AF_UNIX;
	memcpy(ret->un.sun_path + skip, name, len);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + skip + len);
	return 0;
}

static int parse(const char *text, struct address *ret)
{
	const char *name;

	*ret = (struct address){.len = 0};
	if ((name = after(text, "unix:")))
		return parse_unix(name, 0, ret);
	if ((name = after(text, "abstract:")))
		return parse_unix(name, 1, ret);
	name = after(text, "tcp:");
	if (!name) {
		errno = EINVAL;
		return -1;
	}
	ret->in.sin_family = AF_INET;
	ret->in.sin_port = htons((uint16_t)atoi(name));
	ret->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ret->len = sizeof(ret->in);
	return 0;
}

static int make_socket(char **args)
{
	return socket(atoi(args[0]), atoi(args[1]), atoi(args[2]));
}

static int connect_to(char **args)
{
	struct address address;
	int fd;

	if (parse(args[0], &address) < 0)
		return -1;
	fd = socket(address.any.sa_family, SOCK_STREAM, 0);
	return fd < 0 ? -1 : connect(fd, &address.any, address.len);
}

/** Serve an address: touch a file when it is ready, and another one when somebody has connected. */
static int serve(char **args)
{
	struct address address;
	int fd;

	if (parse(args[0], &address) < 0)
		return -1;
	fd = socket(address.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, &address.any, address.len) < 0 || listen(fd, 8) < 0 ||
	    creat(args[1], 0644) < 0)
		return -1;
	if (accept(fd, NULL, NULL) < 0)
		return -1;
	return creat(args[2], 0644) < 0 ? -1 : 0;
}

const struct attack attack_sockets[] = {
	{"socket", 3, make_socket},
	{"connect", 1, connect_to},
	{"serve", 3, serve},
	{NULL, 0, NULL},
};

// SPDX-License-Identifier: Apache-2.0
/** What the files of this module share. */
#pragma once

#include "client/client.h"

#include "base/buf.h"

#include <sys/types.h>

/** Bytes of one read: a buffer that has room for it and a bit takes 64 KiB. */
#define CLIENT_READ_SIZE (60 << 10)

struct client {
	char *home; /**< Owned; NULL once a stream took the connection over. */
	bool start;
	int fd; /**< -1: not connected. */
};

/** Connect again with the options of client_open(). */
int client_dial(const char *home, bool start, int *ret, struct error *err);

/** Write all of it, blocking.  -EPIPE or -ECONNRESET: the daemon stopped reading; see its answer.
 */
int client_write(int fd, const struct buf *text, struct error *err);

/** Read some bytes to the end of `in`; `flags` as for recv().  Returns a count, 0 at the end. */
ssize_t client_read(int fd, struct buf *in, int flags, struct error *err);

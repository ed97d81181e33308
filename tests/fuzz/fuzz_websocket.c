// SPDX-License-Identifier: Apache-2.0
/**
 * A whole connection: the input is what a client sends after the handshake (first byte odd), or
 * instead of a request (first byte even); then the client closes its sending side.  Whatever the
 * server answers to a handshake must be frames that our own decoder takes, and the connection and
 * its owner must be told of the end.
 */
#include "base/error.h"
#include "http/server.h"
#include "httphead/frame.h"
#include "httphead/handshake.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define INPUT_MAX 65536
#define ANSWER_MAX (1 << 20)

struct fuzzed {
	struct loop *loop;
	struct http_server *server;
	int listener;
	bool started;
	unsigned open; /**< WebSockets that have an owner. */
};

static void on_message(struct websocket *ws, bool text, const void *data, size_t len, void *owner)
{
	struct fuzzed *fuzzed = owner;
	const char *bytes = data;

	if (len > (fuzzed->started ? 65537 : 4U << 20))
		abort();
	fuzzed->started = true;
	if (len > 0 && bytes[0] == 'c') {
		websocket_close(ws, 1000);
		fuzzed->open--;
	} else if (len > 0 && bytes[0] == 'p') {
		websocket_pause(ws, true);
		websocket_pause(ws, false);
	} else {
		(void)websocket_send(ws, text, data, len);
	}
}

static void on_writable(struct websocket *ws, void *owner)
{
	(void)ws;
	(void)owner;
}

static void on_gone(struct websocket *ws, void *owner)
{
	struct fuzzed *fuzzed = owner;

	(void)ws;
	fuzzed->open--;
}

static const struct websocket_ops ops = {
	.message = on_message, .writable = on_writable, .gone = on_gone};

static void handle(struct exchange *x, const struct http_request *req, void *userdata)
{
	struct fuzzed *fuzzed = userdata;
	struct websocket *ws;

	if (req->path[0] != '/')
		abort();
	if (req->path[1] != 'w')
		exchange_reply(x, 200, NULL, req->body, req->body_len);
	else if (exchange_upgrade(x, &ops, fuzzed, &ws) == 0)
		fuzzed->open++;
}

static void connections_changed(unsigned count, void *userdata)
{
	struct fuzzed *fuzzed = userdata;

	if (count == 0)
		loop_stop(fuzzed->loop);
}

static void start(struct fuzzed *fuzzed)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error err = {0};
	struct http_options options = {
		.body_max = INPUT_MAX / 4,
		.connections_max = 4,
		.handler = handle,
		.connections_changed = connections_changed,
		.userdata = fuzzed,
	};

	fuzzed->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	options.listen_fd = fuzzed->listener;
	if (bind(fuzzed->listener, (const struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    listen(fuzzed->listener, 4) < 0 || loop_new(&fuzzed->loop, &err) < 0 ||
	    http_server_new(fuzzed->loop, &options, &fuzzed->server, &err) < 0)
		abort();
}

static int dial(const struct fuzzed *fuzzed)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int space = ANSWER_MAX;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &space, sizeof(space));
	if (getsockname(fuzzed->listener, (struct sockaddr *)&address, &size) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, size) < 0)
		abort();
	return fd;
}

/** After the response's head there are frames only. */
static void check_answer(const struct buf *answer)
{
	struct frame_reader reader = {.message_max = 4U << 20};
	struct frame_message message;
	struct error err = {0};
	struct head head;
	size_t used;

	if (answer->len == 0 || head_parse(answer->data, answer->len, &head, &err) != 0 ||
	    !handshake_confirmed(&head))
		abort();

	size_t at = head.size;
	int r;

	while ((r = frame_next(&reader, answer->data + at, answer->len - at, &message, &used,
			       &err)) == 1)
		at += used;
	frame_reader_done(&reader);
	if (r < 0)
		abort();
}

static void read_answer(int fd, struct buf *ret)
{
	ssize_t n;

	do {
		char *room = buf_room(ret, 65536);

		n = recv(fd, room, 65536, MSG_DONTWAIT);
		if (n > 0)
			buf_advance(ret, (size_t)n);
	} while (n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzzed fuzzed;
	static const uint8_t nonce[HANDSHAKE_NONCE_SIZE] = "fuzzed";
	AUTO(buf_done) struct buf request = {0};
	AUTO(buf_done) struct buf answer = {0};
	struct error err = {0};

	if (size < 1 || size > INPUT_MAX)
		return 0;
	if (!fuzzed.loop)
		start(&fuzzed);
	fuzzed.started = false;

	bool upgraded = data[0] & 1;

	if (upgraded)
		handshake_request(&request, "/w", nonce);
	buf_add(&request, data + 1, size - 1);

	int fd = dial(&fuzzed);

	(void)send(fd, request.data, request.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	if (loop_run(fuzzed.loop, &err) < 0 || fuzzed.open != 0)
		abort();
	read_answer(fd, &answer);
	if (upgraded)
		check_answer(&answer);
	(void)close(fd);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The server of the tests.
 *
 * Its WebSocket sends every message back, but for these texts: "close N" closes with code N;
 * "flood N" sends N binary messages of 64 KiB with back-pressure; "pause" stops reading for good;
 * "burst" sends three messages and closes within one turn.
 *
 * /v1/stream behaves like a command: the start message is sent back, then stdin comes back on
 * stdout and its length on stderr; a signal is answered; the end of stdin ends it.
 */
#include "base/error.h"
#include "base/str.h"
#include "http/fixture.h"
#include "http/problem.h"
#include "http/server.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <stdio.h>
#include <unistd.h>

#define WAITING_MAX 2048
#define CHUNK (64U << 10)

struct served;

struct waiting {
	struct served *served;
	struct exchange *x; /**< NULL: it is gone. */
};

struct served {
	struct loop *loop;
	long requests;
	long gone; /**< Exchanges whose client went away. */
	long ws_open;
	long ws_gone;
	long ws_messages;
	long queued_max;
	long connections;
	struct timer timer;
	struct exchange *delayed; /**< Answered by the timer. */
	struct waiting waiting[WAITING_MAX];
	size_t nwaiting;
};

struct socket_owner {
	struct served *served;
	struct websocket *ws;
	long flood; /**< Messages still to be sent. */
};

static char chunk[CHUNK];

/* WebSockets --------------------------------------------------------------------------- */

static void flood(struct socket_owner *owner)
{
	bool room = true;

	while (owner->flood > 0 && room) {
		room = websocket_send_channel(owner->ws, 1, chunk, sizeof(chunk));
		owner->flood--;

		long queued = (long)websocket_queued(owner->ws);

		if (queued > owner->served->queued_max)
			owner->served->queued_max = queued;
	}
}

static void end(struct socket_owner *owner, uint16_t code)
{
	websocket_close(owner->ws, code);
	owner->served->ws_open--;
	free(owner);
}

static void on_message(struct websocket *ws, bool text, const void *data, size_t len, void *context)
{
	struct socket_owner *owner = context;
	const char *word = data;
	int n = 0;

	owner->served->ws_messages++;
	if (text && sscanf(word, "close %d", &n) == 1) {
		end(owner, (uint16_t)n);
	} else if (text && sscanf(word, "flood %ld", &owner->flood) == 1) {
		flood(owner);
	} else if (text && str_starts(word, "pause")) {
		websocket_pause(ws, true);
		(void)websocket_send(ws, true, "paused", 6);
	} else if (text && str_starts(word, "burst")) {
		(void)websocket_send(ws, true, "one", 3);
		(void)websocket_send_channel(ws, 1, "two", 3);
		(void)websocket_send(ws, true, "three", 5);
		end(owner, 1000);
	} else {
		(void)websocket_send(ws, text, data, len);
	}
}

static void on_writable(struct websocket *ws, void *context)
{
	(void)ws;
	flood(context);
}

static void on_ws_gone(struct websocket *ws, void *context)
{
	struct socket_owner *owner = context;

	(void)ws;
	owner->served->ws_open--;
	owner->served->ws_gone++;
	free(owner);
}

static const struct websocket_ops ops = {
	.message = on_message,
	.writable = on_writable,
	.gone = on_ws_gone,
};

static void on_stream_message(struct websocket *ws, bool text, const void *data, size_t len,
			      void *context)
{
	struct socket_owner *owner = context;
	char number[32];

	owner->served->ws_messages++;
	if (!text) {
		(void)snprintf(number, sizeof(number), "%zu", len - 1);
		(void)websocket_send_channel(ws, 1, (const char *)data + 1, len - 1);
		(void)websocket_send_channel(ws, 2, number, strlen(number));
	} else if (strstr(data, "close_stdin")) {
		(void)websocket_send(ws, true, "{\"type\":\"exit\",\"exit\":7}", 24);
		end(owner, 1000);
	} else {
		(void)websocket_send(ws, true, data, len);
	}
}

static const struct websocket_ops stream_ops = {
	.message = on_stream_message,
	.writable = on_writable,
	.gone = on_ws_gone,
};

static void serve_ws(struct served *served, struct exchange *x, const struct http_request *req)
{
	struct socket_owner *owner = calloc(1, sizeof(*owner));

	*owner = (struct socket_owner){.served = served};
	if (exchange_upgrade(x, str_starts(req->path, "/v1") ? &stream_ops : &ops, owner,
			     &owner->ws) < 0)
		free(owner);
	else
		served->ws_open++;
}

/* Requests ----------------------------------------------------------------------------- */

static void reply_text(struct exchange *x, const char *text)
{
	exchange_reply(x, 200, "text/plain", text, strlen(text));
}

static void serve_hello(struct served *served, struct exchange *x, const struct http_request *req)
{
	(void)served;
	(void)req;
	reply_text(x, "hello");
}

static void serve_echo(struct served *served, struct exchange *x, const struct http_request *req)
{
	(void)served;
	exchange_set_header(x, "X-Length", "as sent");
	exchange_reply(x, 200, NULL, req->body, req->body_len);
}

static void serve_show(struct served *served, struct exchange *x, const struct http_request *req)
{
	struct buf text = {0};
	const char *query = exchange_query(x, "q");
	const char *header = exchange_header(x, "x-test");

	(void)served;
	buf_addf(&text, "%s %s q=%s x=%s pid=%d", req->method, req->path, query ? query : "(none)",
		 header ? header : "(none)", (int)req->peer->pid);
	reply_text(x, text.data);
	buf_done(&text);
}

static void exchange_gone(void *context)
{
	struct waiting *waiting = context;

	waiting->x = NULL;
	waiting->served->gone++;
}

static void serve_later(struct served *served, struct exchange *x, const struct http_request *req)
{
	struct waiting *waiting = &served->waiting[served->nwaiting++];

	*waiting = (struct waiting){served, x};
	if (!str_starts(req->path, "/silent"))
		exchange_on_gone(x, exchange_gone, waiting);
}

static void delay_ends(struct timer *timer)
{
	struct served *served = container_of(timer, struct served, timer);

	reply_text(served->delayed, "delayed");
}

static void serve_delayed(struct served *served, struct exchange *x, const struct http_request *req)
{
	(void)req;
	served->delayed = x;
	timer_start(served->loop, &served->timer, 20, delay_ends);
}

static void serve_release(struct served *served, struct exchange *x, const struct http_request *req)
{
	(void)req;
	for (size_t i = 0; i < served->nwaiting; i++) {
		if (served->waiting[i].x)
			reply_text(served->waiting[i].x, "late");
	}
	served->nwaiting = 0;
	reply_text(x, "released");
}

static void serve_counters(struct served *served, struct exchange *x,
			   const struct http_request *req)
{
	struct buf text = {0};

	(void)req;
	buf_addf(&text,
		 "requests=%ld gone=%ld ws_open=%ld ws_gone=%ld ws_messages=%ld "
		 "queued_max=%ld connections=%ld waiting=%zu",
		 served->requests, served->gone, served->ws_open, served->ws_gone,
		 served->ws_messages, served->queued_max, served->connections, served->nwaiting);
	reply_text(x, text.data);
	buf_done(&text);
}

static void serve_quit(struct served *served, struct exchange *x, const struct http_request *req)
{
	(void)req;
	reply_text(x, "bye");
	loop_stop(served->loop);
}

static const struct {
	const char *path;
	void (*fn)(struct served *served, struct exchange *x, const struct http_request *req);
} routes[] = {
	{"/hello", serve_hello},     {"/echo", serve_echo},         {"/show", serve_show},
	{"/later", serve_later},     {"/silent", serve_later},      {"/delayed", serve_delayed},
	{"/release", serve_release}, {"/counters", serve_counters}, {"/quit", serve_quit},
	{"/ws", serve_ws},           {"/v1/stream", serve_ws},
};

static void handle(struct exchange *x, const struct http_request *req, void *userdata)
{
	struct served *served = userdata;

	served->requests++;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (str_starts(req->path, routes[i].path)) {
			routes[i].fn(served, x, req);
			return;
		}
	}
	problem_not_found(x, req->path);
}

static void count(unsigned connections, void *userdata)
{
	((struct served *)userdata)->connections = connections;
}

int fixture_serve(int listen_fd, unsigned connections_max)
{
	static struct served served;
	struct http_server *server = NULL;
	struct error err = {0};
	struct http_options options = {
		.listen_fd = listen_fd,
		.body_max = FIXTURE_BODY_MAX,
		.connections_max = connections_max,
		.handler = handle,
		.connections_changed = count,
		.userdata = &served,
	};

	if (loop_new(&served.loop, &err) < 0 ||
	    http_server_new(served.loop, &options, &server, &err) < 0 ||
	    loop_run(served.loop, &err) < 0) {
		(void)fprintf(stderr, "server: %s\n", err.msg);
		return 1;
	}
	server = http_server_free(server);
	served.loop = loop_free(served.loop);
	(void)close(listen_fd);
	return served.connections == 0 && served.ws_open == 0 ? 0 : 2;
}

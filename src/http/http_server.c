// SPDX-License-Identifier: Apache-2.0
/**
 * The server: accepts, and drives libmicrohttpd from our loop.
 *
 * How it works: the library keeps its sockets in an epoll set of its own, and that set is one
 * source of our loop.  When it is ready, drive() lets the library work.  The library never
 * waits, never makes a thread and never accepts: peers are judged before it sees them.
 * MHD_run() is not reentrant, so what resumes a connection does not drive the library but asks for
 * it with http_server_resumed(): its epoll set does not get ready by that.
 */
#include "http/http_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "http/problem.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define IDLE_TIMEOUT_S 30U      // without a byte, for requests that are not whole and idle clients
#define HEAD_MEMORY (32U << 10) // of a connection; bounds the head
#define RUNS_MAX 4              // of the library in one turn, while it says that it has more to do
#define RETRY_ACCEPT_MS 100

static void drive(struct http_server *server);

/* Connections -------------------------------------------------------------------------- */

/** Accept while there is room.  At the limit clients wait in the backlog. */
static void set_accepting(struct http_server *server)
{
	bool accepting = server->connections < server->options.connections_max;

	if (accepting == server->accepting || !server->listen_source.loop)
		return;
	server->accepting = accepting;
	loop_modify(&server->listen_source, accepting ? EPOLLIN : 0);
}

static void count_changed(struct http_server *server)
{
	const struct http_options *options = &server->options;

	set_accepting(server);
	if (options->connections_changed)
		options->connections_changed(server->connections, options->userdata);
}

static void notify_connection(void *cls, struct MHD_Connection *mhd, void **slot,
			      enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = cls;

	(void)mhd;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*slot = TAKE_PTR(server->incoming);
		server->connections++;
	} else {
		struct connection *connection = *slot;

		peer_done(&connection->peer);
		free(connection);
		*slot = NULL;
		server->connections--;
	}
	count_changed(server);
}

/** Hand an accepted socket over.  The library owns fd from here, also when it fails. */
static void add_connection(struct http_server *server, int fd, struct peer *peer)
{
	static const struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		peer_done(peer);
		(void)fd_close(fd);
		return;
	}
	*connection = (struct connection){server, *peer, fd};
	server->incoming = connection;
	(void)MHD_add_connection(server->mhd, fd, (const struct sockaddr *)&nowhere,
				 sizeof(sa_family_t));
	if (server->incoming) { // it failed before it took the connection
		peer_done(&connection->peer);
		free(TAKE_PTR(server->incoming));
	}
}

static void refuse_peer(int fd, const struct error *err)
{
	if (err->code == EACCES)
		problem_send_raw(fd, &(struct problem){403, "peer", "Forbidden", err->msg});
	else
		problem_send_raw(fd, &(struct problem){503, "busy", "Not available", err->msg});
}

/** Try again later: accept() failed for want of descriptors or memory. */
static void accept_again(struct timer *timer)
{
	struct http_server *server = container_of(timer, struct http_server, accept_timer);

	server->accepting = false;
	set_accepting(server);
}

/** One connection a turn: the next one makes the socket ready again, and others get their turn. */
static int listener_ready(struct loop_source *src, uint32_t events, struct error *err)
{
	struct http_server *server = container_of(src, struct http_server, listen_source);
	AUTO(fd_close) int fd = accept4(src->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct error refusal = {0};
	struct peer peer;

	(void)events;
	(void)err;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			loop_modify(src, 0);
			timer_start(server->loop, &server->accept_timer, RETRY_ACCEPT_MS,
				    accept_again);
		}
		return 0;
	}
	if (peer_check(&server->self, fd, &peer, &refusal) < 0) {
		refuse_peer(fd, &refusal);
		return 0;
	}
	add_connection(server, TAKE_FD(fd), &peer);
	drive(server);
	return 0;
}

/* Driving ------------------------------------------------------------------------------ */

static void timer_due(struct timer *timer)
{
	drive(container_of(timer, struct http_server, timer));
}

/** Arm the timer, unless it fires early enough already: firing too early is harmless. */
static void arm_timer(struct http_server *server, uint64_t delay_ms)
{
	uint64_t due_ns = clock_mono_ns() + delay_ms * 1000000U;

	if (!server->timer.loop || server->timer.due_ns > due_ns)
		timer_start(server->loop, &server->timer, delay_ms, timer_due);
}

/** Let the library work until it waits for something. */
static void drive(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout = 0;
	bool timed = true;

	assert(!server->running);
	for (int i = 0; i < RUNS_MAX && ((timed && timeout == 0) || server->resumed); i++) {
		server->resumed = false;
		server->running = true;
		(void)MHD_run(server->mhd);
		server->running = false;
		websocket_attach_fresh(server);
		timed = MHD_get_timeout(server->mhd, &timeout) == MHD_YES;
	}
	if (timed || server->resumed)
		arm_timer(server, server->resumed ? 0 : timeout);
}

void http_server_resumed(struct http_server *server)
{
	server->resumed = true;
	if (!server->running)
		arm_timer(server, 0);
}

static int library_ready(struct loop_source *src, uint32_t events, struct error *err)
{
	(void)events;
	(void)err;
	drive(container_of(src, struct http_server, mhd_source));
	return 0;
}

/* Life --------------------------------------------------------------------------------- */

static int start_library(struct http_server *server, struct error *err)
{
	// Not MHD_OPTION_STRICT_FOR_CLIENT: what it adds is judged by exchange.c, and the library
	// (0.9.75) sends the head of its own refusal twice.
	server->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET |
			MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE,
		0, NULL, NULL, exchange_access, server, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin,
		server, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT,
		server->options.connections_max + 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HEAD_MEMORY, MHD_OPTION_END);
	if (!server->mhd)
		return error_set(err, EIO, "the HTTP library does not start");
	return 0;
}

/** Watch the library's epoll set and the listening socket. */
static int watch(struct http_server *server, struct error *err)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info)
		return error_set(err, EIO, "the HTTP library has no epoll set");

	int r = loop_add(server->loop, &server->mhd_source, info->epoll_fd, EPOLLIN, library_ready,
			 err);

	if (r == 0)
		r = loop_add(server->loop, &server->listen_source, server->options.listen_fd,
			     EPOLLIN, listener_ready, err);
	server->accepting = r == 0;
	return r;
}

int http_server_new(struct loop *loop, const struct http_options *options, struct http_server **ret,
		    struct error *err)
{
	AUTO(http_server_free) struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return error_oom(err);
	server->loop = loop;
	server->options = *options;
	server->input = malloc(HTTP_INPUT_SIZE);
	if (!server->input)
		return error_oom(err);

	int r = peer_self_read(&server->self, err);

	if (r == 0)
		r = start_library(server, err);
	if (r == 0)
		r = watch(server, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(server);
	return 0;
}

struct http_server *http_server_free(struct http_server *server)
{
	if (!server)
		return NULL;
	assert(!server->running);
	loop_remove(&server->listen_source);
	loop_remove(&server->mhd_source);
	while (server->waiting)
		exchange_abandon(server->waiting);
	websocket_abort_all(server);
	if (server->mhd)
		MHD_stop_daemon(server->mhd);
	timer_stop(&server->timer);
	timer_stop(&server->accept_timer);
	free(server->input);
	free(server);
	return NULL;
}

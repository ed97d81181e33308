// SPDX-License-Identifier: Apache-2.0
/**
 * The server's WebSockets.
 *
 * How it works: libwslay judges what comes in (masks, order, UTF-8, control frames) and writes
 * control frames; we collect messages, so that their size is bounded.  websocket_send.c prints data
 * frames.  The queue `out` holds whole frames only, whoever wrote them.
 *
 * States: OPEN has an owner.  DRAINING has none, and bytes to send.  LINGERING has sent all and
 * waits for the client to close, so that it can still read.  Callbacks of an owner run with
 * `busy` set; whatever they do, the object lives until settle() after them.
 */
#include "http/websocket_priv.h"

#include "base/error.h"
#include "httphead/frame.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define START_MAX (4U << 20)          // the first message
#define MESSAGE_MAX ((64U << 10) + 1) // later ones: 64 KiB and the channel's byte
#define QUEUE_LOW (64U << 10)
#define CONTROL_MAX (64U << 10) // answers to pings that a client lets pile up
#define START_TIMEOUT_MS 30000U
#define LINGER_TIMEOUT_MS 5000U
#define LINGER_MAX (1U << 20) // bytes read for nothing before the client is cut off

static void settle(struct websocket *ws);

static void flush_due(struct timer *timer)
{
	settle(container_of(timer, struct websocket, flush));
}

void websocket_settle_soon(struct websocket *ws)
{
	if (!ws->busy && ws->source.loop && !ws->flush.loop)
		timer_start(ws->server->loop, &ws->flush, 0, flush_due);
}

/* wslay's callbacks ---------------------------------------------------------------------- */

static ssize_t read_input(wslay_event_context_ptr ctx, uint8_t *data, size_t len, int flags,
			  void *userdata)
{
	struct websocket *ws = userdata;
	size_t n = len < ws->in_len ? len : ws->in_len;

	(void)flags;
	if (n == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(data, ws->in, n);
	ws->in += n;
	ws->in_len -= n;
	return (ssize_t)n;
}

/** Only control frames come this way. */
static ssize_t queue_control(wslay_event_context_ptr ctx, const uint8_t *data, size_t len,
			     int flags, void *userdata)
{
	struct websocket *ws = userdata;

	(void)flags;
	buf_add(&ws->out, data, len);
	ws->control += len;
	if (ws->out.failed) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	return (ssize_t)len;
}

/** A frame's header is there: is its message still within the limit? */
static void frame_begins(wslay_event_context_ptr ctx,
			 const struct wslay_event_on_frame_recv_start_arg *arg, void *userdata)
{
	struct websocket *ws = userdata;
	size_t max = ws->started ? MESSAGE_MAX : START_MAX;

	ws->in_control = wslay_is_ctrl_frame(arg->opcode);
	if (ws->in_control)
		return;
	if (arg->opcode != WSLAY_CONTINUATION_FRAME)
		ws->text = arg->opcode == WSLAY_TEXT_FRAME;
	if (arg->payload_length > max - ws->message.len) {
		(void)wslay_event_queue_close(ctx, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
		wslay_event_shutdown_read(ctx);
	}
}

/** Bytes of a frame's payload, unmasked.  wslay goes on to the end of what it has read. */
static void frame_bytes(wslay_event_context_ptr ctx,
			const struct wslay_event_on_frame_recv_chunk_arg *arg, void *userdata)
{
	struct websocket *ws = userdata;

	if (!ws->in_control && wslay_event_get_read_enabled(ctx))
		buf_add(&ws->message, arg->data, arg->data_length);
}

/** A message or a control frame is whole. */
static void message_ends(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
			 void *userdata)
{
	struct websocket *ws = userdata;

	if (wslay_is_ctrl_frame(arg->opcode) || !wslay_event_get_read_enabled(ctx))
		return;
	if (ws->message.failed) {
		ws->broken = true;
		wslay_event_shutdown_read(ctx);
		return;
	}
	if (!ws->started)
		timer_stop(&ws->limit);
	ws->started = true;
	ws->ops->message(ws, ws->text, ws->message.data ? ws->message.data : "", ws->message.len,
			 ws->owner);
	ws->message.len = 0;
	if (ws->message.cap > WEBSOCKET_KEEP_MAX)
		buf_done(&ws->message);
}

/* Input ---------------------------------------------------------------------------------- */

/** Feed bytes to wslay, which calls the owner with each message. */
static void feed(struct websocket *ws, const char *data, size_t len)
{
	ws->in = data;
	ws->in_len = len;

	int r = wslay_event_recv(ws->wslay);

	ws->in = NULL;
	ws->in_len = 0;
	if (ws->state == WEBSOCKET_OPEN && r == 0)
		r = wslay_event_send(ws->wslay);
	ws->broken |= r != 0 || ws->control > CONTROL_MAX;
}

static void receive(struct websocket *ws)
{
	char *input = ws->server->input;
	ssize_t n = recv(ws->source.fd, input, HTTP_INPUT_SIZE, MSG_DONTWAIT);

	if (n < 0) {
		ws->broken |= errno != EAGAIN && errno != EINTR;
	} else if (n == 0) {
		ws->broken = true;
	} else if (ws->state == WEBSOCKET_OPEN) {
		feed(ws, input, (size_t)n);
	} else {
		ws->lingered += (size_t)n;
		ws->broken |= ws->lingered > LINGER_MAX;
	}
}

static bool wants_input(const struct websocket *ws)
{
	return ws->state == WEBSOCKET_LINGERING || (ws->state == WEBSOCKET_OPEN && !ws->paused);
}

/* Life ------------------------------------------------------------------------------------- */

static void free_websocket(struct websocket *ws)
{
	wslay_event_context_free(ws->wslay);
	buf_done(&ws->early);
	buf_done(&ws->message);
	buf_done(&ws->out);
	free(ws);
}

/** Give the socket back to the library, which closes it, and free the object. */
static void destroy(struct websocket *ws)
{
	loop_remove(&ws->source);
	timer_stop(&ws->flush);
	timer_stop(&ws->limit);
	if (ws->prev)
		ws->prev->next = ws->next;
	else
		ws->server->websockets = ws->next;
	if (ws->next)
		ws->next->prev = ws->prev;
	if (ws->handle) {
		(void)MHD_upgrade_action(ws->handle, MHD_UPGRADE_ACTION_CLOSE);
		http_server_resumed(ws->server);
	}
	free_websocket(ws);
}

/** The owner is told that it is over, once. */
static void tell_gone(struct websocket *ws)
{
	if (ws->state != WEBSOCKET_OPEN)
		return;
	ws->state = WEBSOCKET_DRAINING;
	ws->busy++;
	ws->ops->gone(ws, ws->owner);
	ws->busy--;
}

static void limit_due(struct timer *timer)
{
	struct websocket *ws = container_of(timer, struct websocket, limit);

	ws->broken = true;
	settle(ws);
}

/** All is sent: let the client read it before the socket closes. */
static void linger(struct websocket *ws)
{
	(void)shutdown(ws->source.fd, SHUT_WR);
	ws->state = WEBSOCKET_LINGERING;
	timer_start(ws->server->loop, &ws->limit, LINGER_TIMEOUT_MS, limit_due);
}

static void watch_events(struct websocket *ws)
{
	uint32_t events = (wants_input(ws) ? EPOLLIN : 0U) | (ws->out.len > 0 ? EPOLLOUT : 0U);

	if (events != ws->events)
		loop_modify(&ws->source, events);
	ws->events = events;
}

/** The queue has room again: let the owner go on. */
static void tell_writable(struct websocket *ws)
{
	if (ws->state != WEBSOCKET_OPEN || !ws->full || ws->out.len > QUEUE_LOW)
		return;
	ws->full = false;
	ws->busy++;
	ws->ops->writable(ws, ws->owner);
	ws->busy--;
	websocket_send_flush(ws);
	// A queue that filled up and emptied within the call gives no event of its own.
	if (ws->full && ws->out.len <= QUEUE_LOW)
		websocket_settle_soon(ws);
}

/** Bring the state up to date after anything happened.  May free the object. */
static void settle(struct websocket *ws)
{
	if (ws->busy || !ws->source.loop)
		return;
	timer_stop(&ws->flush);
	websocket_send_flush(ws);
	if (!ws->broken)
		tell_writable(ws);
	// wslay stops reading after a close frame and after a violation; its answer is queued.
	if (ws->broken || !wslay_event_get_read_enabled(ws->wslay))
		tell_gone(ws);
	if (ws->broken) {
		destroy(ws);
		return;
	}
	if (ws->state == WEBSOCKET_DRAINING && ws->out.len == 0)
		linger(ws);
	watch_events(ws);
}

static int socket_ready(struct loop_source *src, uint32_t events, struct error *err)
{
	struct websocket *ws = container_of(src, struct websocket, source);

	(void)err;
	ws->busy++;
	if (wants_input(ws) && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive(ws);
	else if (events & (EPOLLHUP | EPOLLERR))
		ws->broken = true;
	ws->busy--;
	settle(ws);
	return 0;
}

static void attach(struct websocket *ws, int fd)
{
	struct error err;

	ws->events = EPOLLIN;
	if (loop_add(ws->server->loop, &ws->source, fd, ws->events, socket_ready, &err) < 0) {
		tell_gone(ws);
		destroy(ws);
		return;
	}
	if (ws->state == WEBSOCKET_OPEN)
		timer_start(ws->server->loop, &ws->limit, START_TIMEOUT_MS, limit_due);
	ws->busy++;
	ws->broken |= ws->early.failed;
	if (ws->state == WEBSOCKET_OPEN && !ws->broken && ws->early.len > 0)
		feed(ws, ws->early.data, ws->early.len);
	buf_done(&ws->early);
	ws->busy--;
	settle(ws);
}

void websocket_attach_fresh(struct http_server *server)
{
	struct websocket *ws;

	while ((ws = server->fresh)) {
		server->fresh = ws->next_fresh;
		attach(ws, ws->fd);
	}
}

// NOLINTNEXTLINE(readability-function-size): the parameters are the library's.
void websocket_upgraded(void *cls, struct MHD_Connection *mhd, void *context, const char *extra,
			size_t extra_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct websocket *ws = cls;
	struct exchange *x = context;

	(void)mhd;
	x->websocket = NULL;
	ws->handle = handle;
	ws->fd = fd;
	buf_add(&ws->early, extra, extra_size);
	ws->next_fresh = ws->server->fresh;
	ws->server->fresh = ws;
}

struct websocket *websocket_new(struct http_server *server, const struct websocket_ops *ops,
				void *owner)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = read_input,
		.send_callback = queue_control,
		.on_frame_recv_start_callback = frame_begins,
		.on_frame_recv_chunk_callback = frame_bytes,
		.on_msg_recv_callback = message_ends,
	};
	struct websocket *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return NULL;
	*ws = (struct websocket){.server = server, .ops = ops, .owner = owner, .fd = -1};
	if (wslay_event_context_server_init(&ws->wslay, &callbacks, ws) != 0) {
		free(ws);
		return NULL;
	}
	wslay_event_config_set_no_buffering(ws->wslay, 1);
	wslay_event_config_set_max_recv_msg_length(ws->wslay, START_MAX);
	ws->next = server->websockets;
	if (ws->next)
		ws->next->prev = ws;
	server->websockets = ws;
	return ws;
}

void websocket_discard(struct websocket *ws)
{
	destroy(ws);
}

void websocket_stillborn(struct websocket *ws)
{
	tell_gone(ws);
	destroy(ws);
}

void websocket_abort_all(struct http_server *server)
{
	struct websocket *ws;

	for (ws = server->websockets; ws; ws = ws->next)
		tell_gone(ws);
	// Those that are not upgraded yet are freed when the library drops their exchange.
	for (struct websocket *next = server->websockets; (ws = next);) {
		next = ws->next;
		if (ws->handle)
			destroy(ws);
	}
}

/* For owners --------------------------------------------------------------------------- */

size_t websocket_queued(const struct websocket *ws)
{
	return ws->out.len;
}

void websocket_pause(struct websocket *ws, bool paused)
{
	ws->paused = paused;
	if (!ws->busy && ws->source.loop)
		watch_events(ws);
}

void websocket_close(struct websocket *ws, uint16_t code)
{
	const uint8_t frame[] = {0x80U | FRAME_CLOSE, 2, (uint8_t)(code >> 8), (uint8_t)code};

	if (ws->state != WEBSOCKET_OPEN)
		return;
	wslay_event_shutdown_read(ws->wslay);
	buf_add(&ws->out, frame, sizeof(frame));
	ws->broken |= ws->out.failed;
	ws->state = WEBSOCKET_DRAINING;
	settle(ws);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Exchanges: one request and its answer.
 *
 * How it works: the library calls exchange_begin() with the request target, then
 * exchange_access() once for the head, for each piece of the body, and for the end.  Only then
 * is the handler called.  When it does not answer at once the connection is suspended, which
 * blinds the library to the client's death, so the loop watches the socket meanwhile.  An answer
 * resumes the connection, and the library calls exchange_access() again to fetch it.
 */
#include "http/http_priv.h"

#include "base/error.h"
#include "hash/sha1.h"
#include "http/problem.h"
#include "httphead/handshake.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>

/* Before the handler --------------------------------------------------------------------- */

void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *x = calloc(1, sizeof(*x));

	(void)cls;
	if (!x)
		return NULL;
	x->connection = info->socket_context;
	x->mhd = mhd;
	x->bad_target = !exchange_head_target(uri);
	return x;
}

/** Hand the answer to the library. */
static enum MHD_Result queue_answer(struct exchange *x)
{
	struct MHD_Response *response = TAKE_PTR(x->response);

	if (!response)
		return MHD_NO; // out of memory: close

	enum MHD_Result r = MHD_queue_response(x->mhd, x->status, response);

	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result refuse_head(struct exchange *x, const struct problem *problem)
{
	// What follows the head has no known end, so nothing after it can be understood.
	x->answer_last = true;
	problem_reply(x, problem);
	return queue_answer(x);
}

/** Bytes over the limit that are read for nothing; see take_body(). */
#define OVERFLOW_MAX (16u << 20)

static const struct problem too_large = {413, "too-large", "Content too large",
					 "the body is over this server's limit"};

/** The first call: the head is whole and nothing of the body was read. */
static enum MHD_Result judge_head(struct exchange *x)
{
	uint64_t length = 0;
	const char *fault = exchange_head_fault(x, &length);

	if (fault)
		return refuse_head(x, &(struct problem){400, "bad-request", "Bad request", fault});

	size_t limit = x->connection->server->options.body_max;
	bool asks = MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, "Expect") != NULL;

	if (length > (asks ? limit : limit + OVERFLOW_MAX))
		return refuse_head(x, &too_large);
	x->state = EXCHANGE_BODY;
	return MHD_YES;
}

/**
 * A piece of the body.  Many clients read no answer before they have sent everything, and a
 * connection that is closed with bytes unread can lose the answer.  So what is a little too long is
 * read to its end; what is much too long gets its answer now, by hand, and the connection is
 * closed.
 */
static enum MHD_Result take_body(struct exchange *x, const char *data, size_t *size)
{
	if (x->overflow > 0 || *size > x->connection->server->options.body_max - x->body.len) {
		buf_done(&x->body);
		x->overflow += *size;
		*size = 0;
		if (x->overflow <= OVERFLOW_MAX)
			return MHD_YES;
		problem_send_raw(x->connection->fd, &too_large);
		return MHD_NO;
	}
	buf_add(&x->body, data, *size);
	*size = 0;
	return x->body.failed ? MHD_NO : MHD_YES;
}

/* The handler and its answer ------------------------------------------------------------- */

static int client_moved(struct loop_source *src, uint32_t events, struct error *err)
{
	struct exchange *x = container_of(src, struct exchange, watch);

	(void)events;
	(void)err;
	exchange_abandon(x);
	return 0;
}

static void unlink_waiting(struct exchange *x)
{
	struct http_server *server = x->connection->server;

	loop_remove(&x->watch);
	if (x->prev)
		x->prev->next = x->next;
	else
		server->waiting = x->next;
	if (x->next)
		x->next->prev = x->prev;
	x->prev = NULL;
	x->next = NULL;
}

/** Let the library go on with the connection; it calls exchange_access() again. */
static void resume(struct exchange *x)
{
	MHD_resume_connection(x->mhd);
	http_server_resumed(x->connection->server);
}

/**
 * Have the loop see the client's death.  Without an owner to tell, it is only seen when the answer
 * cannot be written, for the handler still holds the exchange.
 */
static void watch_client(struct exchange *x)
{
	struct error err;

	if (x->gone && !x->watch.loop)
		(void)loop_add(x->connection->server->loop, &x->watch, x->connection->fd,
			       EPOLLRDHUP, client_moved, &err);
}

/** Suspend until the handler answers. */
static void wait_for_answer(struct exchange *x)
{
	struct http_server *server = x->connection->server;

	x->state = EXCHANGE_WAITING;
	x->next = server->waiting;
	if (x->next)
		x->next->prev = x;
	server->waiting = x;
	MHD_suspend_connection(x->mhd);
	watch_client(x);
}

static enum MHD_Result call_handler(struct exchange *x, const char *url)
{
	const struct http_options *options = &x->connection->server->options;
	struct http_request request = {
		.method = x->method,
		.path = url,
		.body = x->body.data ? x->body.data : "",
		.body_len = x->body.len,
		.peer = &x->connection->peer,
	};

	if (x->overflow > 0) {
		problem_reply(x, &too_large);
		return queue_answer(x);
	}
	x->state = EXCHANGE_HANDLING;
	options->handler(x, &request, options->userdata);
	if (x->state == EXCHANGE_ANSWERED)
		return queue_answer(x);
	wait_for_answer(x);
	return MHD_YES;
}

// NOLINTNEXTLINE(readability-function-size): the parameters are the library's.
enum MHD_Result exchange_access(void *cls, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *data,
				size_t *size, void **slot)
{
	struct exchange *x = *slot;

	(void)cls;
	(void)mhd;
	if (!x)
		return MHD_NO; // out of memory in exchange_begin()
	switch (x->state) {
	case EXCHANGE_HEAD:
		x->method = method;
		x->version = version;
		return judge_head(x);
	case EXCHANGE_BODY:
		return *size > 0 ? take_body(x, data, size) : call_handler(x, url);
	case EXCHANGE_ANSWERED:
		return queue_answer(x);
	case EXCHANGE_HANDLING:
	case EXCHANGE_WAITING:
	case EXCHANGE_GONE:
		break;
	}
	return MHD_NO;
}

void exchange_abandon(struct exchange *x)
{
	unlink_waiting(x);
	x->state = EXCHANGE_GONE;
	resume(x);
	if (x->gone)
		x->gone(x->owner);
}

void exchange_completed(void *cls, struct MHD_Connection *mhd, void **slot,
			enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *slot;

	(void)cls;
	(void)mhd;
	(void)code;
	*slot = NULL;
	if (!x)
		return;
	if (x->websocket)
		websocket_stillborn(x->websocket);
	if (x->response)
		MHD_destroy_response(x->response);
	buf_done(&x->body);
	strv_done(&x->headers);
	free(x);
}

/** The answer is made: leave the waiting state. */
static void answered(struct exchange *x, unsigned status, struct MHD_Response *response)
{
	enum exchange_state before = x->state;

	x->status = status;
	x->response = response;
	if (before == EXCHANGE_WAITING) {
		unlink_waiting(x);
		resume(x);
	}
	x->state = EXCHANGE_ANSWERED;
}

static void add_headers(struct exchange *x, struct MHD_Response *response)
{
	for (size_t i = 0; i + 1 < x->headers.count; i += 2)
		(void)MHD_add_response_header(response, x->headers.items[i],
					      x->headers.items[i + 1]);
	if (x->answer_last)
		(void)MHD_add_response_header(response, "Connection", "close");
}

/* For handlers ------------------------------------------------------------------------- */

const char *exchange_query(struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->mhd, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_header(struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

void exchange_on_gone(struct exchange *x, void (*gone)(void *owner), void *owner)
{
	x->gone = gone;
	x->owner = owner;
	if (x->state == EXCHANGE_WAITING)
		watch_client(x);
}

void exchange_set_header(struct exchange *x, const char *name, const char *value)
{
	// A header that memory has no room for is left out, as the pair or not at all.
	if (strv_add(&x->headers, name) == 0 && strv_add(&x->headers, value) < 0)
		free(TAKE_PTR(x->headers.items[--x->headers.count]));
}

void exchange_reply(struct exchange *x, unsigned status, const char *content_type, const void *body,
		    size_t len)
{
	union {
		const void *in;
		void *out;
	} bytes = {.in = body}; // the library takes a pointer to what it will only read

	assert(x->state != EXCHANGE_ANSWERED && x->state != EXCHANGE_GONE);

	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, bytes.out, MHD_RESPMEM_MUST_COPY);

	if (response) {
		(void)MHD_add_response_header(response, "Content-Type",
					      content_type ? content_type : "application/json");
		add_headers(x, response);
	}
	answered(x, status, response);
}

/* Upgrade ------------------------------------------------------------------------------ */

/** Answer what is no handshake that we take.  Returns true when it is one. */
static bool handshake_is_good(struct exchange *x)
{
	struct handshake_offer offer = {
		.method = x->method,
		.http_version = x->version,
		.upgrade = exchange_header(x, "Upgrade"),
		.connection = exchange_header(x, "Connection"),
		.key = exchange_header(x, "Sec-WebSocket-Key"),
		.version = exchange_header(x, "Sec-WebSocket-Version"),
	};
	enum handshake_verdict verdict = handshake_judge(&offer);

	if (verdict == HANDSHAKE_GOOD && x->body.len == 0)
		return true;
	if (verdict == HANDSHAKE_ABSENT || verdict == HANDSHAKE_VERSION) {
		exchange_set_header(x, "Upgrade", "websocket");
		exchange_set_header(x, "Sec-WebSocket-Version", "13");
		problem_reply(x, &(struct problem){426, "upgrade", "Upgrade required",
						   "this path speaks WebSocket version 13"});
	} else {
		problem_bad_request(x, "the WebSocket handshake is malformed");
	}
	return false;
}

int exchange_upgrade(struct exchange *x, const struct websocket_ops *ops, void *owner,
		     struct websocket **ret)
{
	char accept[HANDSHAKE_ACCEPT_SIZE];

	if (!handshake_is_good(x))
		return -EPROTO;

	struct websocket *ws = websocket_new(x->connection->server, ops, owner);
	struct MHD_Response *response =
		ws ? MHD_create_response_for_upgrade(websocket_upgraded, ws) : NULL;

	if (!response ||
	    handshake_accept(exchange_header(x, "Sec-WebSocket-Key"), sha1_sum, accept) < 0 ||
	    MHD_add_response_header(response, "Upgrade", "websocket") != MHD_YES ||
	    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept) != MHD_YES) {
		if (response)
			MHD_destroy_response(response);
		if (ws)
			websocket_discard(ws);
		problem_internal(x, "out of memory");
		return -EPROTO;
	}
	x->websocket = ws;
	answered(x, MHD_HTTP_SWITCHING_PROTOCOLS, response);
	*ret = ws;
	return 0;
}

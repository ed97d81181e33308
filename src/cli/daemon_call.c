// SPDX-License-Identifier: Apache-2.0
/** Request, answer, and the query part of a path. */
#include "cli/daemon_call.h"

#include "base/buf.h"
#include "base/error.h"
#include "cli/inside.h"
#include "client/client.h"

#include <errno.h>

#define STATUS_NOT_FOUND 404

int daemon_call_open(bool start, struct client **ret, struct error *err)
{
	AUTO(mem_free) char *home = NULL;

	if (inside_world())
		return error_set(err, ECANCELED,
				 "this is a world: the daemon is not in reach from here");

	int r = client_home(&home, err);

	if (r < 0)
		return r;

	struct client_options options = {.home = home, .start = start};
	return client_open(&options, ret, err);
}

int daemon_call_ask(const struct daemon_call *call, json_t **ret, struct error *err)
{
	AUTO(client_close) struct client *client = NULL;
	struct client_answer answer = {0};
	int r = daemon_call_open(!call->only_running, &client, err);

	if (r < 0)
		return r;
	r = client_call(client, call->method, call->path, call->body, &answer, err);
	if (r == -EINVAL) {
		// What the daemon says makes no sense; that is no wrong usage of ours.
		err->code = EPROTO;
		r = -EPROTO;
	}
	if (r < 0)
		return r;

	AUTO(value_free) json_t *body = answer.body ? answer.body : json_object();
	if (!body)
		return error_oom(err);
	if (answer.status >= 200 && answer.status <= 299) {
		*ret = TAKE_PTR(body);
		return 0;
	}
	r = client_problem(&answer, err);
	if (answer.status != STATUS_NOT_FOUND)
		return r;
	err->code = ESRCH;
	return -ESRCH;
}

/** Append text with every byte but the unreserved ones (RFC 3986) and `also` encoded. */
static void add_encoded(struct buf *path, const char *text, const char *also)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text) || strchr(also, *text))
			buf_addc(path, *text);
		else
			buf_addf(path, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

void daemon_call_segment(struct buf *path, const char *text)
{
	add_encoded(path, text, "");
}

void daemon_call_query(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(path, "%c%s=", path->data && strchr(path->data, '?') ? '&' : '?', name);
	add_encoded(path, value, "/");
}

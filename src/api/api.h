// SPDX-License-Identifier: Apache-2.0
/**
 * The HTTP API of the daemon: the only module that knows both HTTP and the domain.
 *
 * One table maps method and path to a handler; handlers turn JSON into requests of the domain
 * and results into JSON.  Every error is an RFC 9457 problem.
 */
#pragma once

#include "base/compiler.h"
#include "http/server.h"
#include "world/spec.h"

struct api;
struct commands;
struct error;
struct loop;
struct sessions;
struct trace;
struct worker;

/** What the API serves.  All borrowed for its life. */
struct api_options {
	struct loop *loop;
	struct worker *worker;
	struct sessions *sessions;
	struct commands *commands;
	const struct trace *trace; /**< Its head, for verify. */
	const char *home;          /**< SUBSTRATE_HOME, real path. */
	int home_fd;
	const char *init_path;         /**< substrate-init, for `doctor`. */
	struct spec_without without;   /**< As for commands. */
	void (*shutdown)(void *owner); /**< POST /v1/shutdown. */
	void *owner;
};

/** Make it.  On success the caller owns *ret. */
int api_new(const struct api_options *options, struct api **ret, struct error *err);

/** Free it; the server that calls api_handle() is gone by then.  Returns NULL. */
struct api *api_free(struct api *api);
DEFINE_AUTO(struct api *, api_free)

/** The server's handler; `userdata` is the struct api. */
void api_handle(struct exchange *x, const struct http_request *req, void *userdata);

// SPDX-License-Identifier: Apache-2.0
/** What the files of this module share. */
#pragma once

#include "api/api.h"

#include <jansson.h>

struct api {
	struct api_options options;
};

/** One route's work.  `rest` is what followed the route's "/" prefix, or "". */
typedef void api_route_fn(struct api *api, struct exchange *x, const struct http_request *req,
			  const char *rest);

api_route_fn execute_post;
api_route_fn streaming_get;
api_route_fn worlds_get;
api_route_fn worlds_plan;
api_route_fn worlds_warm;
api_route_fn worlds_restart;
api_route_fn worlds_stop;
api_route_fn worlds_kill;
api_route_fn spans_get;
api_route_fn spans_list;
api_route_fn spans_verify;
api_route_fn health_doctor;
api_route_fn health_get;

/**
 * A new JSON string of text for a person, which may quote what no JSON string can hold.  NULL when
 * out of memory, as from jansson.
 */
json_t *answer_text(const char *text);

/** Answer with a JSON object, which is released. */
void answer_json(struct exchange *x, unsigned status, json_t *object);

/** A copy of a query parameter, or NULL.  Caller frees. */
char *answer_query(struct exchange *x, const char *name);

/** Parse the body as one object: NULL after a 400. */
json_t *answer_body(struct exchange *x, const struct http_request *req);

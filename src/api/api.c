// SPDX-License-Identifier: Apache-2.0
/** The table of routes. */
#include "api/api.h"

#include "api/api_priv.h"
#include "base/error.h"
#include "base/str.h"
#include "http/problem.h"

static void shutdown_post(struct api *api, struct exchange *x, const struct http_request *req,
			  const char *rest)
{
	(void)req;
	(void)rest;
	answer_json(x, 202, json_pack("{s:b}", "stopping", 1));
	api->options.shutdown(api->options.owner);
}

/** A path that ends in "/" takes any single segment after it. */
static const struct {
	const char *method, *path;
	api_route_fn *fn;
} routes[] = {
	{"POST", "/v1/execute", execute_post},    {"GET", "/v1/stream", streaming_get},
	{"GET", "/v1/worlds", worlds_get},        {"GET", "/v1/worlds/plan", worlds_plan},
	{"POST", "/v1/worlds/warm", worlds_warm}, {"POST", "/v1/worlds/restart", worlds_restart},
	{"POST", "/v1/worlds/stop", worlds_stop}, {"POST", "/v1/worlds/kill", worlds_kill},
	{"GET", "/v1/trace", spans_list},         {"GET", "/v1/trace/verify", spans_verify},
	{"GET", "/v1/trace/", spans_get},         {"GET", "/v1/doctor", health_doctor},
	{"GET", "/healthz", health_get},          {"POST", "/v1/shutdown", shutdown_post},
};

static bool path_matches(const char *route, const char *path, const char **ret_rest)
{
	size_t len = strlen(route);

	*ret_rest = "";
	if (route[len - 1] != '/')
		return strcmp(route, path) == 0;
	if (!str_starts(path, route) || path[len] == '\0' || strchr(path + len, '/'))
		return false;
	*ret_rest = path + len;
	return true;
}

void api_handle(struct exchange *x, const struct http_request *req, void *userdata)
{
	struct api *api = userdata;
	const char *allowed = NULL;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const char *rest;

		if (!path_matches(routes[i].path, req->path, &rest))
			continue;
		if (strcmp(routes[i].method, req->method) == 0) {
			routes[i].fn(api, x, req, rest);
			return;
		}
		allowed = routes[i].method;
	}
	if (allowed)
		problem_method(x, allowed);
	else
		problem_not_found(x, "there is no such route");
}

int api_new(const struct api_options *options, struct api **ret, struct error *err)
{
	struct api *api = calloc(1, sizeof(*api));

	if (!api)
		return error_oom(err);
	api->options = *options;
	*ret = api;
	return 0;
}

struct api *api_free(struct api *api)
{
	free(api);
	return NULL;
}

// SPDX-License-Identifier: Apache-2.0
/** Problems. */
#include "http/problem.h"

#include "base/compiler.h"
#include "base/str.h"
#include "http/server.h"

#include <microhttpd.h>

#include <stdio.h>
#include <sys/socket.h>

#define CONTENT_TYPE "application/problem+json"
#define DETAIL_MAX 1024

/** For when there is no memory for anything better. */
static const char no_memory[] = "{\"type\":\"urn:substrate:problem:internal\",\"title\":"
				"\"Internal error\",\"status\":500,\"detail\":\"out of memory\"}";

/** The problem as one line of JSON, owned by the caller, or NULL when out of memory. */
static char *print_problem(const struct problem *problem)
{
	// A detail may quote what a client sent; JSON takes UTF-8 only.
	AUTO(mem_free)
	char *detail = str_escape(problem->detail, strlen(problem->detail), DETAIL_MAX);
	json_t *object = json_pack("{s:s+, s:s, s:i, s:s*}", "type",
				   "urn:substrate:problem:", problem->type, "title", problem->title,
				   "status", (int)problem->status, "detail", detail);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text;
}

void problem_reply(struct exchange *x, const struct problem *problem)
{
	AUTO(mem_free) char *text = print_problem(problem);

	if (text)
		exchange_reply(x, problem->status, CONTENT_TYPE, text, strlen(text));
	else
		exchange_reply(x, 500, CONTENT_TYPE, no_memory, sizeof(no_memory) - 1);
}

void problem_reply_json(struct exchange *x, unsigned status, json_t *object)
{
	AUTO(mem_free) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (text)
		exchange_reply(x, status, CONTENT_TYPE, text, strlen(text));
	else
		exchange_reply(x, 500, CONTENT_TYPE, no_memory, sizeof(no_memory) - 1);
}

void problem_send_raw(int fd, const struct problem *problem)
{
	AUTO(mem_free) char *text = print_problem(problem);
	AUTO(mem_free) char *response = NULL;

	if (text)
		response = str_format("HTTP/1.1 %u %s\r\nContent-Type: " CONTENT_TYPE
				      "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
				      problem->status, MHD_get_reason_phrase_for(problem->status),
				      strlen(text), text);
	if (response)
		(void)send(fd, response, strlen(response), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void problem_bad_request(struct exchange *x, const char *detail)
{
	problem_reply(x, &(struct problem){400, "bad-request", "Bad request", detail});
}

void problem_not_found(struct exchange *x, const char *detail)
{
	problem_reply(x, &(struct problem){404, "not-found", "Not found", detail});
}

void problem_method(struct exchange *x, const char *allowed)
{
	AUTO(mem_free) char *detail = str_format("this path takes %s", allowed);

	exchange_set_header(x, "Allow", allowed);
	problem_reply(x, &(struct problem){405, "method", "Method not allowed",
					   detail ? detail : "another method is needed"});
}

void problem_internal(struct exchange *x, const char *detail)
{
	problem_reply(x, &(struct problem){500, "internal", "Internal error", detail});
}

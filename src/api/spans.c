// SPDX-License-Identifier: Apache-2.0
/** /v1/trace: reading may take long, so the worker does it. */
#include "api/api_priv.h"

#include "base/error.h"
#include "base/id.h"
#include "base/str.h"
#include "http/problem.h"
#include "loop/worker.h"
#include "trace/span.h"
#include "trace/trace.h"
#include "trace/trace_read.h"

#include <errno.h>

/** One question to the trace. */
struct reading {
	struct worker_job job;
	struct exchange *x; /**< NULL once the client is gone. */
	int dirfd;
	char span[ID_SIZE];
	char *agent, *status, *head;
	struct trace_read_filter filter;
	json_t *answer;
	struct error err;
	int result;
};

static void reading_free(struct reading *reading)
{
	free(reading->agent);
	free(reading->status);
	free(reading->head);
	free(reading);
}

static void reading_gone(void *owner)
{
	struct reading *reading = owner;

	reading->x = NULL;
}

static void reading_done(struct worker_job *job)
{
	struct reading *reading = container_of(job, struct reading, job);

	if (!reading->x)
		json_decref(reading->answer);
	else if (reading->result == -ENOENT)
		problem_not_found(reading->x, reading->err.msg);
	else if (reading->result < 0)
		problem_internal(reading->x, reading->err.msg);
	else
		answer_json(reading->x, 200, reading->answer);
	reading_free(reading);
}

static void reading_submit(struct api *api, struct exchange *x, struct reading *reading,
			   void (*run)(struct worker_job *job))
{
	if (!reading) {
		problem_internal(x, "out of memory");
		return;
	}
	reading->x = x;
	reading->dirfd = api->options.home_fd;
	reading->job = (struct worker_job){.run = run, .done = reading_done};
	exchange_on_gone(x, reading_gone, reading);
	worker_submit(api->options.worker, &reading->job);
}

/* One span ----------------------------------------------------------------------------- */

static void read_span(struct worker_job *job)
{
	struct reading *reading = container_of(job, struct reading, job);
	json_t *events = NULL;

	reading->result = trace_read_span(reading->dirfd, reading->span, &events, &reading->err);
	if (reading->result == 0 && json_array_size(events) == 0)
		reading->result =
			error_set(&reading->err, ENOENT, "the trace has no span %s", reading->span);
	if (reading->result == 0)
		reading->answer = json_pack("{s:i, s:s, s:O}", "schema", 1, "span_id",
					    reading->span, "events", events);
	json_decref(events);
}

void spans_get(struct api *api, struct exchange *x, const struct http_request *req,
	       const char *rest)
{
	struct reading *reading;

	(void)req;
	if (!id_valid("spn", rest)) {
		problem_bad_request(x, "that is not the id of a span: spn_ and a UUID");
		return;
	}
	reading = calloc(1, sizeof(*reading));
	if (reading)
		(void)strncpy(reading->span, rest, sizeof(reading->span) - 1);
	reading_submit(api, x, reading, read_span);
}

/* The list ----------------------------------------------------------------------------- */

static void read_list(struct worker_job *job)
{
	struct reading *reading = container_of(job, struct reading, job);
	json_t *spans = NULL;

	reading->filter.agent = reading->agent;
	reading->filter.status = reading->status;
	reading->result = trace_read_list(reading->dirfd, &reading->filter, &spans, &reading->err);
	if (reading->result == 0)
		reading->answer = json_pack("{s:i, s:O}", "schema", 1, "spans", spans);
	json_decref(spans);
}

/** A number of the query; absent is 0. */
static int query_number(struct exchange *x, const char *name, long max, long *ret,
			struct error *err)
{
	const char *text = exchange_query(x, name);

	*ret = 0;
	if (text && str_to_long(text, 0, max, ret) < 0)
		return error_set(err, EINVAL, "parameter '%s': expected a number from 0 to %ld",
				 name, max);
	return 0;
}

static int check_status(struct exchange *x, struct error *err)
{
	const char *status = exchange_query(x, "status");

	return !status || span_status_known(status)
		       ? 0
		       : error_set(err, EINVAL, "parameter 'status': expected one of %s",
				   SPAN_STATUSES);
}

void spans_list(struct api *api, struct exchange *x, const struct http_request *req,
		const char *rest)
{
	struct error err = {0};
	long limit = 0;
	long since = 0;

	(void)req;
	(void)rest;
	if (query_number(x, "limit", 10000, &limit, &err) < 0 ||
	    query_number(x, "since", 4102444800L, &since, &err) < 0 || check_status(x, &err) < 0) {
		problem_bad_request(x, err.msg);
		return;
	}

	struct reading *reading = calloc(1, sizeof(*reading));

	if (reading) {
		reading->agent = answer_query(x, "agent");
		reading->status = answer_query(x, "status");
		reading->filter.limit = (uint32_t)limit;
		reading->filter.since_ns = (uint64_t)since * 1000000000u;
	}
	reading_submit(api, x, reading, read_list);
}

/* The chain ---------------------------------------------------------------------------- */

static void read_chain(struct worker_job *job)
{
	struct reading *reading = container_of(job, struct reading, job);
	struct trace_verify_result result = {0};

	reading->result = trace_verify(reading->dirfd, reading->head, &result, &reading->err);
	if (reading->result == 0)
		reading->answer = json_pack("{s:i, s:b, s:I, s:s, s:s, s:I, s:s, s:s, s:I}",
					    "schema", 1, "intact", result.intact, "lines",
					    (json_int_t)result.lines, "head", result.head, "file",
					    result.file, "line", (json_int_t)result.line, "what",
					    result.what, "damage", trace_verify_name(result.damage),
					    "damages", (json_int_t)result.damages);
}

void spans_verify(struct api *api, struct exchange *x, const struct http_request *req,
		  const char *rest)
{
	const char *head = exchange_query(x, "head");
	struct reading *reading;

	(void)req;
	(void)rest;
	if (head && (strlen(head) != 64 || strspn(head, "0123456789abcdef") != 64)) {
		problem_bad_request(x, "parameter 'head': expected 64 hexadecimal digits");
		return;
	}
	reading = calloc(1, sizeof(*reading));
	// Without a head of the client's own, the daemon's memory of it is held against the file.
	if (reading)
		reading->head = head ? strdup(head) : strdup(trace_head(api->options.trace));
	reading_submit(api, x, reading, read_chain);
}

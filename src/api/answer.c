// SPDX-License-Identifier: Apache-2.0
/** JSON in and out of an exchange. */
#include "api/api_priv.h"

#include "base/error.h"
#include "base/str.h"
#include "http/problem.h"
#include "json/decode.h"

#include <errno.h>

#define BODY_MAX (4u << 20)
#define TEXT_MAX 1024

json_t *answer_text(const char *text)
{
	AUTO(mem_free) char *escaped = str_escape(text, strlen(text), TEXT_MAX);

	return escaped ? json_string(escaped) : NULL;
}

void answer_json(struct exchange *x, unsigned status, json_t *object)
{
	AUTO(mem_free)
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(object);
	if (!text) {
		problem_internal(x, "out of memory");
		return;
	}
	exchange_reply(x, status, NULL, text, strlen(text));
}

json_t *answer_body(struct exchange *x, const struct http_request *req)
{
	struct error err = {0};
	json_t *object = NULL;

	if (decode_text(req->body, req->body_len, BODY_MAX, &object, &err) == 0) {
		if (json_is_object(object))
			return object;
		json_decref(object);
		(void)error_set(&err, EINVAL, "the body is not a JSON object");
	}
	problem_bad_request(x, err.msg);
	return NULL;
}

char *answer_query(struct exchange *x, const char *name)
{
	const char *text = exchange_query(x, name);

	return text ? strdup(text) : NULL;
}

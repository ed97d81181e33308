// SPDX-License-Identifier: Apache-2.0
/**
 * Judging a request's head: what could be understood in two ways is refused, so that nobody
 * who reads the same bytes differs from us about where the next request begins.
 */
#include "http/http_priv.h"

#include "httphead/head.h"

#include <strings.h>

#define FIELDS_MAX 100

/** How often the fields stand in the head that decide where a request ends. */
struct head_count {
	unsigned fields;
	unsigned hosts;
	unsigned lengths;
	unsigned codings;
	unsigned handshakes; /**< Sec-WebSocket-Key and -Version. */
	bool malformed;
	const char *length;
	const char *coding;
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool exchange_head_target(const char *uri)
{
	if (uri[0] != '/')
		return false;
	for (const char *at = uri; *at; at++) {
		if (*at <= ' ' || *at > '~')
			return false;
		if (*at == '%' &&
		    (!is_hex(at[1]) || !is_hex(at[2]) || (at[1] == '0' && at[2] == '0')))
			return false;
	}
	return true;
}

static enum MHD_Result count_field(void *cls, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct head_count *count = cls;

	(void)kind;
	count->fields++;
	for (const char *c = name; *c; c++)
		count->malformed |= !head_is_token_byte(*c);
	count->malformed |= name[0] == '\0';
	if (strcasecmp(name, "host") == 0)
		count->hosts++;
	if (strcasecmp(name, "sec-websocket-key") == 0)
		count->handshakes++;
	if (strcasecmp(name, "content-length") == 0) {
		count->lengths++;
		count->length = value;
	}
	if (strcasecmp(name, "transfer-encoding") == 0) {
		count->codings++;
		count->coding = value;
	}
	return MHD_YES;
}

/** Why a head is refused, or NULL. */
static const char *head_fault(const struct exchange *x, const struct head_count *count)
{
	if (x->bad_target)
		return "the request target is no path, or has a bad escape";
	if (count->malformed)
		return "a field name is malformed";
	if (count->fields > FIELDS_MAX)
		return "there are too many fields";
	if (count->hosts == 0 && strcmp(x->version, "HTTP/1.1") == 0)
		return "Host is missing";
	if (count->hosts > 1)
		return "Host is repeated";
	if (count->lengths > 1)
		return "Content-Length is repeated";
	if (count->handshakes > 1)
		return "Sec-WebSocket-Key is repeated";
	if (count->codings && count->lengths)
		return "both Content-Length and Transfer-Encoding are given";
	if (count->codings > 1 || (count->coding && strcasecmp(count->coding, "chunked") != 0))
		return "the transfer coding is not plain chunked";
	if (count->codings && strcmp(x->version, "HTTP/1.1") != 0)
		return "Transfer-Encoding needs HTTP/1.1";
	return NULL;
}

const char *exchange_head_fault(const struct exchange *x, uint64_t *ret_length)
{
	struct head_count count = {0};

	(void)MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, count_field, &count);

	const char *fault = head_fault(x, &count);

	// The library has refused a length that is no number or does not fit.
	if (!fault)
		*ret_length = count.length ? strtoull(count.length, NULL, 10) : 0;
	return fault;
}

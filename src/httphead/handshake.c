// SPDX-License-Identifier: Apache-2.0
/** The WebSocket handshake. */
#include "httphead/handshake.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define KEY_TEXT_SIZE 24 // base64 of 16 bytes

static const char accept_suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static bool has_token(const char *list, const char *token)
{
	return list && head_has_token(list, strlen(list), token);
}

/** A key is the base64 of exactly 16 bytes. */
static bool key_is_good(const char *key)
{
	AUTO(mem_free) char *bytes = NULL;
	size_t len;

	return key && strlen(key) == KEY_TEXT_SIZE &&
	       base64_decode(key, KEY_TEXT_SIZE, &bytes, &len) == 0 && len == HANDSHAKE_NONCE_SIZE;
}

enum handshake_verdict handshake_judge(const struct handshake_offer *offer)
{
	if (!has_token(offer->upgrade, "websocket") || !has_token(offer->connection, "upgrade"))
		return HANDSHAKE_ABSENT;
	if (!str_same(offer->method, "GET") || !str_same(offer->http_version, "HTTP/1.1"))
		return HANDSHAKE_BAD;
	if (!str_same(offer->version, "13"))
		return HANDSHAKE_VERSION;
	return key_is_good(offer->key) ? HANDSHAKE_GOOD : HANDSHAKE_BAD;
}

int handshake_accept(const char *key, handshake_sha1_fn *sha1,
		     char ret[static HANDSHAKE_ACCEPT_SIZE])
{
	char input[KEY_TEXT_SIZE + sizeof(accept_suffix)];
	uint8_t digest[20];

	memcpy(input, key, KEY_TEXT_SIZE);
	memcpy(input + KEY_TEXT_SIZE, accept_suffix, sizeof(accept_suffix));
	if (!sha1(input, KEY_TEXT_SIZE + sizeof(accept_suffix) - 1, digest))
		return -ENOMEM;

	AUTO(mem_free) char *text = base64_encode(digest, sizeof(digest));

	if (!text)
		return -ENOMEM;
	memcpy(ret, text, HANDSHAKE_ACCEPT_SIZE);
	return 0;
}

void handshake_request(struct buf *out, const char *path,
		       const uint8_t nonce[static HANDSHAKE_NONCE_SIZE])
{
	AUTO(mem_free) char *key = base64_encode(nonce, HANDSHAKE_NONCE_SIZE);

	if (!key) {
		out->failed = true;
		return;
	}
	buf_adds(out, "GET ");
	buf_adds(out, path);
	buf_adds(out, " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
	buf_adds(out, key);
	buf_adds(out, "\r\n\r\n");
}

static bool field_has(const struct head *head, const char *name, const char *token)
{
	const struct head_field *field = head_find(head, name);

	return field && head_has_token(field->value, field->value_len, token);
}

bool handshake_confirmed(const struct head *head)
{
	return head->status == 101 && field_has(head, "upgrade", "websocket") &&
	       field_has(head, "connection", "upgrade");
}

// SPDX-License-Identifier: Apache-2.0
#include "httphead/handshake.h"

#include "base/buf.h"
#include "base/error.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

#define GOOD_KEY "dGhlIHNhbXBsZSBub25jZQ=="

static const struct handshake_offer good = {
	.method = "GET",
	.http_version = "HTTP/1.1",
	.upgrade = "websocket",
	.connection = "keep-alive, Upgrade",
	.key = GOOD_KEY,
	.version = "13",
};

static void a_good_offer_is_taken(void **state)
{
	(void)state;
	assert_int_equal(handshake_judge(&good), HANDSHAKE_GOOD);
}

static void an_ordinary_request_is_told_from_a_bad_handshake(void **state)
{
	struct handshake_offer offer = good;

	(void)state;
	offer.upgrade = NULL;
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_ABSENT);
	offer.upgrade = "h2c";
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_ABSENT);
	offer = good;
	offer.connection = "keep-alive";
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_ABSENT);
	offer = good;
	offer.version = "8";
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_VERSION);
	offer.version = NULL;
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_VERSION);
}

static void a_handshake_that_breaks_the_rules_is_bad(void **state)
{
	static const char *const keys[] = {
		NULL,
		"",
		"dGhlIHNhbXBsZSBub25jZQ=",
		"dGhlIHNhbXBsZSBub25j!Q==",
		"dGhlIHNhbXBsZSBub25jZQ== ",
		"AAAAAAAAAAAAAAAAAAAAAAAA", // 18 bytes
	};
	struct handshake_offer offer = good;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		offer.key = keys[i];
		assert_int_equal(handshake_judge(&offer), HANDSHAKE_BAD);
	}
	offer = good;
	offer.method = "POST";
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_BAD);
	offer = good;
	offer.http_version = "HTTP/1.0";
	assert_int_equal(handshake_judge(&offer), HANDSHAKE_BAD);
}

/** Checks what is hashed and gives the digest of RFC 6455's example. */
static bool example_sha1(const void *data, size_t len, uint8_t ret[static 20])
{
	static const char expected[] = GOOD_KEY "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	static const uint8_t digest[20] = {0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f,
					   0x16, 0x90, 0xf6, 0x46, 0x06, 0xcf, 0x38,
					   0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea};

	assert_int_equal(len, sizeof(expected) - 1);
	assert_memory_equal(data, expected, len);
	memcpy(ret, digest, sizeof(digest));
	return true;
}

static bool no_sha1(const void *data, size_t len, uint8_t ret[static 20])
{
	(void)data;
	(void)len;
	(void)ret;
	return false;
}

static void the_accept_value_is_the_one_of_the_rfc(void **state)
{
	char accept[HANDSHAKE_ACCEPT_SIZE];

	(void)state;
	assert_int_equal(handshake_accept(GOOD_KEY, example_sha1, accept), 0);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_int_equal(handshake_accept(GOOD_KEY, no_sha1, accept), -ENOMEM);
}

static void the_client_asks_as_the_rfc_says(void **state)
{
	AUTO(buf_done) struct buf text = {0};

	(void)state;
	handshake_request(&text, "/v1/stream", (const uint8_t *)"the sample nonce");
	assert_false(text.failed);
	assert_string_equal(text.data, "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n"
				       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
				       "Sec-WebSocket-Version: 13\r\n"
				       "Sec-WebSocket-Key: " GOOD_KEY "\r\n\r\n");
}

static bool confirmed(const char *text)
{
	struct error err = {0};
	struct head head;

	assert_int_equal(head_parse(text, strlen(text), &head, &err), 0);
	return handshake_confirmed(&head);
}

static void only_a_switch_to_websocket_is_confirmed(void **state)
{
	(void)state;
	assert_true(confirmed("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n"
			      "Connection: Upgrade\r\n\r\n"));
	assert_false(confirmed("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n"
			       "Connection: Upgrade\r\n\r\n"));
	assert_false(confirmed("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"));
	assert_false(confirmed("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_offer_is_taken),
		cmocka_unit_test(an_ordinary_request_is_told_from_a_bad_handshake),
		cmocka_unit_test(a_handshake_that_breaks_the_rules_is_bad),
		cmocka_unit_test(the_accept_value_is_the_one_of_the_rfc),
		cmocka_unit_test(the_client_asks_as_the_rfc_says),
		cmocka_unit_test(only_a_switch_to_websocket_is_confirmed),
	};

	return cmocka_run_group_tests_name("httphead/handshake", tests, NULL, NULL);
}

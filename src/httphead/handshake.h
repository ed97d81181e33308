// SPDX-License-Identifier: Apache-2.0
/**
 * The WebSocket handshake (RFC 6455, section 4): the client's request, the server's judgement.
 *
 * The client does not check Sec-WebSocket-Accept: it knows by the socket's credentials whom it
 * talks to, and so needs no SHA-1.
 */
#pragma once

#include "httphead/head.h"

#include <stdint.h>

struct buf;

#define HANDSHAKE_NONCE_SIZE 16  /**< Random bytes of Sec-WebSocket-Key. */
#define HANDSHAKE_ACCEPT_SIZE 29 /**< Text of Sec-WebSocket-Accept with its NUL. */

/** SHA-1 of some bytes; given by the caller.  Returns false when it cannot be had. */
typedef bool handshake_sha1_fn(const void *data, size_t len, uint8_t ret[static 20]);

/** What a request's fields say; NULL for one that is absent.  Borrowed. */
struct handshake_offer {
	const char *method;
	const char *http_version; /**< "HTTP/1.1". */
	const char *upgrade;
	const char *connection;
	const char *key;     /**< Sec-WebSocket-Key. */
	const char *version; /**< Sec-WebSocket-Version. */
};

enum handshake_verdict {
	HANDSHAKE_GOOD,
	HANDSHAKE_ABSENT,  /**< Not a WebSocket request at all: 426. */
	HANDSHAKE_VERSION, /**< Another version than 13: 426. */
	HANDSHAKE_BAD,     /**< One that breaks the rules: 400. */
};

/** Judge an offer.  Cannot fail. */
enum handshake_verdict handshake_judge(const struct handshake_offer *offer);

/** The accept value of a key that handshake_judge() found good.  Returns 0 or -ENOMEM. */
int handshake_accept(const char *key, handshake_sha1_fn *sha1,
		     char ret[static HANDSHAKE_ACCEPT_SIZE]);

/** Append the client's request for `path`. */
void handshake_request(struct buf *out, const char *path,
		       const uint8_t nonce[static HANDSHAKE_NONCE_SIZE]);

/** True when a response's head switches to WebSocket. */
bool handshake_confirmed(const struct head *head);

// SPDX-License-Identifier: Apache-2.0
/**
 * The head of an HTTP/1 response: status line and fields.
 *
 * Strict, because only our own daemon is at the other end: lines end in CRLF, fields are not
 * folded, a body has one Content-Length and no transfer coding.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define HEAD_SIZE_MAX 16384 /**< Bytes, the empty line included. */
#define HEAD_FIELDS_MAX 64

/** Returned by head_parse() when the head is not whole yet. */
#define HEAD_MORE 1

/** One field.  Borrowed from the parsed bytes; not NUL-terminated. */
struct head_field {
	const char *name;
	size_t name_len;
	const char *value; /**< Without the white space around it. */
	size_t value_len;
};

struct head {
	size_t size;     /**< Bytes of the head; the body starts there. */
	int status;      /**< 100 to 599. */
	bool has_length; /**< There is a Content-Length. */
	uint64_t length; /**< Its value. */
	size_t nfields;
	struct head_field fields[HEAD_FIELDS_MAX];
};

/**
 * Parse the head at the start of `len` bytes.  Returns 0, HEAD_MORE, -E2BIG (over a limit) or
 * -EPROTO.  *ret is written on 0 only and borrows from `data`.
 */
int head_parse(const char *data, size_t len, struct head *ret, struct error *err);

/** The first field of that name, in any case, or NULL. */
const struct head_field *head_find(const struct head *head, const char *name);

/** True when the comma-separated `list` has `token`, in any case. */
bool head_has_token(const char *list, size_t len, const char *token);

/** True for a byte that may stand in a field name (RFC 9110, token). */
bool head_is_token_byte(char c);

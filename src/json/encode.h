// SPDX-License-Identifier: Apache-2.0
/**
 * Making JSON.  Byte strings that are not UTF-8, or hold a NUL, become {"b64": "..."}.
 *
 * A value made here is a new reference, or NULL when out of memory; jansson's *_new functions
 * accept that NULL and report it, so a builder checks once.
 */
#pragma once

#include "json/value.h"

struct buf;
struct strv;

/** `len` bytes as a string or {"b64"}. */
json_t *encode_bytes(const char *data, size_t len);

/** A C string; NULL gives null. */
json_t *encode_string(const char *text);

/** A list of strings as an array. */
json_t *encode_strings(const struct strv *list);

/** Append compact text, members in the order they were added.  A failure sets buf->failed. */
void encode_print(const json_t *value, struct buf *buf);

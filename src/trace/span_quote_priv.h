// SPDX-License-Identifier: Apache-2.0
/** JSON text for the trace: members of one object, appended to a buffer without a tree. */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/** Append a JSON string, or {"b64":"..."} when the bytes are not UTF-8, or null for NULL. */
void span_quote_text(struct buf *out, const char *text);

/** Append `"key":`, with a comma before it unless the object was just opened. */
void span_quote_key(struct buf *out, const char *key);

/** Append a member with a string; NULL leaves it out. */
void span_quote_member(struct buf *out, const char *key, const char *text);

/** Append a member with a number. */
void span_quote_number(struct buf *out, const char *key, uint64_t value);

/** Append a member with an array of the NULL-terminated strings; NULL leaves it out. */
void span_quote_list(struct buf *out, const char *key, char *const *items);

// SPDX-License-Identifier: Apache-2.0
/**
 * Reading JSON from outside: bounded text to values, and objects to structs by a table.
 *
 * A string is a JSON string, or {"b64": "..."} for bytes that are not UTF-8.  A NUL in either is
 * an error, so every string read here is a C string.  Pure: no I/O, no clock, no state.
 */
#pragma once

#include "json/value.h"

#include <stdbool.h>
#include <stdint.h>

#define DECODE_DEPTH_MAX 64

struct error;
struct strv;

/** What a field holds, and the type it has in the struct. */
enum decode_kind {
	DECODE_STRING,       /**< char *, owned. */
	DECODE_BOOL,         /**< bool. */
	DECODE_INT,          /**< int64_t. */
	DECODE_OBJECT,       /**< json_t *, an owned reference. */
	DECODE_ARRAY,        /**< json_t *, an owned reference. */
	DECODE_STRING_ARRAY, /**< struct strv. */
	DECODE_STRING_MAP, /**< struct strv of "name=value"; a name has no "=" and is not empty. */
};

/** A field of an object. */
struct decode_field {
	const char *name;
	enum decode_kind kind;
	bool required;    /**< Else it may be missing or null, and the struct keeps what it has. */
	size_t offset;    /**< offsetof() in the struct. */
	int64_t min, max; /**< DECODE_INT: the range, both included; both 0: any. */
};

/**
 * Parse an object or array.
 *
 * @max      Longer text is -E2BIG.
 * @ret      On success an owned reference.
 * @return   0, -E2BIG, -ENOMEM, or -EINVAL with *err as "line:column: what" (also for duplicate
 *           keys, and deeper nesting than DECODE_DEPTH_MAX).
 */
int decode_text(const char *text, size_t len, size_t max, json_t **ret, struct error *err);

/**
 * Read an object into a zero-initialised struct (but for defaults of bools and integers).
 *
 * An unknown, missing or mistyped field is -EINVAL and named in *err.  On failure the struct
 * owns nothing.  After success decode_done() frees what it owns.
 */
int decode_object(json_t *object, const struct decode_field *fields, size_t nfields, void *out,
		  struct error *err);

/** Free what decode_object() put into the struct and empty those fields; fine when zeroed. */
void decode_done(const struct decode_field *fields, size_t nfields, void *out);

/** Read one string.  The caller frees *ret. */
int decode_string(const json_t *value, char **ret, struct error *err);

/** Read an array of strings.  *ret must be empty; on failure it still is. */
int decode_strings(const json_t *value, struct strv *ret, struct error *err);

// SPDX-License-Identifier: Apache-2.0
/**
 * JSON text for the trace.
 *
 * Almost every byte of a string stands for itself, so a string is copied run by run between the
 * few bytes that need an escape.  Bytes that are not UTF-8 cannot be a JSON string; they are
 * kept exactly as {"b64":"..."}, an object, which no string of the schema can be taken for.
 */
#include "trace/span_quote_priv.h"

#include "base/base64.h"
#include "base/str.h"

#include <string.h>

/** Escape one byte below 0x20, a quote or a backslash. */
static void put_escaped(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char *const names[0x20] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r",
	};

	if (c >= 0x20) {
		const char pair[2] = {'\\', (char)c};

		buf_add(out, pair, sizeof(pair));
	} else if (names[c]) {
		buf_add(out, names[c], 2);
	} else {
		const char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

		buf_add(out, code, sizeof(code));
	}
}

static void put_base64(struct buf *out, const char *text, size_t len)
{
	AUTO(mem_free) char *encoded = base64_encode(text, len);

	if (!encoded) {
		out->failed = true;
		return;
	}
	buf_adds(out, "{\"b64\":\"");
	buf_adds(out, encoded);
	buf_adds(out, "\"}");
}

void span_quote_text(struct buf *out, const char *text)
{
	if (!text) {
		buf_adds(out, "null");
		return;
	}

	size_t len = strlen(text);

	if (!str_is_utf8(text, len)) {
		put_base64(out, text, len);
		return;
	}
	buf_addc(out, '"');

	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, text + run, i - run);
		put_escaped(out, c);
		run = i + 1;
	}
	buf_add(out, text + run, len - run);
	buf_addc(out, '"');
}

void span_quote_key(struct buf *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	buf_addc(out, '"');
	buf_adds(out, key);
	buf_adds(out, "\":");
}

void span_quote_member(struct buf *out, const char *key, const char *text)
{
	if (!text)
		return;
	span_quote_key(out, key);
	span_quote_text(out, text);
}

void span_quote_number(struct buf *out, const char *key, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	span_quote_key(out, key);
	buf_add(out, digits + at, sizeof(digits) - at);
}

void span_quote_list(struct buf *out, const char *key, char *const *items)
{
	if (!items)
		return;
	span_quote_key(out, key);
	buf_addc(out, '[');
	for (size_t i = 0; items[i]; i++) {
		if (i)
			buf_addc(out, ',');
		span_quote_text(out, items[i]);
	}
	buf_addc(out, ']');
}

// SPDX-License-Identifier: Apache-2.0
/** Text: comparing, formatting, numbers, UTF-8, and what may be shown on a terminal. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t len = strlen(text);
	size_t want = strlen(suffix);

	return len >= want && memcmp(text + len - want, suffix, want) == 0;
}

bool str_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

char *str_format(const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

int str_to_long(const char *text, long min, long max, long *ret)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t len = strlen(digits);

	if (len == 0 || strspn(digits, "0123456789") != len)
		return -EINVAL;

	int saved = errno;

	errno = 0;
	long value = strtol(text, NULL, 10);
	int r = errno ? -ERANGE : 0;

	errno = saved;
	if (r < 0 || value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

/** What the first byte of a UTF-8 sequence says: bytes, and the bounds of the second one. */
struct lead {
	uint8_t first, last; /**< The first bytes this row is about. */
	uint8_t len;
	uint8_t low, high; /**< Narrower than 80..bf where longer forms and surrogates would be. */
};

static const struct lead leads[] = {
	{0x01, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/** The length of the sequence that starts at `text` (len > 0), or 0 when it is not well-formed. */
static size_t sequence_len(const uint8_t *text, size_t len)
{
	const struct lead *lead = NULL;

	for (size_t i = 0; i < ARRAY_LEN(leads) && !lead; i++) {
		if (text[0] >= leads[i].first && text[0] <= leads[i].last)
			lead = &leads[i];
	}
	if (!lead || lead->len > len)
		return 0;
	if (lead->len > 1 && (text[1] < lead->low || text[1] > lead->high))
		return 0;
	for (size_t i = 2; i < lead->len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return lead->len;
}

bool str_is_utf8(const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;

	while (len > 0) {
		size_t n = sequence_len(at, len);

		if (n == 0)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

/** The code point of a well-formed sequence. */
static uint32_t code_point(const uint8_t *text, size_t n)
{
	uint32_t code = n == 1 ? text[0] : text[0] & (0xffU >> (n + 1));

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (text[i] & 0x3fU);
	return code;
}

/** True for code points that steer a terminal or hide and reorder the text around them. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

/** One unit of output: a visible sequence as it is, anything else as \xNN.  Returns its input. */
static size_t escape_unit(const uint8_t *text, size_t len, char out[static 5], size_t *ret_len)
{
	size_t n = sequence_len(text, len);

	if (n > 0 && !is_control(code_point(text, n))) {
		memcpy(out, text, n);
		*ret_len = n;
		return n;
	}
	*ret_len = (size_t)snprintf(out, 5, "\\x%02x", text[0]);
	return 1;
}

size_t str_escape_into(const char *text, size_t len, size_t max, char *ret)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t dots = max < 3 ? max : 3;
	size_t used = 0;
	size_t keep = 0; // what is left when the dots must fit too

	while (len > 0) {
		char unit[5];
		size_t unit_len;
		size_t n = escape_unit(at, len, unit, &unit_len);

		if (unit_len > max - used) {
			memcpy(ret + keep, "...", dots);
			used = keep + dots;
			break;
		}
		memcpy(ret + used, unit, unit_len);
		used += unit_len;
		if (used <= max - dots)
			keep = used;
		at += n;
		len -= n;
	}
	ret[used] = '\0';
	return used;
}

char *str_escape(const char *text, size_t len, size_t max)
{
	size_t size;

	// Four bytes of output at most for each one of input.
	if (__builtin_mul_overflow(len, (size_t)4, &size) || size > max)
		size = max;
	if (size == SIZE_MAX)
		return NULL;

	char *out = malloc(size + 1);

	if (out)
		(void)str_escape_into(text, len, size, out);
	return out;
}

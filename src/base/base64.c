// SPDX-License-Identifier: Apache-2.0
/** Base64, strict: one text for each byte string, so unused bits of the last digit are zero. */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Write the four digits of up to three bytes. */
static void encode_group(const uint8_t *in, size_t n, char *out)
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (n > 1)
		bits |= (uint32_t)in[1] << 8;
	if (n > 2)
		bits |= in[2];
	out[0] = digits[bits >> 18];
	out[1] = digits[bits >> 12 & 63];
	out[2] = '=';
	out[3] = '=';
	if (n > 1)
		out[2] = digits[bits >> 6 & 63];
	if (n > 2)
		out[3] = digits[bits & 63];
}

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;

	if (len > SIZE_MAX / 4 * 3 - 4)
		return NULL;

	char *text = malloc((len + 2) / 3 * 4 + 1);
	char *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3, out += 4)
		encode_group(in + i, len - i < 3 ? len - i : 3, out);
	*out = '\0';
	return text;
}

/** The value of a digit, or -1. */
static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/** Read `n` digits (2 to 4) into n - 1 bytes.  Returns 0 or -1. */
static int decode_group(const char *text, size_t n, char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		int value = digit_value(text[i]);

		if (value < 0)
			return -1;
		bits |= (uint32_t)value << (18 - 6 * i);
	}
	// The bits below the last whole byte carry nothing.
	if (bits & ((1U << (8 * (4 - n))) - 1))
		return -1;
	for (size_t i = 0; i + 1 < n; i++)
		out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	return 0;
}

int base64_decode(const char *text, size_t len, char **ret, size_t *ret_len)
{
	size_t pad = 0;

	if (len % 4 != 0)
		return -EINVAL;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;

	size_t size = len / 4 * 3 - pad;
	char *data = malloc(size + 1);

	if (!data)
		return -ENOMEM;
	for (size_t i = 0, o = 0; i < len; i += 4, o += 3) {
		size_t n = i + 4 == len ? 4 - pad : 4;

		if (decode_group(text + i, n, data + o) < 0) {
			free(data);
			return -EINVAL;
		}
	}
	data[size] = '\0';
	*ret = data;
	*ret_len = size;
	return 0;
}

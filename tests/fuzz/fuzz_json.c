// SPDX-License-Identifier: Apache-2.0
/** The JSON reader: bounded text, then an object by a table; what was read prints and reads again.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "json/decode.h"
#include "json/encode.h"

#define TEXT_MAX 65536U

struct thing {
	char *text;
	bool flag;
	int64_t number;
	json_t *object, *array;
	struct strv list, map;
};

static const struct decode_field fields[] = {
	{.name = "text",
	 .kind = DECODE_STRING,
	 .required = true,
	 .offset = offsetof(struct thing, text)},
	{.name = "flag", .kind = DECODE_BOOL, .offset = offsetof(struct thing, flag)},
	{.name = "number",
	 .kind = DECODE_INT,
	 .min = -5,
	 .max = 1000,
	 .offset = offsetof(struct thing, number)},
	{.name = "object", .kind = DECODE_OBJECT, .offset = offsetof(struct thing, object)},
	{.name = "array", .kind = DECODE_ARRAY, .offset = offsetof(struct thing, array)},
	{.name = "list", .kind = DECODE_STRING_ARRAY, .offset = offsetof(struct thing, list)},
	{.name = "map", .kind = DECODE_STRING_MAP, .offset = offsetof(struct thing, map)},
};

/** An error's text must be fit to be shown. */
static void check_error(int r, const struct error *err)
{
	if (err->code != -r || err->msg[0] == '\0')
		abort();
	for (const char *at = err->msg; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			abort();
	}
}

static void check_table(json_t *value)
{
	struct thing thing = {0};
	struct error err = {0};
	int r = decode_object(value, fields, ARRAY_LEN(fields), &thing, &err);

	if (r < 0) {
		check_error(r, &err);
		if (thing.text || thing.object || thing.array || thing.list.items ||
		    thing.map.items)
			abort();
		return;
	}
	if (!thing.text || thing.number < -5 || thing.number > 1000)
		abort();
	decode_done(fields, ARRAY_LEN(fields), &thing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(value_free) json_t *value = NULL;
	AUTO(value_free) json_t *again = NULL;
	AUTO(buf_done) struct buf buf = {0};
	struct error err = {0};
	int r = decode_text((const char *)data, size, TEXT_MAX, &value, &err);

	if ((r == 0) != (value != NULL))
		abort();
	if (r < 0) {
		check_error(r, &err);
		return 0;
	}
	check_table(value);
	encode_print(value, &buf);
	if (buf.failed || decode_text(buf.data, buf.len, buf.len, &again, &err) < 0 ||
	    !json_equal(value, again))
		abort();
	return 0;
}

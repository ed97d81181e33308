// SPDX-License-Identifier: Apache-2.0
/** Making JSON. */
#include "json/encode.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/str.h"

json_t *encode_bytes(const char *data, size_t len)
{
	if (str_is_utf8(data, len))
		return json_stringn_nocheck(data, len);

	AUTO(mem_free) char *text = base64_encode(data, len);
	json_t *object = text ? json_object() : NULL;

	if (object && json_object_set_new(object, "b64", json_string_nocheck(text)) < 0)
		object = value_free(object);
	return object;
}

json_t *encode_string(const char *text)
{
	return text ? encode_bytes(text, strlen(text)) : json_null();
}

json_t *encode_strings(const struct strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->count; i++) {
		if (json_array_append_new(array, encode_string(list->items[i])) < 0)
			array = value_free(array);
	}
	return array;
}

static int append(const char *data, size_t len, void *buf)
{
	buf_add(buf, data, len);
	return ((struct buf *)buf)->failed ? -1 : 0;
}

void encode_print(const json_t *value, struct buf *buf)
{
	if (json_dump_callback(value, append, buf, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		buf->failed = true;
}

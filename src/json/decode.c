// SPDX-License-Identifier: Apache-2.0
/** Objects to structs: one row for each kind of field says how to read, free and empty it. */
#include "json/decode.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <errno.h>

#define NAME_SHOWN_MAX 60

/** Copy a string's bytes, which must not hold a NUL. */
static int copy_bytes(const char *data, size_t len, char **ret, struct error *err)
{
	if (memchr(data, '\0', len))
		return error_set(err, EINVAL, "has a NUL in it");

	char *copy = strndup(data, len);

	if (!copy)
		return error_oom(err);
	*ret = copy;
	return 0;
}

int decode_string(const json_t *value, char **ret, struct error *err)
{
	if (json_is_string(value))
		return copy_bytes(json_string_value(value), json_string_length(value), ret, err);

	const json_t *text = json_object_get(value, "b64");
	AUTO(mem_free) char *data = NULL;
	size_t len = 0;

	if (json_object_size(value) != 1 || !json_is_string(text))
		return error_set(err, EINVAL, "expected a string");

	int r = base64_decode(json_string_value(text), json_string_length(text), &data, &len);

	if (r == -ENOMEM)
		return error_oom(err);
	if (r < 0)
		return error_set(err, EINVAL, "'b64' is not base64");
	return copy_bytes(data, len, ret, err);
}

int decode_strings(const json_t *value, struct strv *ret, struct error *err)
{
	AUTO(strv_done) struct strv list = {0};

	if (!json_is_array(value))
		return error_set(err, EINVAL, "expected an array of strings");
	for (size_t i = 0; i < json_array_size(value); i++) {
		char *item = NULL;
		int r = decode_string(json_array_get(value, i), &item, err);

		if (r < 0)
			return error_wrap(err, r, "item %zu", i + 1);
		if (strv_take(&list, item) < 0)
			return error_oom(err);
	}
	*ret = list;
	list = (struct strv){0};
	return 0;
}

/** Read one member of a string map as "name=value". */
static int read_pair(const char *name, const json_t *value, char **ret, struct error *err)
{
	AUTO(mem_free) char *text = NULL;
	char shown[NAME_SHOWN_MAX + 1];

	(void)str_escape_into(name, strlen(name), NAME_SHOWN_MAX, shown);
	if (name[0] == '\0' || strchr(name, '='))
		return error_set(err, EINVAL, "'%s' is not a name", shown);

	int r = decode_string(value, &text, err);

	if (r < 0)
		return error_wrap(err, r, "'%s'", shown);
	*ret = str_format("%s=%s", name, text);
	return *ret ? 0 : error_oom(err);
}

static int read_map(json_t *value, struct strv *ret, struct error *err)
{
	AUTO(strv_done) struct strv list = {0};

	if (!json_is_object(value))
		return error_set(err, EINVAL, "expected an object of strings");
	for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at)) {
		char *pair = NULL;
		int r = read_pair(json_object_iter_key(at), json_object_iter_value(at), &pair, err);

		if (r < 0)
			return r;
		if (strv_take(&list, pair) < 0)
			return error_oom(err);
	}
	*ret = list;
	list = (struct strv){0};
	return 0;
}

static int read_string_field(json_t *value, const struct decode_field *field, void *slot,
			     struct error *err)
{
	(void)field;
	return decode_string(value, slot, err);
}

static int read_bool_field(json_t *value, const struct decode_field *field, void *slot,
			   struct error *err)
{
	(void)field;
	if (!json_is_boolean(value))
		return error_set(err, EINVAL, "expected true or false");
	*(bool *)slot = json_is_true(value);
	return 0;
}

static int read_int_field(json_t *value, const struct decode_field *field, void *slot,
			  struct error *err)
{
	int64_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return error_set(err, EINVAL, "expected an integer");
	if ((field->min != 0 || field->max != 0) && (number < field->min || number > field->max))
		return error_set(err, EINVAL, "%lld is not between %lld and %lld",
				 (long long)number, (long long)field->min, (long long)field->max);
	*(int64_t *)slot = number;
	return 0;
}

static int read_container_field(json_t *value, const struct decode_field *field, void *slot,
				struct error *err)
{
	json_type wanted = field->kind == DECODE_OBJECT ? JSON_OBJECT : JSON_ARRAY;

	if (json_typeof(value) != wanted)
		return error_set(err, EINVAL, "expected an %s",
				 wanted == JSON_OBJECT ? "object" : "array");
	*(json_t **)slot = json_incref(value);
	return 0;
}

static int read_list_field(json_t *value, const struct decode_field *field, void *slot,
			   struct error *err)
{
	return field->kind == DECODE_STRING_MAP ? read_map(value, slot, err)
						: decode_strings(value, slot, err);
}

static void free_string(void *slot)
{
	mem_freep(slot);
	*(char **)slot = NULL;
}

static void free_value(void *slot)
{
	value_freep(slot);
}

static void free_list(void *slot)
{
	strv_done(slot);
}

static const struct {
	int (*read)(json_t *value, const struct decode_field *field, void *slot, struct error *err);
	void (*free)(void *slot); /**< NULL: owns nothing. */
} kinds[] = {
	[DECODE_STRING] = {read_string_field, free_string},
	[DECODE_BOOL] = {read_bool_field, NULL},
	[DECODE_INT] = {read_int_field, NULL},
	[DECODE_OBJECT] = {read_container_field, free_value},
	[DECODE_ARRAY] = {read_container_field, free_value},
	[DECODE_STRING_ARRAY] = {read_list_field, free_list},
	[DECODE_STRING_MAP] = {read_list_field, free_list},
};

/** Refuse a member that no field names. */
static int check_names(json_t *object, const struct decode_field *fields, size_t nfields,
		       struct error *err)
{
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);
		char shown[NAME_SHOWN_MAX + 1];
		size_t i = 0;

		while (i < nfields && strcmp(fields[i].name, name) != 0)
			i++;
		if (i < nfields)
			continue;

		AUTO(buf_done) struct buf allowed = {0};

		for (i = 0; i < nfields; i++)
			buf_addf(&allowed, "%s%s", i ? ", " : "", fields[i].name);
		(void)str_escape_into(name, strlen(name), NAME_SHOWN_MAX, shown);
		return error_set(err, EINVAL, "unknown field '%s'; allowed: %s", shown,
				 allowed.data ? allowed.data : "none");
	}
	return 0;
}

/** Read one field when it is there. */
static int read_field(json_t *object, const struct decode_field *field, void *out,
		      struct error *err)
{
	json_t *value = json_object_get(object, field->name);

	if (!value && field->required)
		return error_set(err, EINVAL, "field '%s' is missing", field->name);
	if (!value || (json_is_null(value) && !field->required))
		return 0;

	int r = kinds[field->kind].read(value, field, (char *)out + field->offset, err);

	return r < 0 ? error_wrap(err, r, "field '%s'", field->name) : 0;
}

int decode_object(json_t *object, const struct decode_field *fields, size_t nfields, void *out,
		  struct error *err)
{
	if (!json_is_object(object))
		return error_set(err, EINVAL, "expected an object");

	int r = check_names(object, fields, nfields, err);

	for (size_t i = 0; r == 0 && i < nfields; i++)
		r = read_field(object, &fields[i], out, err);
	if (r < 0)
		decode_done(fields, nfields, out);
	return r;
}

void decode_done(const struct decode_field *fields, size_t nfields, void *out)
{
	for (size_t i = 0; i < nfields; i++) {
		if (kinds[fields[i].kind].free)
			kinds[fields[i].kind].free((char *)out + fields[i].offset);
	}
}

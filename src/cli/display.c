// SPDX-License-Identifier: Apache-2.0
/** By the type of the value. */
#include "cli/display.h"

#include "base/buf.h"
#include "base/str.h"
#include "json/decode.h"

#include "base/error.h"

/** Characters that no shell treats in a special way. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "%+,-./:=@_";

/** Append a word as it could be typed. */
static void add_word(struct buf *out, const char *word)
{
	if (*word && word[strspn(word, plain)] == '\0') {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *word);
	}
	buf_addc(out, '\'');
}

/** A string or {"b64"}, or what stands for anything else.  Not escaped yet. */
static char *raw_text(const json_t *value)
{
	struct error ignored = {0};
	char *text = NULL;

	if (json_is_integer(value))
		return str_format("%lld", (long long)json_integer_value(value));
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (decode_string(value, &text, &ignored) < 0)
		return strdup("-");
	return text;
}

static char *raw_words(const json_t *list)
{
	AUTO(buf_done) struct buf words = {0};
	const json_t *word;
	size_t i;

	json_array_foreach (list, i, word) {
		AUTO(mem_free) char *text = raw_text(word);

		if (!text)
			return NULL;
		if (i > 0)
			buf_addc(&words, ' ');
		add_word(&words, text);
	}
	return buf_take(&words);
}

char *display_value(const json_t *value, size_t max)
{
	AUTO(mem_free) char *text = json_is_array(value) ? raw_words(value) : raw_text(value);

	return text ? str_escape(text, strlen(text), max) : NULL;
}

char *display_command(const json_t *object, size_t max)
{
	const json_t *cmd = json_object_get(object, "cmd");

	if (!cmd || json_is_null(cmd))
		cmd = json_object_get(object, "argv");
	return display_value(cmd, max);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The option parser.
 *
 * How it works: argv is read once from left to right; operands are written back to its front, so
 * the place to write to is never ahead of the place to read from.
 */
#include "cli/option.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/suggest.h"

#include <errno.h>
#include <fcntl.h>

#define FD_MAX 1048576
#define COUNT_MAX 1000000
#define SECONDS_MAX 31536000 /* a year */
#define HELP_COLUMN 26

/** State of one parse. */
struct parse {
	const struct option_spec *specs;
	struct settings *settings;
	char **argv;
	int next;     /**< The argument to read next. */
	int operands; /**< Operands so far. */
	bool ended;   /**< No more options. */
};

static void *field_of(struct settings *settings, const struct option_spec *spec)
{
	return (char *)settings + spec->field;
}

static int set_flag(const struct option_spec *spec, void *field, const char *text,
		    struct error *err)
{
	(void)spec;
	(void)text;
	(void)err;
	*(bool *)field = true;
	return 0;
}

static int set_text(const struct option_spec *spec, void *field, const char *text,
		    struct error *err)
{
	(void)spec;
	(void)err;
	*(const char **)field = text;
	return 0;
}

static int set_list(const struct option_spec *spec, void *field, const char *text,
		    struct error *err)
{
	(void)spec;
	return settings_add(field, text) < 0 ? error_oom(err) : 0;
}

static int set_count(const struct option_spec *spec, void *field, const char *text,
		     struct error *err)
{
	long count = 0;

	if (str_to_long(text, 1, COUNT_MAX, &count) < 0)
		return error_set(err, EINVAL, "option --%s: '%s' is not a number from 1 to %d",
				 spec->name, text, COUNT_MAX);
	*(uint64_t *)field = (uint64_t)count;
	return 0;
}

/** Milliseconds of "12", "1.5" or ".25"; digits after the third are rounded up. */
static int parse_seconds(const char *text, uint64_t *ret_ms)
{
	uint64_t ms = 0, scale = 1000;
	const char *digits = text;
	bool fraction = false, rest = false;

	for (; *text; text++) {
		if (*text == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (*text < '0' || *text > '9' || ms > SECONDS_MAX * 1000ULL)
			return -EINVAL;
		uint64_t digit = (uint64_t)(*text - '0');
		scale = fraction ? scale / 10 : scale;
		ms = fraction ? ms + digit * scale : ms * 10 + digit * 1000;
		rest = rest || (scale == 0 && digit != 0);
	}
	ms += rest;
	if (*digits == '\0' || ms == 0 || ms > SECONDS_MAX * 1000ULL)
		return -EINVAL;
	*ret_ms = ms;
	return 0;
}

static int set_seconds(const struct option_spec *spec, void *field, const char *text,
		       struct error *err)
{
	if (parse_seconds(text, field) < 0)
		return error_set(err, EINVAL,
				 "option --%s: '%s' is not a number of seconds above 0", spec->name,
				 text);
	return 0;
}

static int set_fd(const struct option_spec *spec, void *field, const char *text, struct error *err)
{
	long fd = -1;

	if (str_to_long(text, 0, FD_MAX, &fd) < 0)
		return error_set(err, EINVAL, "option --%s: '%s' is not a descriptor number",
				 spec->name, text);

	int flags = fcntl((int)fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return error_set(err, EINVAL, "option --%s: descriptor %ld is not open for writing",
				 spec->name, fd);
	*(int *)field = (int)fd;
	return 0;
}

static int refuse_later(const struct option_spec *spec, void *field, const char *text,
			struct error *err)
{
	(void)field;
	(void)text;
	return error_set(err, EINVAL, "option --%s is not available yet", spec->name);
}

/** What each kind does; `text` is NULL for kinds without a value. */
static const struct {
	int (*set)(const struct option_spec *spec, void *field, const char *text,
		   struct error *err);
	bool has_value;
} kinds[] = {
	[OPTION_FLAG] = {set_flag, false},      [OPTION_TEXT] = {set_text, true},
	[OPTION_FINAL] = {set_text, true},      [OPTION_LIST] = {set_list, true},
	[OPTION_SECONDS] = {set_seconds, true}, [OPTION_COUNT] = {set_count, true},
	[OPTION_FD] = {set_fd, true},           [OPTION_LATER] = {refuse_later, false},
};

/** Store the option; `inline_value` is what stood in the same argument, or NULL. */
static int apply(struct parse *parse, const struct option_spec *spec, const char *inline_value,
		 struct error *err)
{
	const char *value = inline_value;

	if (kinds[spec->kind].has_value && !value) {
		value = parse->argv[parse->next];
		if (!value)
			return error_set(err, EINVAL, "option --%s needs a value: %s", spec->name,
					 spec->value);
		parse->next++;
	}
	if (spec->kind == OPTION_FLAG && value)
		return error_set(err, EINVAL, "option --%s takes no value", spec->name);
	if (spec->kind == OPTION_FINAL)
		parse->ended = true;
	return kinds[spec->kind].set(spec, field_of(parse->settings, spec), value, err);
}

static int unknown_option(const struct parse *parse, const char *name, size_t len,
			  struct error *err)
{
	struct suggest best = {0};
	char typed[SUGGEST_NAME_MAX + 1] = "";

	if (len < sizeof(typed)) {
		memcpy(typed, name, len);
		for (const struct option_spec *s = parse->specs; s->name; s++) {
			if (s->kind != OPTION_LATER)
				suggest_consider(&best, typed, s->name);
		}
	}
	if (!best.name)
		return error_set(err, EINVAL, "unknown option '--%.*s'", (int)(len > 64 ? 64 : len),
				 name);
	return error_set(err, EINVAL, "unknown option '--%s'; did you mean '--%s'?", typed,
			 best.name);
}

static int parse_long(struct parse *parse, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);

	for (const struct option_spec *spec = parse->specs; spec->name; spec++) {
		if (strlen(spec->name) == len && memcmp(spec->name, text, len) == 0)
			return apply(parse, spec, equals ? equals + 1 : NULL, err);
	}
	return unknown_option(parse, text, len, err);
}

/** "-x", "-xVALUE" or several flags in one argument. */
static int parse_short(struct parse *parse, const char *text, struct error *err)
{
	for (; *text; text++) {
		const struct option_spec *spec = parse->specs;

		while (spec->name && spec->letter != *text)
			spec++;
		if (!spec->name)
			return error_set(err, EINVAL, "unknown option '-%c'", *text);

		bool whole = kinds[spec->kind].has_value;
		int r = apply(parse, spec, whole && text[1] ? text + 1 : NULL, err);
		if (r < 0 || whole)
			return r;
	}
	return 0;
}

static int parse_argument(struct parse *parse, char *text, bool first, struct error *err)
{
	if (parse->ended || text[0] != '-' || text[1] == '\0') {
		parse->argv[parse->operands++] = text;
		parse->ended = parse->ended || first;
		return 0;
	}
	if (text[1] != '-')
		return parse_short(parse, text + 1, err);
	if (text[2] != '\0')
		return parse_long(parse, text + 2, err);
	parse->ended = true;
	return 0;
}

int option_parse(const struct option_spec *specs, struct settings *settings, bool first,
		 char **argv, int *ret_operands, struct error *err)
{
	struct parse parse = {.specs = specs, .settings = settings, .argv = argv};

	while (argv[parse.next]) {
		int r = parse_argument(&parse, argv[parse.next++], first, err);

		if (r < 0)
			return r;
	}
	argv[parse.operands] = NULL;
	*ret_operands = parse.operands;
	return 0;
}

void option_help(const struct option_spec *specs, struct buf *out)
{
	for (const struct option_spec *spec = specs; spec->name; spec++) {
		size_t start = out->len;

		if (spec->kind == OPTION_LATER)
			continue;
		if (spec->letter)
			buf_addf(out, "  -%c, ", spec->letter);
		else
			buf_adds(out, "      ");
		buf_addf(out, "--%s%s%s", spec->name, spec->value ? " " : "",
			 spec->value ? spec->value : "");
		do
			buf_addc(out, ' ');
		while (!out->failed && out->len - start < HELP_COLUMN);
		buf_addf(out, "%s\n", spec->help);
	}
}

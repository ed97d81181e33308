// SPDX-License-Identifier: Apache-2.0
/**
 * Putting git's configuration back.
 *
 * An entry that is not harmless is guarded.  The guarded entries of a file, in their order, must
 * be the same before and after: git lets the last of two equal keys win, and includes take
 * effect where they stand.
 */
#include "base/error.h"
#include "git/gitconfig_priv.h"

#include <errno.h>
#include <string.h>

/** The next guarded entry at or after *at, which moves behind it; NULL: no more. */
static const struct gitconfig_entry *next_guarded(const struct gitconfig *config, size_t *at)
{
	while (*at < config->count) {
		const struct gitconfig_entry *entry = &config->entries[(*at)++];

		if (!gitconfig_entry_is_harmless(entry))
			return entry;
	}
	return NULL;
}

/** The same, for one name only. */
static const struct gitconfig_entry *next_named(const struct gitconfig *config, size_t *at,
						const char *name)
{
	const struct gitconfig_entry *entry = next_guarded(config, at);

	while (entry && strcmp(entry->name, name) != 0)
		entry = next_guarded(config, at);
	return entry;
}

static bool same_values(const struct gitconfig *a, const struct gitconfig *b, const char *name)
{
	const struct gitconfig_entry *x, *y;
	size_t i = 0, j = 0;

	do {
		x = next_named(a, &i, name);
		y = next_named(b, &j, name);
		if (!x != !y || (x && !str_same(x->value, y->value)))
			return false;
	} while (x);
	return true;
}

static bool same_order(const struct gitconfig *a, const struct gitconfig *b)
{
	const struct gitconfig_entry *x, *y;
	size_t i = 0, j = 0;

	do {
		x = next_guarded(a, &i);
		y = next_guarded(b, &j);
		if (!x != !y)
			return false;
		if (x && (strcmp(x->name, y->name) != 0 || !str_same(x->value, y->value)))
			return false;
	} while (x);
	return true;
}

/** Add the names of guarded entries of `one` whose values in `other` differ. */
static int add_changed(const struct gitconfig *one, const struct gitconfig *other,
		       struct strv *names)
{
	const struct gitconfig_entry *entry;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (entry = next_guarded(one, &at))) {
		if (!strv_has(names, entry->name) && !same_values(one, other, entry->name))
			r = strv_add(names, entry->name);
	}
	return r;
}

static void add_entries(struct gitconfig_text *text, const struct gitconfig *config, bool harmless)
{
	for (size_t i = 0; i < config->count; i++) {
		if (gitconfig_entry_is_harmless(&config->entries[i]) == harmless)
			gitconfig_text_add(text, &config->entries[i]);
	}
}

/** Guarded entries as before, harmless ones as after. */
static int mix(const struct gitconfig *before, const struct gitconfig *after, struct buf *ret_text,
	       struct strv *ret_changed, struct error *err)
{
	struct gitconfig_text text = {.out = ret_text};

	if (add_changed(before, after, ret_changed) < 0 ||
	    add_changed(after, before, ret_changed) < 0)
		return error_oom(err);
	if (ret_changed->count == 0 && strv_add(ret_changed, "(order)") < 0)
		return error_oom(err);
	add_entries(&text, before, false);
	add_entries(&text, after, true);
	return ret_text->failed ? error_oom(err) : 0;
}

// NOLINTNEXTLINE(readability-function-size): two texts, each with its length.
int gitconfig_restore(const char *before, size_t before_len, const char *after, size_t after_len,
		      struct buf *ret_text, struct strv *ret_changed, struct error *err)
{
	AUTO(gitconfig_done) struct gitconfig old = {0};
	AUTO(gitconfig_done) struct gitconfig new = {0};
	struct error ignored = {0};

	if (before_len == after_len && (before_len == 0 || !memcmp(before, after, before_len)))
		return 0;

	int r = gitconfig_parse(before, before_len, &old, &ignored);

	if (r == 0)
		r = gitconfig_parse(after, after_len, &new, &ignored);
	if (r == -ENOMEM)
		return error_oom(err);
	if (r < 0) {
		buf_add(ret_text, before, before_len);
		r = strv_add(ret_changed, "(syntax)");
		return r < 0 || ret_text->failed ? error_oom(err) : 0;
	}
	return same_order(&old, &new) ? 0 : mix(&old, &new, ret_text, ret_changed, err);
}

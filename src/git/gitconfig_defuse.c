// SPDX-License-Identifier: Apache-2.0
/** Configuration of a repository that a world made: all of it but what runs programs. */
#include "base/error.h"
#include "git/gitconfig_priv.h"

#include <errno.h>

int gitconfig_defuse(const char *after, size_t after_len, struct buf *ret_text,
		     struct strv *ret_removed, struct error *err)
{
	AUTO(gitconfig_done) struct gitconfig config = {0};
	struct error ignored = {0};
	AUTO(buf_done) struct buf out = {0};
	struct gitconfig_text text = {.out = &out};
	size_t removed = 0;

	// What does not parse is of no use to git either; an empty file is safe whoever reads it.
	if (gitconfig_parse(after, after_len, &config, &ignored) < 0) {
		if (ignored.code != EINVAL)
			return error_oom(err);
		return strv_add(ret_removed, "(syntax)") < 0 ? error_oom(err) : 0;
	}
	for (size_t i = 0; i < config.count; i++) {
		const struct gitconfig_entry *entry = &config.entries[i];

		if (!gitconfig_value_runs(entry)) {
			gitconfig_text_add(&text, entry);
			continue;
		}
		removed++;
		if (!strv_has(ret_removed, entry->name) && strv_add(ret_removed, entry->name) < 0)
			return error_oom(err);
	}
	if (removed > 0)
		buf_add(ret_text, out.data, out.len);
	return out.failed || ret_text->failed ? error_oom(err) : 0;
}

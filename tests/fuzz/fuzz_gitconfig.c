// SPDX-License-Identifier: Apache-2.0
/**
 * Input: two configurations, the first one ends at the first 0xff.  What restore() writes must
 * parse, restore() must be content with it, and after defuse() nothing is left to defuse.
 */
#include "base/buf.h"
#include "base/error.h"
#include "git/gitconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parse(const char *text, size_t len)
{
	AUTO(gitconfig_done) struct gitconfig config = {0};
	struct error err = {0};
	int r = gitconfig_parse(text, len, &config, &err);

	if ((r < 0 && (err.code != -r || config.entries)) || r > 0)
		abort();
}

static void check_restore(const char *before, size_t before_len, const char *after, size_t len)
{
	AUTO(buf_done) struct buf text = {0};
	AUTO(buf_done) struct buf again = {0};
	AUTO(strv_done) struct strv changed = {0};
	AUTO(strv_done) struct strv none = {0};
	struct error err = {0};

	if (gitconfig_restore(before, before_len, after, len, &text, &changed, &err) < 0)
		abort();
	if (changed.count == 0 && text.len > 0)
		abort();
	if (changed.count == 0)
		return;
	if (gitconfig_restore(before, before_len, text.data, text.len, &again, &none, &err) < 0)
		abort();
	if (none.count > 0)
		abort();
}

static void check_defuse(const char *after, size_t len)
{
	AUTO(buf_done) struct buf text = {0};
	AUTO(buf_done) struct buf again = {0};
	AUTO(strv_done) struct strv removed = {0};
	AUTO(strv_done) struct strv none = {0};
	struct error err = {0};

	if (gitconfig_defuse(after, len, &text, &removed, &err) < 0)
		abort();
	if (removed.count == 0)
		return;
	if (gitconfig_defuse(text.data, text.len, &again, &none, &err) < 0 || none.count > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *mark = size > 0 ? memchr(text, 0xff, size) : NULL;
	size_t first = mark ? (size_t)(mark - text) : size;
	const char *after = mark ? mark + 1 : text + size;
	size_t len = size - first - (mark ? 1 : 0);

	check_parse(text, first);
	check_restore(text, first, after, len);
	check_defuse(text, first);
	return 0;
}

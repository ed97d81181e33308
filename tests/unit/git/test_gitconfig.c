// SPDX-License-Identifier: Apache-2.0
/** The parser, with the real `git config` as its oracle. */
#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "git/gitconfig.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/** What both know: entries as `git config --list --null` prints them. */
static void print_entries(const struct gitconfig *config, struct buf *ret)
{
	for (size_t i = 0; i < config->count; i++) {
		buf_adds(ret, config->entries[i].name);
		if (config->entries[i].value) {
			buf_addc(ret, '\n');
			buf_adds(ret, config->entries[i].value);
		}
		buf_addc(ret, '\0');
	}
}

/** Ask git.  Returns its exit status. */
static int ask_git(const char *text, size_t len, struct buf *ret)
{
	char path[] = "/tmp/test-gitconfig-XXXXXX";
	char command[128];
	int fd = mkstemp(path);
	int c;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, len), 0);
	(void)close(fd);
	(void)snprintf(command, sizeof(command), "git config --no-includes -f %s -l -z 2>/dev/null",
		       path);

	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	while ((c = getc(pipe)) != EOF)
		buf_addc(ret, (char)c);

	int status = pclose(pipe);

	(void)unlink(path);
	return status;
}

static void check_same(const char *text, size_t len, bool good)
{
	AUTO(gitconfig_done) struct gitconfig config = {0};
	AUTO(buf_done) struct buf ours = {0};
	AUTO(buf_done) struct buf gits = {0};
	struct error err = {0};
	int r = gitconfig_parse(text, len, &config, &err);
	int status = ask_git(text, len, &gits);

	if (r != (good ? 0 : -EINVAL) || (status == 0) != good)
		fail_msg("ours: %d %s, git: %d, text: %.*s", r, err.msg, status, (int)len, text);
	if (!good)
		return;
	print_entries(&config, &ours);
	if (ours.len != gits.len || (ours.len && memcmp(ours.data, gits.data, ours.len) != 0))
		fail_msg("text: %.*s\nours: %.*s\ngit: %.*s", (int)len, text, (int)ours.len,
			 ours.data ? ours.data : "", (int)gits.len, gits.data ? gits.data : "");
}

static void what_git_reads_we_read(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"[core]\n\tbare = false\n",
		"[core]\nbare",
		"[core] bare = true\n[core]x=1",
		"[Core]\nFileMode = TRUE\n",
		"[remote \"Or.I\\\"g\\\\in\"]\nurl = x\n",
		"[remote \"a b\tc\"]\nurl = x\n",
		"[remote   \t \"x\"]\nurl = x\n",
		"[remote.Origin]\nURL = x\n",
		"[a \"\"]\nb = c\n",
		"[a.b.c]\nd = e\n",
		"[a.b \"C\"]\nd = e\n",
		"[a.]\nb=c\n",
		"[x-1]\ny-2 = z\n",
		"[a]\nb = c ; comment\n",
		"[a]\nb = c # comment \\\nd = e\n",
		"[a]\nb = \"c ; d\" e\n",
		"[a]\nb = \"  c  \"  \n",
		"[a]\nb =   c   d  \n",
		"[a]\nb = c\\\n  d\n",
		"[a]\nb = c \\\n  d\n",
		"[a]\nb = \\\n",
		"[a]\nb = c\\",
		"[a]\nb = \\t\\n\\b\\\\\\\"x\n",
		"[a]\nb = \"c\"\"d\"e\n",
		"[a]\nb = \"c\\\nd\"\n",
		"[a]\nb =\n",
		"[a]\nb = \"\"\n",
		"[a]\r\nb = c\r\n",
		"[a]\nb = c\rd\n",
		"[a]\nb = c\r",
		"[a]\nb = \xff\xfe\n",
		"\xef\xbb\xbf[a]\nb = c\n",
		"; only\n# comments",
		"[a] ; x\nb = c\n",
		"[a]b=c\n",
		"[a]\n  b = c\n\n\n  d\n",
		"x = y\n[a]\nb=c\n",
		"[a]\nb == c\n",
		"[a]\nb = [c]\n",
		"[alias]\nx = !sh -c 'echo \"hi\"'\n",
		"[a \"b\\q\"]\nc = d\n",
		"[a \"]\"]\nc = d\n",
		"[a \"b]\\\"\"]\nc = d\n",
		"[a]\nb = c\\\r\n d\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check_same(texts[i], strlen(texts[i]), true);
}

static void what_git_refuses_we_refuse(void **state)
{
	static const char *const texts[] = {
		"[core\n",
		"[core",
		"[co re]\nx = y\n",
		"[core \"x]\ny = z\n",
		"[core \"x\" ]\ny = z\n",
		"[core \"x\\\n\"]\ny = z\n",
		"[core \n\"x\"]\ny = z\n",
		"[core_x]\ny = z\n",
		"[a]\n1b = c\n",
		"[a]\nb c = d\n",
		"[a]\nb_c = d\n",
		"[a]\nb # c\n",
		"[a]\n= c\n",
		"[a]\nb = \"c\n",
		"[a]\nb = \"c",
		"[a]\nb = \\x\n",
		"[a]\nb\r = c\n",
		"[a]\nb.c = d\n",
		"]\n",
		"[a]\n\x01\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check_same(texts[i], strlen(texts[i]), false);
}

/** Texts that nobody thought of: what git takes, and we take too, means the same. */
static void random_texts_mean_the_same(void **state)
{
	static const char *const parts[] = {
		"[",     "]",     "a",     "B",   "\"",   "\\",          "\n",      " ",
		"=",     "#",     ";",     ".",   "\t",   "\r",          "1",       "-",
		"[a]\n", "b = c", "\"x\"", "\\n", "\\\n", "[s \"t\"]\n", "k = v\n",
	};
	unsigned seed = 12345;

	(void)state;
	for (int i = 0; i < 300; i++) {
		AUTO(buf_done) struct buf text = {0};
		AUTO(gitconfig_done) struct gitconfig config = {0};
		AUTO(buf_done) struct buf ours = {0};
		AUTO(buf_done) struct buf gits = {0};
		struct error err = {0};

		for (int j = 0; j < 12; j++) {
			seed = seed * 1103515245u + 12345u;
			buf_adds(&text, parts[(seed >> 16) % ARRAY_LEN(parts)]);
		}

		int r = gitconfig_parse(text.data, text.len, &config, &err);
		int status = ask_git(text.data, text.len, &gits);

		// Only a section without a name is refused by us alone.
		if (r == -EINVAL && status == 0 && strstr(err.msg, "has no name"))
			continue;
		if ((r == 0) != (status == 0))
			fail_msg("ours: %s, git: %d, text: %s", err.msg, status, text.data);
		if (r < 0)
			continue;
		print_entries(&config, &ours);
		assert_int_equal(ours.len, gits.len);
		if (ours.len)
			assert_memory_equal(ours.data, gits.data, ours.len);
	}
}

static void errors_name_the_line(void **state)
{
	static const char text[] = "[a]\nb = c\n\n  d e\n";
	struct gitconfig config = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(gitconfig_parse(text, strlen(text), &config, &err), -EINVAL);
	assert_string_equal(err.msg, "4: there is no = after a key");
	assert_null(config.entries);
}

/** Git accepts these; printed again they would mean something else. */
static void a_section_without_a_name_is_refused(void **state)
{
	static const char *const texts[] = {"[]\na = b\n", "[.a]\nb = c\n", "[ \"a\"]\nb = c\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct gitconfig config = {0};
		struct error err = {0};

		assert_int_equal(gitconfig_parse(texts[i], strlen(texts[i]), &config, &err),
				 -EINVAL);
		assert_string_equal(err.msg, "1: a section has no name");
	}
}

static void limits_hold(void **state)
{
	AUTO(buf_done) struct buf text = {0};
	struct gitconfig config = {0};
	struct error err = {0};

	(void)state;
	buf_adds(&text, "[a]\n");
	for (int i = 0; i < 10001; i++)
		buf_adds(&text, "b\n");
	assert_int_equal(gitconfig_parse(text.data, text.len, &config, &err), -EINVAL);
	while (text.len <= GITCONFIG_SIZE_MAX)
		buf_adds(&text, "# comment, and so on, to make the file a large one\n");
	assert_int_equal(gitconfig_parse(text.data, text.len, &config, &err), -EINVAL);
	assert_int_equal(gitconfig_parse("[a]\nb = \0c\n", 11, &config, &err), -EINVAL);
}

static void harmless_keys_are_told_from_others(void **state)
{
	static const char *const good[] = {
		"branch.main.remote", "branch.a.b.c.merge",   "remote.origin.url", "user.email",
		"remote.x.fetch",     "submodule.a/b.active", "core.bare",         "core.filemode",
	};
	static const char *const bad[] = {
		"core.fsmonitor",
		"core.hookspath",
		"alias.st",
		"include.path",
		"core.worktree",
		"includeif.gitdir:x.path",
		"filter.x.clean",
		"remote.origin.uploadpack",
		"remote.origin.proxy",
		"submodule.x.update",
		"credential.helper",
		"corebare",
		"core.x.filemode",
		"user.name.x",
		"url",
		"",
		"branch.x.mergeoptions",
		"core.sshcommand",
		"extensions.worktreeconfig",
		"url.a.insteadof",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(gitconfig_is_harmless(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(gitconfig_is_harmless(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_git_reads_we_read),
		cmocka_unit_test(what_git_refuses_we_refuse),
		cmocka_unit_test(random_texts_mean_the_same),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(a_section_without_a_name_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(harmless_keys_are_told_from_others),
	};

	return cmocka_run_group_tests_name("git/gitconfig", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** Putting configuration back, and taking the teeth out of it. */
#include "base/buf.h"
#include "base/error.h"
#include "git/gitconfig.h"
#include "unit.h"

static void restore(const char *before, const char *after, const char *text, const char *names)
{
	AUTO(buf_done) struct buf out = {0};
	AUTO(buf_done) struct buf list = {0};
	AUTO(strv_done) struct strv changed = {0};
	struct error err = {0};

	assert_int_equal(gitconfig_restore(before, strlen(before), after, strlen(after), &out,
					   &changed, &err),
			 0);
	for (size_t i = 0; i < changed.count; i++) {
		buf_adds(&list, changed.items[i]);
		buf_addc(&list, ' ');
	}
	assert_string_equal(list.data ? list.data : "", names);
	assert_string_equal(out.data ? out.data : "", text);
}

static void defuse(const char *after, const char *text, const char *names)
{
	AUTO(buf_done) struct buf out = {0};
	AUTO(buf_done) struct buf list = {0};
	AUTO(strv_done) struct strv removed = {0};
	struct error err = {0};

	assert_int_equal(gitconfig_defuse(after, strlen(after), &out, &removed, &err), 0);
	for (size_t i = 0; i < removed.count; i++) {
		buf_adds(&list, removed.items[i]);
		buf_addc(&list, ' ');
	}
	assert_string_equal(list.data ? list.data : "", names);
	assert_string_equal(out.data ? out.data : "", text);
}

static void harmless_changes_stay(void **state)
{
	(void)state;
	restore("", "", "", "");
	restore("[core]\nbare = false\n", "[core]\nbare = false\n", "", "");
	restore("[core]\nbare = false\n",
		"# new\n[core]\nbare = false\n[remote \"o\"]\nurl = https://x/y\n"
		"[branch \"main\"]\nremote = o\nmerge = refs/heads/main\n",
		"", "");
	restore("[alias]\nx = y\n[user]\nname = a\n", "[user]\nname = b\n[alias]\nx = y\n", "", "");
}

static void other_changes_are_put_back(void **state)
{
	(void)state;
	restore("[core]\nbare = false\n", "[core]\nbare = false\nfsmonitor = touch /tmp/x\n",
		"[core]\n\tbare = \"false\"\n", "core.fsmonitor ");
	restore("[alias]\nst = status\n", "[alias]\nst = !evil\n", "[alias]\n\tst = \"status\"\n",
		"alias.st ");
	restore("[alias]\nst = status\n", "", "[alias]\n\tst = \"status\"\n", "alias.st ");
	restore("[alias]\nst\n", "[alias]\nst =\n[user]\nname = \" a\\tb\\\\ \"\n",
		"[alias]\n\tst\n[user]\n\tname = \" a\\tb\\\\ \"\n", "alias.st ");
	restore("", "[include]\npath = x\n[filter \"a\"]\nclean = y\nsmudge = z\n", "",
		"include.path filter.a.clean filter.a.smudge ");
}

static void a_second_equal_key_does_not_slip_through(void **state)
{
	(void)state;
	restore("[core]\neditor = vi\n", "[core]\neditor = vi\n[core]\neditor = evil\n",
		"[core]\n\teditor = \"vi\"\n", "core.editor ");
	restore("[core]\neditor = a\neditor = b\n", "[core]\neditor = b\neditor = a\n",
		"[core]\n\teditor = \"a\"\n\teditor = \"b\"\n", "core.editor ");
}

static void order_of_guarded_keys_matters(void **state)
{
	(void)state;
	restore("[include]\npath = x\n[alias]\nst = a\n", "[alias]\nst = a\n[include]\npath = x\n",
		"[include]\n\tpath = \"x\"\n[alias]\n\tst = \"a\"\n", "(order) ");
}

static void broken_text_is_put_back_whole(void **state)
{
	(void)state;
	restore("[a]\nb = c\n", "[a\n", "[a]\nb = c\n", "(syntax) ");
	restore("[a\n", "[a]\nb = c\n", "[a\n", "(syntax) ");
}

static void an_address_that_names_a_program_is_not_harmless(void **state)
{
	(void)state;
	restore("", "[remote \"o\"]\nurl = ext::sh -c evil\n", "", "remote.o.url ");
	restore("", "[remote \"o\"]\nurl = ext://sh\n", "", "remote.o.url ");
	restore("", "[remote \"o\"]\nurl = --upload-pack=evil\n", "", "remote.o.url ");
	restore("", "[branch \"m\"]\nremote = fd::17\n", "", "branch.m.remote ");
	restore("", "[remote \"o\"]\nurl = git@host:a::b\nurl = ../x\nurl = ssh://h/x\n", "", "");
}

static void odd_names_survive_printing(void **state)
{
	(void)state;
	restore("[a \"x\\\"y\\\\z.w\"]\nb = 1\n", "", "[a \"x\\\"y\\\\z.w\"]\n\tb = \"1\"\n",
		"a.x\"y\\z.w.b ");
	restore("[a \"\"]\nb = 1\nc = #\n[a]\nb = 2\n", "",
		"[a \"\"]\n\tb = \"1\"\n\tc = \"\"\n[a]\n\tb = \"2\"\n", "a..b a..c a.b ");
	restore("x = y\n[a]\nb\n", "", "\tx = \"y\"\n[a]\n\tb\n", "x a.b ");
}

static void what_runs_programs_is_taken_out(void **state)
{
	(void)state;
	defuse("[core]\nbare = false\n[user]\nname = a\n[x]\ny = z\n", "", "");
	defuse("[core]\nbare = false\nfsmonitor = x\nhooksPath = y\n[x]\ny = z\n",
	       "[core]\n\tbare = \"false\"\n[x]\n\ty = \"z\"\n", "core.fsmonitor core.hookspath ");
	defuse("[core]\nworktree = /home/user\n", "", "core.worktree ");
	defuse("[remote \"o\"]\nurl = ext::evil\nfetch = a\n", "[remote \"o\"]\n\tfetch = \"a\"\n",
	       "remote.o.url ");
	defuse("[core\n", "", "(syntax) ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harmless_changes_stay),
		cmocka_unit_test(other_changes_are_put_back),
		cmocka_unit_test(a_second_equal_key_does_not_slip_through),
		cmocka_unit_test(order_of_guarded_keys_matters),
		cmocka_unit_test(broken_text_is_put_back_whole),
		cmocka_unit_test(an_address_that_names_a_program_is_not_harmless),
		cmocka_unit_test(odd_names_survive_printing),
		cmocka_unit_test(what_runs_programs_is_taken_out),
	};

	return cmocka_run_group_tests_name("git/gitconfig_restore", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "unit.h"
#include "world/environ.h"

static void the_allow_list_passes(void **state)
{
	static const char *const good[] = {"PATH", "HOME", "LANG", "LC_ALL", "LC_TIME",
					   "TERM", "TZ",   "CI",   "PWD",    "NO_COLOR"};
	static const char *const bad[] = {
		"AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "SSH_AUTH_SOCK", "PATHX", "", "lc_all",
		"SUBSTRATE_HOME",        "LANGUAGE"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(environ_passes(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(environ_passes(bad[i]));
}

static void names_are_told_from_other_text(void **state)
{
	(void)state;
	assert_true(environ_is_name("A"));
	assert_true(environ_is_name("_a1"));
	assert_false(environ_is_name(""));
	assert_false(environ_is_name("1a"));
	assert_false(environ_is_name("a-b"));
	assert_false(environ_is_name("a b"));
	assert_false(environ_is_name("\xc3\xa4"));
}

static void the_base_comes_from_passwd(void **state)
{
	char home[] = "/home/u", name[] = "u", shell[] = "/bin/zsh";
	struct spec spec = {.user = {.home = home, .name = name, .shell = shell}};
	AUTO(strv_done) struct strv env = {0};

	(void)state;
	assert_int_equal(environ_base(&spec, &env), 0);
	assert_string_equal(strv_env(&env, "HOME"), "/home/u");
	assert_string_equal(strv_env(&env, "USER"), "u");
	assert_string_equal(strv_env(&env, "LOGNAME"), "u");
	assert_string_equal(strv_env(&env, "SHELL"), "/bin/zsh");
	assert_string_equal(strv_env(&env, "LANG"), "C.UTF-8");
	assert_non_null(strstr(strv_env(&env, "PATH"), "/usr/bin"));
	assert_int_equal(env.count, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_allow_list_passes),
		cmocka_unit_test(names_are_told_from_other_text),
		cmocka_unit_test(the_base_comes_from_passwd),
	};

	return cmocka_run_group_tests_name("world/environ", tests, NULL, NULL);
}

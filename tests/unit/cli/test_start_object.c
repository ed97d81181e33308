// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/cli.h"
#include "cli/start_object.h"
#include "unit.h"
#include "json/value.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char *words[] = {(char[]){"make"}, (char[]){"a\xff"}, NULL};

static json_t *build(const struct cli *cli, bool has_stdin)
{
	struct error err = {0};
	json_t *object = NULL;

	assert_int_equal(start_object_new(cli, words, &(struct start_streams){has_stdin, false},
					  &object, &err),
			 0);
	return object;
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void the_list_decides_what_enters(void **state)
{
	static const char *const in[] = {"PATH", "HOME",     "LC_ALL", "LC_TIME", "CI",
					 "TERM", "NO_COLOR", "TZ",     "LANG",    "COLORTERM"};
	static const char *const out[] = {
		"LC_", "LC_a",       "LC_X=",    "AWS_SECRET_ACCESS_KEY", "PATHX",
		"PAT", "LD_PRELOAD", "LANGUAGE", "SSH_AUTH_SOCK",         ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_true(start_object_passes(in[i], strlen(in[i])));
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		assert_false(start_object_passes(out[i], strlen(out[i])));
}

static void of_the_rest_only_names_are_sent(void **state)
{
	char *envp[] = {(char[]){"PATH=/bin"}, (char[]){"TOKEN=verysecret"}, (char[]){"odd"},
			(char[]){"=x"},        (char[]){"LC_ALL=\xff"},      NULL};
	struct cli cli = {.envp = envp};
	AUTO(value_free) json_t *object = build(&cli, true);
	const json_t *env = json_object_get(object, "env");
	const json_t *dropped = json_object_get(object, "env_dropped");
	AUTO(mem_free) char *text = json_dumps(object, 0);

	(void)state;
	assert_int_equal(json_object_size(env), 2);
	assert_string_equal(member(env, "PATH"), "/bin");
	assert_string_equal(member(json_object_get(env, "LC_ALL"), "b64"), "/w==");
	assert_int_equal(json_array_size(dropped), 1);
	assert_string_equal(json_string_value(json_array_get(dropped, 0)), "TOKEN");
	assert_null(strstr(text, "verysecret"));
}

static void the_first_of_two_values_counts_and_explicit_ones_win(void **state)
{
	char *envp[] = {(char[]){"TERM=a"}, (char[]){"TERM=b"}, (char[]){"LANG=c"}, NULL};
	const char *explicit[] = {"LANG=d", "LANG=e", "NEW=x=y", "EMPTY="};
	struct cli cli = {.envp = envp, .settings.env = {explicit, 4}};
	AUTO(value_free) json_t *object = build(&cli, true);
	const json_t *env = json_object_get(object, "env");

	(void)state;
	assert_string_equal(member(env, "TERM"), "a");
	assert_string_equal(member(env, "LANG"), "e");
	assert_string_equal(member(env, "NEW"), "x=y");
	assert_string_equal(member(env, "EMPTY"), "");
}

static void bad_names_are_refused(void **state)
{
	static const char *const bad[] = {"", "A", "=x", "A B=x", "A\n=x", "\xff=x", "A\x7f=x"};
	char *envp[] = {NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *explicit[] = {bad[i]};
		struct cli cli = {.envp = envp, .settings.env = {explicit, 1}};
		struct error err = {0};
		json_t *object = NULL;

		assert_int_equal(start_object_new(&cli, words, &(struct start_streams){true, false},
						  &object, &err),
				 -EINVAL);
		assert_null(object);
	}
}

static void options_become_members(void **state)
{
	char *envp[] = {NULL};
	struct cli cli = {.envp = envp,
			  .settings = {.profile = "p",
				       .agent = "bot",
				       .cwd = "/usr",
				       .ephemeral = true,
				       .timeout_ms = 1500}};
	mode_t mask = umask(027);
	AUTO(value_free) json_t *object = build(&cli, false);
	const json_t *argv = json_object_get(object, "argv");

	(void)state;
	assert_int_equal(umask(mask), 027); // asking for it did not change it
	assert_int_equal(json_integer_value(json_object_get(object, "umask")), 027);
	assert_string_equal(member(object, "profile"), "p");
	assert_string_equal(member(object, "agent_id"), "bot");
	assert_string_equal(member(object, "cwd"), "/usr");
	assert_string_equal(member(object, "stdin"), "none");
	assert_true(json_is_true(json_object_get(object, "ephemeral")));
	assert_int_equal(json_integer_value(json_object_get(object, "timeout_ms")), 1500);
	assert_string_equal(json_string_value(json_array_get(argv, 0)), "make");
	assert_string_equal(member(json_array_get(argv, 1), "b64"), "Yf8=");
}

static void pwd_is_of_no_use_for_another_directory(void **state)
{
	char *envp[] = {(char[]){"PWD=/here"}, NULL};
	struct cli cli = {.envp = envp};
	AUTO(value_free) json_t *same = build(&cli, true);

	(void)state;
	assert_string_equal(member(json_object_get(same, "env"), "PWD"), "/here");

	cli.settings.cwd = "/usr";
	AUTO(value_free) json_t *other = build(&cli, true);
	assert_null(member(json_object_get(other, "env"), "PWD"));
}

static void cwd_is_taken_from_here(void **state)
{
	AUTO(mem_free) char *here = getcwd(NULL, 0);
	AUTO(mem_free) char *cwd = NULL;
	AUTO(mem_free) char *below = NULL;
	AUTO(mem_free) char *absolute = NULL;
	struct error err = {0};
	char *none = NULL;

	(void)state;
	assert_int_equal(start_object_cwd(NULL, &cwd, &err), 0);
	assert_string_equal(cwd, here);
	assert_int_equal(start_object_cwd("sub", &below, &err), 0);
	assert_true(strlen(below) > strlen(here));
	assert_memory_equal(below, here, strlen(here));
	assert_int_equal(start_object_cwd("/usr", &absolute, &err), 0);
	assert_string_equal(absolute, "/usr");
	assert_int_equal(start_object_cwd("", &none, &err), -EINVAL);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_decides_what_enters),
		cmocka_unit_test(of_the_rest_only_names_are_sent),
		cmocka_unit_test(the_first_of_two_values_counts_and_explicit_ones_win),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(options_become_members),
		cmocka_unit_test(pwd_is_of_no_use_for_another_directory),
		cmocka_unit_test(cwd_is_taken_from_here),
	};

	return cmocka_run_group_tests_name("cli/start_object", tests, NULL, NULL);
}

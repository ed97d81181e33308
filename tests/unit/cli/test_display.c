// SPDX-License-Identifier: Apache-2.0
#include "cli/display.h"
#include "unit.h"
#include "json/value.h"

static void assert_shown(const char *json, const char *text)
{
	AUTO(value_free) json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	AUTO(mem_free) char *shown = display_value(value, DISPLAY_MAX);

	assert_non_null(value);
	assert_string_equal(shown, text);
}

static void values_have_a_text(void **state)
{
	AUTO(mem_free) char *missing = display_value(NULL, DISPLAY_MAX);

	(void)state;
	assert_string_equal(missing, "-");
	assert_shown("null", "-");
	assert_shown("true", "yes");
	assert_shown("false", "no");
	assert_shown("-12", "-12");
	assert_shown("\"plain\"", "plain");
	assert_shown("{\"b64\": \"Yf8=\"}", "a\\xff");
	assert_shown("{\"b64\": \"!\"}", "-");
	assert_shown("{}", "-");
}

static void what_could_harm_a_terminal_is_escaped(void **state)
{
	(void)state;
	assert_shown("\"\\u001b]0;x\\u0007\"", "\\x1b]0;x\\x07");
	assert_shown("\"a\\nb\"", "a\\x0ab");
	assert_shown("\"\\u202e\"", "\\xe2\\x80\\xae"); // reorders what follows
	assert_shown("\"\\u009b31m\"", "\\xc2\\x9b31m");
}

static void lists_are_words_that_a_shell_would_take(void **state)
{
	(void)state;
	assert_shown("[]", "");
	assert_shown("[\"make\", \"-j2\", \"CC=gcc\"]", "make -j2 CC=gcc");
	assert_shown("[\"echo\", \"a b\", \"\", \"it's\", \"$X\"]",
		     "echo 'a b' '' 'it'\\''s' '$X'");
}

static void a_command_is_its_text_or_its_words(void **state)
{
	AUTO(value_free)
	json_t *both = json_pack("{s:s, s:[ss]}", "cmd", "a | b", "argv", "x", "y");
	AUTO(value_free) json_t *words = json_pack("{s:n, s:[ss]}", "cmd", "argv", "x", "y");
	AUTO(mem_free) char *text = display_command(both, DISPLAY_MAX);
	AUTO(mem_free) char *list = display_command(words, DISPLAY_MAX);

	(void)state;
	assert_string_equal(text, "a | b");
	assert_string_equal(list, "x y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_a_text),
		cmocka_unit_test(what_could_harm_a_terminal_is_escaped),
		cmocka_unit_test(lists_are_words_that_a_shell_would_take),
		cmocka_unit_test(a_command_is_its_text_or_its_words),
	};

	return cmocka_run_group_tests_name("cli/display", tests, NULL, NULL);
}

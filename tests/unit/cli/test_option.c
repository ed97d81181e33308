// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "base/error.h"
#include "cli/option.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_spec specs[] = {
	{"all", 'a', OPTION_FLAG, NULL, OPTION_FIELD(all), "Everything"},
	{"ephemeral", 'e', OPTION_FLAG, NULL, OPTION_FIELD(ephemeral), "For once"},
	{"cwd", 'C', OPTION_TEXT, "DIR", OPTION_FIELD(cwd), "There"},
	{"command", 'c', OPTION_FINAL, "SCRIPT", OPTION_FIELD(script), "A script"},
	{"env", 0, OPTION_LIST, "NAME=VALUE", OPTION_FIELD(env), "A variable"},
	{"timeout", 0, OPTION_SECONDS, "S", OPTION_FIELD(timeout_ms), "So long"},
	{"limit", 0, OPTION_COUNT, "N", OPTION_FIELD(limit), "So many"},
	{"status-fd", 0, OPTION_FD, "N", OPTION_FIELD(status_fd), "There"},
	{"pty", 0, OPTION_LATER, NULL, 0, NULL},
	OPTION_END,
};

struct parsed {
	struct settings settings;
	struct error err;
	char *argv[12];
	int operands;
	int result;
};

static struct parsed *parse_words(bool first, const char *const *words)
{
	static struct parsed parsed;

	free(parsed.settings.env.items);
	memset(&parsed, 0, sizeof(parsed));
	parsed.operands = -1;
	for (size_t i = 0; words[i]; i++)
		memcpy(&parsed.argv[i], &words[i], sizeof(words[i]));
	parsed.result = option_parse(specs, &parsed.settings, first, parsed.argv, &parsed.operands,
				     &parsed.err);
	return &parsed;
}

#define PARSE(...) parse_words(false, (const char *const[]){__VA_ARGS__, NULL})
#define PARSE_FIRST(...) parse_words(true, (const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const struct parsed *parsed, const char *text)
{
	assert_int_equal(parsed->result, -EINVAL);
	assert_string_equal(parsed->err.msg, text);
	assert_int_equal(parsed->operands, -1);
}

static void values_come_inline_or_after(void **state)
{
	(void)state;
	assert_string_equal(PARSE("--cwd", "/x")->settings.cwd, "/x");
	assert_string_equal(PARSE("--cwd=/x=y")->settings.cwd, "/x=y");
	assert_string_equal(PARSE("--cwd=")->settings.cwd, "");
	assert_string_equal(PARSE("-C", "/x")->settings.cwd, "/x");
	assert_string_equal(PARSE("-C/x")->settings.cwd, "/x");
	assert_string_equal(PARSE("--cwd", "--all")->settings.cwd, "--all");
	assert_string_equal(PARSE("--cwd", "/x", "--cwd", "/y")->settings.cwd, "/y");
}

static void letters_can_be_joined(void **state)
{
	const struct parsed *parsed = PARSE("-aeC", "/x");

	(void)state;
	assert_int_equal(parsed->result, 0);
	assert_true(parsed->settings.all);
	assert_true(parsed->settings.ephemeral);
	assert_string_equal(parsed->settings.cwd, "/x");
}

static void operands_may_stand_anywhere(void **state)
{
	const struct parsed *parsed = PARSE("one", "--all", "two", "-", "--cwd", "/x", "three");

	(void)state;
	assert_int_equal(parsed->operands, 4);
	assert_string_equal(parsed->argv[0], "one");
	assert_string_equal(parsed->argv[1], "two");
	assert_string_equal(parsed->argv[2], "-");
	assert_string_equal(parsed->argv[3], "three");
	assert_null(parsed->argv[4]);
	assert_true(parsed->settings.all);
}

static void options_can_end_at_the_first_operand(void **state)
{
	const struct parsed *parsed = PARSE_FIRST("--all", "make", "--ephemeral", "--", "-x");

	(void)state;
	assert_int_equal(parsed->operands, 4);
	assert_string_equal(parsed->argv[1], "--ephemeral");
	assert_string_equal(parsed->argv[2], "--");
	assert_true(parsed->settings.all);
	assert_false(parsed->settings.ephemeral);
}

static void two_dashes_end_the_options(void **state)
{
	const struct parsed *parsed = PARSE("--all", "--", "--ephemeral", "--");

	(void)state;
	assert_int_equal(parsed->operands, 2);
	assert_string_equal(parsed->argv[0], "--ephemeral");
	assert_string_equal(parsed->argv[1], "--");
	assert_false(parsed->settings.ephemeral);
}

static void a_final_option_leaves_the_rest_alone(void **state)
{
	const struct parsed *parsed = PARSE("-c", "echo $1", "--all", "-x");

	(void)state;
	assert_string_equal(parsed->settings.script, "echo $1");
	assert_int_equal(parsed->operands, 2);
	assert_false(parsed->settings.all);
}

static void lists_keep_every_value_in_order(void **state)
{
	const struct parsed *parsed = PARSE("--env", "A=1", "--env=B=2", "--env", "");

	(void)state;
	assert_int_equal(parsed->settings.env.count, 3);
	assert_string_equal(parsed->settings.env.items[0], "A=1");
	assert_string_equal(parsed->settings.env.items[1], "B=2");
	assert_string_equal(parsed->settings.env.items[2], "");
}

static void seconds_may_have_a_fraction(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{"1", 1000},  {"1.5", 1500}, {".25", 250},     {"0.001", 1},
		{"2.", 2000}, {"0.0001", 1}, {"1.0009", 1001}, {"31536000", 31536000000},
	};
	static const char *const bad[] = {
		"",
		".",
		"0",
		"0.0",
		"-1",
		"1e3",
		" 1",
		"1s",
		"1.2.3",
		"inf",
		"0x10",
		"31536001",
		"99999999999999999999999999",
		"184467440737095516150",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct parsed *parsed = PARSE("--timeout", good[i].text);

		assert_int_equal(parsed->result, 0);
		assert_int_equal(parsed->settings.timeout_ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(PARSE("--timeout", bad[i])->result, -EINVAL);
}

static void counts_are_positive_numbers(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--limit", "12")->settings.limit, 12);
	assert_refused(PARSE("--limit", "0"),
		       "option --limit: '0' is not a number from 1 to 1000000");
	assert_int_equal(PARSE("--limit", "1000001")->result, -EINVAL);
	assert_int_equal(PARSE("--limit", "1x")->result, -EINVAL);
}

static void a_descriptor_must_be_open_for_writing(void **state)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int readable = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char number[16];

	(void)state;
	(void)snprintf(number, sizeof(number), "%d", null);
	assert_int_equal(PARSE("--status-fd", number)->settings.status_fd, null);
	(void)snprintf(number, sizeof(number), "%d", readable);
	assert_int_equal(PARSE("--status-fd", number)->result, -EINVAL);
	(void)close(readable);
	assert_int_equal(PARSE("--status-fd", number)->result, -EINVAL);
	assert_int_equal(PARSE("--status-fd", "-1")->result, -EINVAL);
	(void)close(null);
}

static void wrong_usage_is_named(void **state)
{
	(void)state;
	assert_refused(PARSE("--cwd"), "option --cwd needs a value: DIR");
	assert_refused(PARSE("-C"), "option --cwd needs a value: DIR");
	assert_refused(PARSE("--all=yes"), "option --all takes no value");
	assert_refused(PARSE("-x"), "unknown option '-x'");
	assert_refused(PARSE("-ax"), "unknown option '-x'");
	assert_refused(PARSE("--frobnicate"), "unknown option '--frobnicate'");
	assert_refused(PARSE("--pty"), "option --pty is not available yet");
	assert_refused(PARSE("--pty=x"), "option --pty is not available yet");
	assert_refused(PARSE("--"
			     "=x"),
		       "unknown option '--'");
}

static void a_slip_gets_a_suggestion(void **state)
{
	(void)state;
	assert_refused(PARSE("--ephemral"),
		       "unknown option '--ephemral'; did you mean '--ephemeral'?");
	assert_refused(PARSE("--cdw=/x"), "unknown option '--cdw'; did you mean '--cwd'?");
	// What is not available yet is not suggested.
	assert_refused(PARSE("--ptty"), "unknown option '--ptty'");
	// No abbreviations: a later option could make them mean something else.
	assert_refused(PARSE("--ephem"), "unknown option '--ephem'");
}

static void help_has_a_line_for_each_that_is_available(void **state)
{
	AUTO(buf_done) struct buf out = {0};

	(void)state;
	option_help(specs, &out);
	assert_false(out.failed);
	assert_non_null(strstr(out.data, "  -a, --all               Everything\n"));
	assert_non_null(strstr(out.data, "  -C, --cwd DIR           There\n"));
	assert_non_null(strstr(out.data, "      --env NAME=VALUE    A variable\n"));
	assert_null(strstr(out.data, "pty"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_inline_or_after),
		cmocka_unit_test(letters_can_be_joined),
		cmocka_unit_test(operands_may_stand_anywhere),
		cmocka_unit_test(options_can_end_at_the_first_operand),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(a_final_option_leaves_the_rest_alone),
		cmocka_unit_test(lists_keep_every_value_in_order),
		cmocka_unit_test(seconds_may_have_a_fraction),
		cmocka_unit_test(counts_are_positive_numbers),
		cmocka_unit_test(a_descriptor_must_be_open_for_writing),
		cmocka_unit_test(wrong_usage_is_named),
		cmocka_unit_test(a_slip_gets_a_suggestion),
		cmocka_unit_test(help_has_a_line_for_each_that_is_available),
	};

	return cmocka_run_group_tests_name("cli/option", tests, NULL, NULL);
}

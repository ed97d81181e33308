// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "unit.h"

#include <errno.h>

/** What the last run() got. */
static struct {
	const char *who;
	int argc;
	char **argv;
} seen;

static int leaf_run(struct cli *cli, int argc, char **argv, struct error *err)
{
	(void)err;
	seen.who = cli->path[cli->depth - 1]->name;
	seen.argc = argc;
	seen.argv = argv;
	return 42;
}

static const struct option_spec leaf_options[] = {
	{"all", 'a', OPTION_FLAG, NULL, OPTION_FIELD(all), "Everything"}, OPTION_HELP, OPTION_END};
static const struct subcommand leaf = {.name = "leaf",
				       .args = "NAME [OPTION...]",
				       .summary = "Do it",
				       .notes = "More of it.\n",
				       .min_args = 1,
				       .max_args = 1,
				       .options = leaf_options,
				       .run = leaf_run};
static const struct subcommand *const branch_subs[] = {&leaf, NULL};
static const struct subcommand branch = {
	.name = "branch", .args = "SUBCOMMAND ...", .summary = "Hold leaves", .subs = branch_subs};
static const struct subcommand mixed = {.name = "mixed",
					.args = "[NAME]",
					.summary = "Both",
					.max_args = 1,
					.subs = branch_subs,
					.run = leaf_run};
static const struct subcommand *const root_subs[] = {&branch, &mixed, NULL};
static const char *const root_later[] = {"policy", NULL};
static const struct subcommand root = {.name = "tree",
				       .args = "SUBCOMMAND ...",
				       .summary = "Grow",
				       .subs = root_subs,
				       .later = root_later};

struct dispatched {
	struct cli cli;
	struct error err;
	char *argv[8];
	int result;
};

static struct dispatched *dispatch_words(const char *const *words)
{
	static struct dispatched d;

	buf_done(&d.cli.out);
	memset(&d, 0, sizeof(d));
	memset(&seen, 0, sizeof(seen));
	for (size_t i = 0; words[i]; i++)
		memcpy(&d.argv[i], &words[i], sizeof(words[i]));
	d.result = subcommand_dispatch(&root, &d.cli, d.argv, &d.err);
	return &d;
}

#define DISPATCH(...) dispatch_words((const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const struct dispatched *d, const char *text)
{
	assert_int_equal(d->result, -EINVAL);
	assert_string_equal(d->err.msg, text);
	assert_null(seen.who);
}

static void the_path_leads_to_the_leaf(void **state)
{
	const struct dispatched *d = DISPATCH("branch", "leaf", "-a", "x");

	(void)state;
	assert_int_equal(d->result, 42);
	assert_string_equal(seen.who, "leaf");
	assert_int_equal(seen.argc, 1);
	assert_string_equal(seen.argv[0], "x");
	assert_true(d->cli.settings.all);
	assert_int_equal(d->cli.depth, 3);
}

static void what_is_no_sub_can_be_an_operand(void **state)
{
	(void)state;
	assert_int_equal(DISPATCH("mixed", "other")->result, 42);
	assert_string_equal(seen.who, "mixed");
	assert_int_equal(DISPATCH("mixed", "leaf", "x")->result, 42);
	assert_string_equal(seen.who, "leaf");
	assert_int_equal(DISPATCH("mixed")->result, 42);
	assert_int_equal(seen.argc, 0);
}

static void wrong_names_are_told(void **state)
{
	(void)state;
	assert_refused(DISPATCH("nothing"), "unknown subcommand 'nothing'");
	assert_refused(DISPATCH("brunch"), "unknown subcommand 'brunch'; did you mean 'branch'?");
	assert_refused(DISPATCH("branch", "leef"),
		       "unknown subcommand 'leef'; did you mean 'leaf'?");
	assert_refused(DISPATCH("policy"), "subcommand 'policy' is not available yet");
	assert_refused(DISPATCH("branch"), "which subcommand?");
	assert_refused(DISPATCH("branch", "--nothing"), "unknown option '--nothing'");
}

static void the_number_of_operands_is_checked(void **state)
{
	(void)state;
	assert_refused(DISPATCH("branch", "leaf"), "usage: tree branch leaf NAME [OPTION...]");
	assert_refused(DISPATCH("branch", "leaf", "x", "y"),
		       "usage: tree branch leaf NAME [OPTION...]");
}

static void help_wins_over_missing_operands(void **state)
{
	const struct dispatched *d = DISPATCH("branch", "leaf", "--help");

	(void)state;
	assert_int_equal(d->result, 0);
	assert_null(seen.who);
	assert_string_equal(d->cli.out.data, "usage: tree branch leaf NAME [OPTION...]\n"
					     "\n"
					     "Do it.\n"
					     "\n"
					     "More of it.\n"
					     "\n"
					     "Options:\n"
					     "  -a, --all               Everything\n"
					     "  -h, --help              Print this help\n");
	d = DISPATCH("-h");
	assert_int_equal(d->result, 0);
	assert_non_null(strstr(d->cli.out.data, "\n  branch     Hold leaves\n"));
}

/** Check one real table and all below it. */
static void check_table(const struct subcommand *cmd)
{
	bool has_help = !cmd->options;

	assert_true(cmd->name && cmd->args && cmd->summary && (cmd->run || cmd->subs));
	assert_int_not_equal(cmd->summary[strlen(cmd->summary) - 1], '.');
	for (const struct option_spec *spec = cmd->options; spec && spec->name; spec++) {
		has_help = has_help || strcmp(spec->name, "help") == 0;
		assert_true(spec->kind == OPTION_LATER || spec->help);
		assert_true(spec->field < sizeof(struct settings));
		for (const struct option_spec *other = cmd->options; other != spec; other++)
			assert_string_not_equal(spec->name, other->name);
	}
	assert_true(has_help);
	for (const struct subcommand *const *sub = cmd->subs; sub && *sub; sub++) {
		if (sub != cmd->subs)
			assert_true(strcmp(sub[-1]->name, (*sub)->name) < 0);
		check_table(*sub);
	}
	for (const char *const *later = cmd->later; later && *later; later++) {
		if (later != cmd->later)
			assert_true(strcmp(later[-1], *later) < 0);
	}
}

static void the_real_tables_are_whole_and_sorted(void **state)
{
	(void)state;
	check_table(&cmd_root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_leads_to_the_leaf),
		cmocka_unit_test(what_is_no_sub_can_be_an_operand),
		cmocka_unit_test(wrong_names_are_told),
		cmocka_unit_test(the_number_of_operands_is_checked),
		cmocka_unit_test(help_wins_over_missing_operands),
		cmocka_unit_test(the_real_tables_are_whole_and_sorted),
	};

	return cmocka_run_group_tests_name("cli/subcommand", tests, NULL, NULL);
}

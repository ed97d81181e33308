// SPDX-License-Identifier: Apache-2.0
#include "fake_daemon.h"
#include "unit.h"

#include <signal.h>
#include <string.h>

#define STARTED \
	{ \
		FAKE_SEND, "{\"type\":\"started\",\"span_id\":\"spn_1\"}", 0 \
	}
#define EXITED(text) \
	{ \
		FAKE_SEND, "{\"type\":\"exit\"," text "}", 0 \
	}
#define RUN_TRUE \
	{ \
		(char[]){"run"}, (char[]){"--"}, (char[]) \
		{ \
			"true" \
		} \
	}

static void output_and_status_pass_through(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0},      STARTED,
		{FAKE_OUTPUT, "one\n", 1},   {FAKE_OUTPUT, "two\n", 2},
		{FAKE_OUTPUT, "three\n", 1}, EXITED("\"exit\":7,\"signal\":null"),
		{FAKE_WAIT_GONE, NULL, 0},   {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 7);
	assert_string_equal(result->out, "one\nthree\n");
	assert_string_equal(result->err, "two\n");
	assert_true(result->script_done);
}

static void stdin_is_sent_and_its_end_is_told(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},
					  STARTED,
					  {FAKE_EXPECT_INPUT, "hello\n", 0},
					  {FAKE_EXPECT, "close_stdin", 0},
					  EXITED("\"exit\":0"),
					  {FAKE_WAIT_GONE, NULL, 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result = fake_daemon_run(
		&(struct fake_run){.argv = RUN_TRUE, .steps = steps, .input = "hello\n"});

	(void)state;
	assert_int_equal(result->status, 0);
	assert_true(result->script_done);
	assert_non_null(strstr(result->request, "GET /v1/stream"));
}

static void output_behind_a_full_pipe_needs_no_further_news(void **state)
{
	// The daemon says no more: what came with the last bytes must be handled without them.
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0}, STARTED,
					  {FAKE_FLOOD, NULL, 20}, {FAKE_OUTPUT, "end", 1},
					  EXITED("\"exit\":3"),   {FAKE_WAIT_GONE, NULL, 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 3);
	assert_int_equal(result->out_len, 20 * 32768 + 3);
	assert_string_equal(result->out + result->out_len - 3, "end");
}

static void a_signal_reaches_the_command(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0},
		STARTED,
		{FAKE_EXPECT_INPUT, "x", 0}, // so it has seen that the command started
		{FAKE_EXPECT, "close_stdin", 0},
		{FAKE_KILL, NULL, SIGTERM},
		{FAKE_EXPECT, "\"signal\":15", 0},
		EXITED("\"exit\":143,\"signal\":15"),
		{FAKE_WAIT_GONE, NULL, 0},
		{FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps, .input = "x"});

	(void)state;
	assert_int_equal(result->status, 143);
	assert_true(result->script_done);
}

static void a_signal_before_the_start_ends_the_client(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},
					  {FAKE_KILL, NULL, SIGINT},
					  {FAKE_WAIT_GONE, NULL, 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	// It dies of it, or has it in its signalfd by then; a shell sees the same.
	assert_true(result->status == 130 || result->status == 1000 + SIGINT);
	assert_true(result->script_done);
}

static void an_ignored_signal_stays_ignored(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},
					  STARTED,
					  {FAKE_EXPECT_INPUT, "x", 0},
					  {FAKE_EXPECT, "close_stdin", 0},
					  {FAKE_KILL, NULL, SIGHUP},
					  {FAKE_KILL, NULL, SIGUSR1},
					  {FAKE_EXPECT, "\"signal\":10", 0},
					  EXITED("\"exit\":0"),
					  {FAKE_WAIT_GONE, NULL, 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result = fake_daemon_run(&(struct fake_run){
		.argv = RUN_TRUE, .steps = steps, .input = "x", .ignored = SIGHUP});

	(void)state;
	assert_int_equal(result->status, 0);
	assert_true(result->script_done);
}

static void a_refusal_is_one_escaped_line(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0},
		{FAKE_SEND, "{\"type\":\"problem\",\"detail\":\"no \\u001b[2J such\",\"exit\":126}",
		 0},
		{FAKE_WAIT_GONE, NULL, 0},
		{FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 126);
	assert_string_equal(result->out, "");
	assert_string_equal(result->err, "substrate: no \\x1b[2J such\n");
}

static void a_problem_never_counts_as_success(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0},
		{FAKE_SEND, "{\"type\":\"problem\",\"title\":\"odd\",\"exit\":0}", 0},
		{FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 125);
	assert_string_equal(result->err, "substrate: odd\n");
}

static void what_went_wrong_with_a_result_is_told(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},
					  STARTED,
					  EXITED("\"exit\":0,\"error\":\"no room for the span\""),
					  {FAKE_WAIT_GONE, NULL, 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 0);
	assert_non_null(strstr(result->err, "no room for the span"));
}

static void a_lost_daemon_is_a_failure(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0}, STARTED, {FAKE_OUTPUT, "half", 1}, {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 125);
	assert_string_equal(result->out, "half");
	assert_non_null(strstr(result->err, "the daemon closed the connection"));
}

static void nonsense_from_the_daemon_is_a_failure(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0}, {FAKE_SEND, "{\"type\":", 0}, {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 125);
}

static void messages_of_later_versions_are_skipped(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0}, {FAKE_SEND, "{\"type\":\"weather\"}", 0},
		{FAKE_SEND, "{}", 0},   STARTED,
		EXITED("\"exit\":4"),   {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 4);
	assert_string_equal(result->err, "");
}

static void a_reader_that_left_ends_it_as_a_broken_pipe_does(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},
					  STARTED,
					  {FAKE_OUTPUT, "x", 1},
					  {FAKE_WAIT_GONE, NULL, 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result = fake_daemon_run(
		&(struct fake_run){.argv = RUN_TRUE, .steps = steps, .reader_gone = true});

	(void)state;
	assert_int_equal(result->status, 128 + SIGPIPE);
	assert_string_equal(result->err, "");
	assert_true(result->script_done);
}

static void json_prints_the_execute_object_alone(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},  STARTED,
					  {FAKE_OUTPUT, "out", 1}, {FAKE_OUTPUT, "err", 2},
					  EXITED("\"exit\":7"),    {FAKE_END, NULL, 0}};
	const struct fake_result *result = fake_daemon_run(&(struct fake_run){
		.argv = {(char[]){"run"}, (char[]){"--json"}, (char[]){"true"}}, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 7);
	assert_string_equal(result->out,
			    "{\"exit\":7,\"stdout_b64\":\"b3V0\",\"stderr_b64\":\"ZXJy\"}\n");
	assert_string_equal(result->err, "");
}

static void status_fd_gets_one_object_a_line(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_SWITCH, NULL, 0}, STARTED, EXITED("\"exit\":0"), {FAKE_END, NULL, 0}};
	const struct fake_result *result = fake_daemon_run(&(struct fake_run){
		.argv = {(char[]){"run"}, (char[]){"--status-fd"}, (char[]){"2"}, (char[]){"true"}},
		.steps = steps});

	(void)state;
	assert_string_equal(result->err, "{\"type\":\"started\",\"span_id\":\"spn_1\"}\n"
					 "{\"type\":\"exit\",\"exit\":0}\n");
}

static void a_refused_handshake_says_why(void **state)
{
	const struct fake_step steps[] = {
		{FAKE_ANSWER, "{\"title\":\"No\",\"detail\":\"not you\"}", 403},
		{FAKE_WAIT_GONE, NULL, 0},
		{FAKE_END, NULL, 0}};
	const struct fake_result *result =
		fake_daemon_run(&(struct fake_run){.argv = RUN_TRUE, .steps = steps});

	(void)state;
	assert_int_equal(result->status, 125);
	assert_string_equal(result->err, "substrate: not you\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_status_pass_through),
		cmocka_unit_test(stdin_is_sent_and_its_end_is_told),
		cmocka_unit_test(output_behind_a_full_pipe_needs_no_further_news),
		cmocka_unit_test(a_signal_reaches_the_command),
		cmocka_unit_test(a_signal_before_the_start_ends_the_client),
		cmocka_unit_test(an_ignored_signal_stays_ignored),
		cmocka_unit_test(a_refusal_is_one_escaped_line),
		cmocka_unit_test(a_problem_never_counts_as_success),
		cmocka_unit_test(what_went_wrong_with_a_result_is_told),
		cmocka_unit_test(a_lost_daemon_is_a_failure),
		cmocka_unit_test(nonsense_from_the_daemon_is_a_failure),
		cmocka_unit_test(messages_of_later_versions_are_skipped),
		cmocka_unit_test(a_reader_that_left_ends_it_as_a_broken_pipe_does),
		cmocka_unit_test(json_prints_the_execute_object_alone),
		cmocka_unit_test(status_fd_gets_one_object_a_line),
		cmocka_unit_test(a_refused_handshake_says_why),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("cli/attach", tests, NULL, NULL);
}

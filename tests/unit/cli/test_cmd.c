// SPDX-License-Identifier: Apache-2.0
/** The subcommands that ask and print, against answers of the API. */
#include "fake_daemon.h"
#include "unit.h"

#include <string.h>

#define WORD(text) \
	(char[]) \
	{ \
		text \
	}
#define ANSWER(status, body) \
	(const struct fake_step[]) \
	{ \
		{FAKE_ANSWER, (body), (status)}, {FAKE_WAIT_GONE, NULL, 0}, \
		{ \
			FAKE_END, NULL, 0 \
		} \
	}
#define RUN(answer, ...) \
	fake_daemon_run(&(struct fake_run){.argv = {__VA_ARGS__}, .steps = (answer)})

static void worlds_are_a_table(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(200, "{\"schema\":1,\"worlds\":[{\"world_id\":\"wld_1\",\"state\":"
				"\"ready\",\"agent_id\":\"human\",\"profile\":\"default\","
				"\"project\":\"/p\\u001b\",\"commands\":[{},{\"running\":false}]},"
				"{\"world_id\":null,\"state\":\"stopped\"}]}"),
		    WORD("world"), WORD("list"));

	(void)state;
	assert_int_equal(result->status, 0);
	assert_string_equal(result->out, "WORLD  STATE    AGENT  PROFILE  COMMANDS  PROJECT\n"
					 "wld_1  ready    human  default  1         /p\\x1b\n"
					 "-      stopped  -      -        0         -\n");
	assert_non_null(strstr(result->request, "GET /v1/worlds HTTP/1.1\r\n"));
}

static void json_is_the_answer_as_it_is(void **state)
{
	const struct fake_result *result = RUN(ANSWER(200, "{\"schema\":1, \"worlds\":[]}"),
					       WORD("world"), WORD("list"), WORD("--json"));

	(void)state;
	assert_int_equal(result->status, 0);
	assert_string_equal(result->out, "{\"schema\":1,\"worlds\":[]}\n");
}

static void status_names_the_place_and_shows_what_runs(void **state)
{
	const struct fake_result *result = RUN(
		ANSWER(200, "{\"worlds\":[{\"world_id\":\"wld_1\",\"processes\":[{\"pid\":7,"
			    "\"comm\":\"ev\\nil\",\"span_id\":\"spn_2\",\"survivor\":true}],"
			    "\"commands\":[{\"span_id\":\"spn_1\",\"argv\":[\"a b\"],\"cmd\":null,"
			    "\"since\":\"now\"}]}]}"),
		WORD("world"), WORD("status"), WORD("--cwd"), WORD("/x y"), WORD("--agent=bot"));

	(void)state;
	assert_string_equal(result->out, "world  wld_1\n"
					 "  command  spn_1  now  'a b'\n"
					 "  left over  7  ev\\x0ail  spn_2\n");
	assert_non_null(strstr(result->request, "GET /v1/worlds?cwd=/x%20y&agent=bot HTTP"));
}

static void changes_are_posted(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(200, "{\"stopped\":2}"), WORD("world"), WORD("stop"), WORD("--all"));

	(void)state;
	assert_string_equal(result->out, "stopped 2 worlds\n");
	assert_non_null(strstr(result->request, "POST /v1/worlds/stop HTTP"));
	assert_non_null(strstr(result->request, "\r\n\r\n{\"all\":true}"));

	result = RUN(ANSWER(200, "{\"world_id\":\"wld_1\",\"world_reused\":true}"), WORD("world"),
		     WORD("warm"), WORD("--cwd=/p"));
	assert_string_equal(result->out, "wld_1 is ready\n");
	assert_non_null(strstr(result->request, "{\"cwd\":\"/p\",\"agent_id\":\"local\"}"));

	result = RUN(ANSWER(200, "{\"killed\":true}"), WORD("world"), WORD("kill"), WORD("spn_1"));
	assert_string_equal(result->out, "killed\n");
	assert_non_null(strstr(result->request, "{\"span_id\":\"spn_1\"}"));
}

static void what_is_not_there_is_a_no(void **state)
{
	const struct fake_result *result = RUN(ANSWER(404, "{\"detail\":\"no \\u0007 such span\"}"),
					       WORD("trace"), WORD("spn_1"));

	(void)state;
	assert_int_equal(result->status, 1);
	assert_string_equal(result->out, "");
	assert_string_equal(result->err, "substrate: no \\x07 such span\n");
}

static void a_bad_request_is_wrong_usage(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(400, "{\"detail\":\"no profile x\"}"), WORD("world"), WORD("plan"));

	(void)state;
	assert_int_equal(result->status, 2);
	assert_string_equal(result->err,
			    "substrate: no profile x; try 'substrate world plan --help'\n");
}

static void nonsense_is_a_failure(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(200, "{\"a\":1,\"a\":2}"), WORD("world"), WORD("list"));

	(void)state;
	assert_int_equal(result->status, 125);
	assert_string_equal(result->out, "");
}

static void a_span_is_shown_from_its_events(void **state)
{
	const struct fake_result *result = RUN(
		ANSWER(200, "{\"events\":[{\"event_type\":\"command_start\",\"ts\":\"T1\","
			    "\"span_id\":\"spn_1\",\"cmd\":null,\"argv\":[\"x\"]},"
			    "{\"event_type\":\"set_aside\",\"ts\":\"T2\",\"path\":\".vscode\","
			    "\"kept\":\"/kept/1\"},"
			    "{\"event_type\":\"command_complete\",\"ts\":\"T1\",\"ts_end\":\"T3\","
			    "\"exit\":0,\"status\":\"ok\",\"argv\":[\"x\"]}]}"),
		WORD("trace"), WORD("spn_1"));

	(void)state;
	assert_string_equal(result->out, "span     spn_1\n"
					 "command  x\n"
					 "started  T1\n"
					 "ended    T3\n"
					 "status   ok\n"
					 "exit     0\n"
					 "\n"
					 "T2  set_aside  .vscode  -  /kept/1\n");
	assert_non_null(strstr(result->request, "GET /v1/trace/spn_1 HTTP"));
}

static void the_trace_can_be_listed(void **state)
{
	const struct fake_result *result = RUN(
		ANSWER(200, "{\"spans\":[{\"span_id\":\"spn_1\",\"ts\":\"T\",\"status\":\"ok\","
			    "\"exit\":0,\"duration_ms\":3,\"agent_id\":\"a\",\"argv\":[\"x\"]}]}"),
		WORD("trace"), WORD("list"), WORD("--since"), WORD("@99"), WORD("--limit=5"));

	(void)state;
	assert_string_equal(result->out, "SPAN   STARTED  STATUS  EXIT  MS  AGENT  COMMAND\n"
					 "spn_1  T        ok      0     3   a      x\n");
	assert_non_null(strstr(result->request, "GET /v1/trace?since=99&limit=5 HTTP"));
}

static void verify_says_yes_or_no_by_its_status(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(200, "{\"intact\":true,\"lines\":3,\"head\":\"ab\",\"file\":\"\","
				"\"line\":0,\"what\":\"\"}"),
		    WORD("trace"), WORD("verify"));

	(void)state;
	assert_int_equal(result->status, 0);
	assert_string_equal(result->out, "intact: 3 lines, head ab\n");

	result = RUN(ANSWER(200, "{\"intact\":false,\"lines\":3,\"head\":\"ab\","
				 "\"file\":\"trace.jsonl\",\"line\":2,\"what\":\"edited\"}"),
		     WORD("trace"), WORD("verify"), WORD("--head=cd"));
	assert_int_equal(result->status, 1);
	assert_string_equal(result->out, "not intact: trace.jsonl:2: edited\n");
	assert_non_null(strstr(result->request, "verify?head=cd HTTP"));
}

static void doctor_says_yes_or_no_by_its_status(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(200, "{\"ok\":false,\"mechanisms\":[{\"name\":\"userns\",\"state\":"
				"\"unavailable\",\"reason\":\"EPERM\",\"remedy\":\"sysctl x\"},"
				"{\"name\":\"net\",\"state\":\"enforced\"}]}"),
		    WORD("world"), WORD("doctor"));

	(void)state;
	assert_int_equal(result->status, 1);
	assert_string_equal(result->out, "userns  unavailable  EPERM\n"
					 "        remedy:      sysctl x\n"
					 "net     enforced\n"
					 "\n"
					 "No world can be built here: commands are refused.\n");
}

static void a_plan_is_lines(void **state)
{
	const struct fake_result *result =
		RUN(ANSWER(200, "{\"hash\":\"x\",\"steps\":[],\"text\":[\"bind /usr\",\"a\\tb\"]}"),
		    WORD("world"), WORD("plan"), WORD("--cwd=/p"));

	(void)state;
	assert_string_equal(result->out, "bind /usr\na\\x09b\n");
}

static void without_a_daemon_there_is_nothing_to_stop(void **state)
{
	const struct fake_result *result = RUN(NULL, WORD("serve"), WORD("--stop"));

	(void)state;
	assert_int_equal(result->status, 0);
	assert_string_equal(result->out, "no daemon runs\n");
}

static void usage_goes_to_stderr_and_help_to_stdout(void **state)
{
	const struct fake_result *result = RUN(NULL, NULL);

	(void)state;
	assert_int_equal(result->status, 2);
	assert_string_equal(result->out, "");
	assert_non_null(strstr(result->err, "usage: substrate "));

	result = RUN(NULL, WORD("run"), WORD("--help"));
	assert_int_equal(result->status, 0);
	assert_string_equal(result->err, "");
	assert_non_null(strstr(result->out, "usage: substrate run "));

	result = RUN(NULL, WORD("--version"));
	assert_string_equal(result->out, "substrate 0.0\n");
}

static void options_before_a_subcommand_are_told(void **state)
{
	const struct fake_result *result = RUN(NULL, WORD("--json"), WORD("world"), WORD("list"));

	(void)state;
	assert_int_equal(result->status, 2);
	assert_non_null(strstr(result->err, "options go after the subcommand 'world'"));
}

static void a_script_runs_with_a_shell(void **state)
{
	const struct fake_step steps[] = {{FAKE_SWITCH, NULL, 0},
					  {FAKE_SEND, "{\"type\":\"exit\",\"exit\":6}", 0},
					  {FAKE_END, NULL, 0}};
	const struct fake_result *result =
		RUN(steps, WORD("-c"), WORD("echo $1"), WORD("name"), WORD("--json"));

	(void)state;
	assert_int_equal(result->status, 6);
	assert_string_equal(result->out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds_are_a_table),
		cmocka_unit_test(json_is_the_answer_as_it_is),
		cmocka_unit_test(status_names_the_place_and_shows_what_runs),
		cmocka_unit_test(changes_are_posted),
		cmocka_unit_test(what_is_not_there_is_a_no),
		cmocka_unit_test(a_bad_request_is_wrong_usage),
		cmocka_unit_test(nonsense_is_a_failure),
		cmocka_unit_test(a_span_is_shown_from_its_events),
		cmocka_unit_test(the_trace_can_be_listed),
		cmocka_unit_test(verify_says_yes_or_no_by_its_status),
		cmocka_unit_test(doctor_says_yes_or_no_by_its_status),
		cmocka_unit_test(a_plan_is_lines),
		cmocka_unit_test(without_a_daemon_there_is_nothing_to_stop),
		cmocka_unit_test(usage_goes_to_stderr_and_help_to_stdout),
		cmocka_unit_test(options_before_a_subcommand_are_told),
		cmocka_unit_test(a_script_runs_with_a_shell),
	};

	unit_needs_host();
	return cmocka_run_group_tests_name("cli/cmd", tests, NULL, NULL);
}

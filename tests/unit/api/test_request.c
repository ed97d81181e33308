// SPDX-License-Identifier: Apache-2.0
#include "api/request.h"

#include "base/error.h"
#include "unit.h"
#include "json/decode.h"

#include <errno.h>
#include <unistd.h>

#define TEXT_MAX 65536

/** Decode `text` as an execute object sent by this very process. */
static int decode(const char *text, struct command_request *ret, struct error *err)
{
	const struct peer self = {.pid = getpid(), .pidfd = -1};
	AUTO(value_free) json_t *object = NULL;

	if (decode_text(text, strlen(text), TEXT_MAX, &object, err) < 0)
		fail_msg("%s: %s", text, err->msg);
	return request_decode(object, &self, ret, err);
}

static void refused(const char *text, const char *word)
{
	struct command_request request = {0};
	struct error err = {0};

	assert_int_equal(decode(text, &request, &err), -EINVAL);
	if (!strstr(err.msg, word))
		fail_msg("'%s' does not say '%s'", err.msg, word);
	command_request_done(&request);
}

static void a_whole_request_is_read(void **state)
{
	struct command_request request = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(decode("{\"cmd\": \"npm test\", \"agent_id\": \"claude\", \"pty\": false,"
				"\"env\": {\"A\": \"b\"}, \"cwd\": \"/srv\"}",
				&request, &err),
			 0);
	assert_string_equal(request.cmd, "npm test");
	assert_string_equal(request.agent, "claude");
	assert_string_equal(request.cwd, "/srv");
	assert_string_equal(request.env.items[0], "A=b");
	assert_int_equal(request.umask, 022);
	assert_null(request.default_cwd);
	command_request_done(&request);
}

static void without_cwd_the_callers_own_counts(void **state)
{
	struct command_request request = {0};
	struct error err = {0};
	char cwd[4096];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(decode("{\"cmd\": \"x\", \"agent_id\": \"a\"}", &request, &err), 0);
	assert_null(request.cwd);
	assert_string_equal(request.default_cwd, cwd);
	command_request_done(&request);
}

static void a_terminal_has_a_size(void **state)
{
	struct command_request request = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
		decode("{\"cmd\": \"x\", \"agent_id\": \"a\", \"pty\": true}", &request, &err), 0);
	assert_true(request.pty);
	assert_int_equal(request.rows, 24);
	assert_int_equal(request.cols, 80);
	command_request_done(&request);
	assert_int_equal(decode("{\"cmd\": \"x\", \"agent_id\": \"a\", \"pty\": true, \"rows\": 9,"
				"\"cols\": 7}",
				&request, &err),
			 0);
	assert_int_equal(request.rows, 9);
	assert_int_equal(request.cols, 7);
	command_request_done(&request);
}

static void bytes_that_are_not_utf8_come_in_base64(void **state)
{
	struct command_request request = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(decode("{\"argv\": [\"echo\", {\"b64\": \"/w==\"}], \"agent_id\": \"a\"}",
				&request, &err),
			 0);
	assert_string_equal(request.argv.items[1], "\xff");
	command_request_done(&request);
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	refused("{\"cmd\": \"x\"}", "agent_id");
	refused("{\"cmd\": \"x\", \"agent_id\": \"\"}", "agent_id");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"pty\": 1}", "pty");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"pty\": true, \"rows\": 0}", "rows");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"cols\": 10000}", "cols");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"stdin\": \"maybe\"}", "stdin");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"cwdd\": \"/\"}", "cwdd");
	refused("{\"cmd\": 5, \"agent_id\": \"a\"}", "cmd");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"timeout_ms\": 0}", "timeout_ms");
	refused("{\"cmd\": \"x\", \"agent_id\": \"a\", \"umask\": 512}", "umask");
	refused("{\"argv\": [{\"b64\": \"YQBi\"}], \"agent_id\": \"a\"}", "NUL");
}

static void each_refusal_has_its_status(void **state)
{
	(void)state;
	assert_int_equal(request_problem_status(&(struct command_refusal){2, "usage", ""}), 400);
	assert_int_equal(request_problem_status(&(struct command_refusal){125, "no-world", ""}),
			 503);
	assert_int_equal(request_problem_status(&(struct command_refusal){125, "unheard-of", ""}),
			 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_request_is_read),
		cmocka_unit_test(without_cwd_the_callers_own_counts),
		cmocka_unit_test(a_terminal_has_a_size),
		cmocka_unit_test(bytes_that_are_not_utf8_come_in_base64),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(each_refusal_has_its_status),
	};

	return cmocka_run_group_tests_name("api/request", tests, NULL, NULL);
}

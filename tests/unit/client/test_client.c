// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include "base/error.h"
#include "base/fd.h"
#include "http/fixture.h"
#include "unit.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(void **state)
{
	static struct fixture fixture;

	fixture_start(&fixture, 10);
	*state = &fixture;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static struct client *connect_to(const char *home)
{
	struct client_options options = {.home = home};
	struct client *client = NULL;
	struct error err = {0};

	if (client_open(&options, &client, &err) < 0)
		fail_msg("%s", err.msg);
	return client;
}

static void home_is_found(void **state)
{
	struct error err = {0};
	const struct passwd *entry = getpwuid(getuid());
	char expected[256];
	char *home = NULL;

	(void)state;
	assert_int_equal(setenv("SUBSTRATE_HOME", "/a//b/../c/", 1), 0);
	assert_int_equal(client_home(&home, &err), 0);
	assert_string_equal(home, "/a/c");
	free(home);
	home = NULL;
	assert_int_equal(setenv("SUBSTRATE_HOME", "relative", 1), 0);
	assert_int_equal(client_home(&home, &err), -EINVAL);
	assert_null(home);
	assert_int_equal(setenv("SUBSTRATE_HOME", "", 1), 0);
	assert_int_equal(setenv("HOME", "/h", 1), 0);
	assert_int_equal(client_home(&home, &err), 0);
	assert_string_equal(home, "/h/.substrate");
	free(home);
	if (!entry)
		skip();
	(void)snprintf(expected, sizeof(expected), "%s/.substrate", entry->pw_dir);
	assert_int_equal(unsetenv("HOME"), 0);
	assert_int_equal(client_home(&home, &err), 0);
	assert_string_equal(home, expected);
	free(home);
}

static void requests_are_made_one_after_the_other(void **state)
{
	const struct fixture *fixture = *state;
	struct client *client = connect_to(fixture->dir);
	json_t *body = json_pack("{s:s, s:[i, i]}", "text", "\xc3\xa9\n", "list", 1, 2);
	struct error err = {0};

	for (int i = 0; i < 3; i++) {
		struct client_answer answer = {0};

		assert_int_equal(client_call(client, "POST", "/echo", body, &answer, &err), 0);
		assert_int_equal(answer.status, 200);
		assert_true(json_equal(answer.body, body));
		json_decref(answer.body);
	}
	json_decref(body);
	client = client_close(client);
}

static void a_large_answer_arrives_whole(void **state)
{
	const struct fixture *fixture = *state;
	struct client *client = connect_to(fixture->dir);
	json_t *body = json_array();
	struct client_answer answer = {0};
	struct error err = {0};

	for (int i = 0; i < 300000; i++)
		assert_int_equal(json_array_append_new(body, json_integer(i)), 0);
	assert_int_equal(client_call(client, "POST", "/echo", body, &answer, &err), 0);
	assert_true(json_equal(answer.body, body));
	json_decref(answer.body);
	json_decref(body);
	client = client_close(client);
}

static void an_empty_answer_has_no_body(void **state)
{
	const struct fixture *fixture = *state;
	struct client *client = connect_to(fixture->dir);
	struct client_answer answer = {0};
	struct error err = {0};

	assert_int_equal(client_call(client, "POST", "/echo", NULL, &answer, &err), 0);
	assert_null(answer.body);
	client = client_close(client);
}

static void a_problem_becomes_an_error(void **state)
{
	const struct fixture *fixture = *state;
	struct client *client = connect_to(fixture->dir);
	struct client_answer answer = {0};
	struct error err = {0};

	assert_int_equal(client_call(client, "GET", "/nowhere", NULL, &answer, &err), 0);
	assert_int_equal(answer.status, 404);
	assert_int_equal(client_problem(&answer, &err), -ENOENT);
	assert_string_equal(err.msg, "/nowhere");
	json_decref(answer.body);
	// The connection goes on, or another one is made.
	assert_int_equal(client_call(client, "POST", "/echo", NULL, &answer, &err), 0);
	assert_int_equal(answer.status, 200);
	client = client_close(client);

	answer = (struct client_answer){.status = 599};
	assert_int_equal(client_problem(&answer, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "599"));
}

static void a_body_that_is_too_large_is_explained(void **state)
{
	const struct fixture *fixture = *state;
	struct client *client = connect_to(fixture->dir);
	json_t *body = json_array();
	struct client_answer answer = {0};
	struct error err = {0};

	for (int i = 0; i < 1000000; i++)
		assert_int_equal(json_array_append_new(body, json_integer(i)), 0);
	assert_int_equal(client_call(client, "POST", "/echo", body, &answer, &err), 0);
	assert_int_equal(answer.status, 413);
	assert_int_equal(client_problem(&answer, &err), -E2BIG);
	json_decref(answer.body);
	json_decref(body);
	client = client_close(client);
}

static void a_path_cannot_smuggle(void **state)
{
	static const char *const bad[] = {"", "hello", "/a b", "/a\r\nX: y", "/\xc3\xa9", "/\x7f"};
	const struct fixture *fixture = *state;
	struct client *client = connect_to(fixture->dir);
	struct client_answer answer = {0};
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(client_call(client, "GET", bad[i], NULL, &answer, &err), -EINVAL);
	client = client_close(client);
}

/* A daemon that misbehaves ------------------------------------------------------------- */

struct script {
	char dir[64];
	pid_t pid;
};

/** For each connection: read something, write the next text, close. */
static void script_start(struct script *script, const char *const *texts)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[80];
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(script->dir, sizeof(script->dir), "/tmp/test-client.XXXXXX");
	assert_non_null(mkdtemp(script->dir));
	(void)snprintf(path, sizeof(path), "%s/sock", script->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent.sock", path);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 10), 0);
	(void)fflush(NULL);
	script->pid = fork();
	if (script->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (; *texts; texts++) {
			char request[4096];
			int fd = accept(listener, NULL, NULL);

			(void)!read(fd, request, sizeof(request));
			(void)!write(fd, *texts, strlen(*texts));
			(void)close(fd);
		}
		_exit(0);
	}
	(void)close(listener);
}

static void script_stop(struct script *script)
{
	char path[96];

	assert_int_equal(waitpid(script->pid, NULL, 0), script->pid);
	(void)snprintf(path, sizeof(path), "%s/sock/agent.sock", script->dir);
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	(void)rmdir(script->dir);
}

static void broken_answers_are_errors(void **state)
{
	static const struct {
		const char *text;
		int r;
	} bad[] = {
		{"garbage\r\n\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\n\r\n", -EPROTO},                        // no length
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", -EPROTO}, // cut off
		{"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}", -EPROTO},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", -EINVAL},
		{"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"a\":1,\"a\":2}", -EINVAL},
		{"HTTP/1.1 200", -ECONNRESET},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *const texts[] = {bad[i].text, NULL};
		struct script script;
		struct client_answer answer = {.status = 1};
		struct error err = {0};

		script_start(&script, texts);

		struct client *client = connect_to(script.dir);
		int r = client_call(client, "GET", "/x", NULL, &answer, &err);

		if (r != bad[i].r)
			fail_msg("%d (%s) for %s", r, err.msg, bad[i].text);
		assert_int_equal(answer.status, 1);
		client = client_close(client);
		script_stop(&script);
	}
}

static void a_question_is_asked_again_and_an_order_is_not(void **state)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static const char *const twice[] = {"", good, NULL};
	static const char *const once[] = {"", NULL};
	struct script script;
	struct client_answer answer = {0};
	struct error err = {0};

	(void)state;
	script_start(&script, twice);

	struct client *client = connect_to(script.dir);

	assert_int_equal(client_call(client, "GET", "/x", NULL, &answer, &err), 0);
	assert_int_equal(answer.status, 200);
	client = client_close(client);
	script_stop(&script);

	script_start(&script, once);
	client = connect_to(script.dir);
	assert_int_equal(client_call(client, "POST", "/x", NULL, &answer, &err), -ECONNRESET);
	client = client_close(client);
	script_stop(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(home_is_found),
		cmocka_unit_test(requests_are_made_one_after_the_other),
		cmocka_unit_test(a_large_answer_arrives_whole),
		cmocka_unit_test(an_empty_answer_has_no_body),
		cmocka_unit_test(a_problem_becomes_an_error),
		cmocka_unit_test(a_body_that_is_too_large_is_explained),
		cmocka_unit_test(a_path_cannot_smuggle),
		cmocka_unit_test(broken_answers_are_errors),
		cmocka_unit_test(a_question_is_asked_again_and_an_order_is_not),
	};

	return cmocka_run_group_tests_name("client/client", tests, start, stop);
}

// SPDX-License-Identifier: Apache-2.0
#include "client/autostart.h"

#include "base/error.h"
#include "base/fd.h"
#include "client/client.h"
#include "http/fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 8

/** A home whose fake daemon does as `mode` says. */
struct place {
	struct fixture at; /**< To talk to the daemon; pid is not set. */
	int fd;
};

static void put(const struct place *place, const char *name, const char *text)
{
	AUTO(fd_close)
	int fd = openat(place->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

static char *get(const struct place *place, const char *name)
{
	struct error err = {0};
	char *text = NULL;
	size_t len;

	if (fd_read_file(place->fd, name, 65536, &text, &len, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	return text;
}

static void place_make(struct place *place, const char *mode)
{
	(void)snprintf(place->at.dir, sizeof(place->at.dir), "/tmp/test-start.XXXXXX");
	assert_non_null(mkdtemp(place->at.dir));
	(void)snprintf(place->at.path, sizeof(place->at.path), "%s/sock/agent.sock", place->at.dir);
	place->fd = open(place->at.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	put(place, "mode", mode);
}

static void place_remove(struct place *place)
{
	static const char *const names[] = {"mode",   "env",    "lock",
					    "starts", "target", "sock/agent.sock"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unlinkat(place->fd, names[i], 0);
	(void)unlinkat(place->fd, "sock", AT_REMOVEDIR);
	(void)close(place->fd);
	assert_int_equal(rmdir(place->at.dir), 0);
}

static void quit(const struct place *place)
{
	struct answer answer = {0};
	int fd = fixture_dial(&place->at);

	fixture_say(fd, "GET /quit HTTP/1.1\r\nHost: x\r\n\r\n");
	fixture_answer(fd, &answer);
	assert_int_equal(fixture_drain(fd), 0); // it has ended, or nearly so
	(void)close(fd);
	fixture_answer_done(&answer);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void what_the_daemon_says_is_passed_on(void **state)
{
	struct place place;
	struct error err = {0};
	long holder = 0;

	(void)state;
	place_make(&place, "fail");
	assert_int_equal(autostart_daemon(place.at.dir, 10000, &holder, &err), -EIO);
	assert_non_null(strstr(err.msg, "no luck today"));
	put(&place, "mode", "running");
	assert_int_equal(autostart_daemon(place.at.dir, 10000, &holder, &err), AUTOSTART_RUNNING);
	assert_int_equal(holder, 4711);
	put(&place, "mode", "die");
	assert_int_equal(autostart_daemon(place.at.dir, 10000, &holder, &err), -EIO);
	assert_non_null(strstr(err.msg, "daemon.log"));
	put(&place, "mode", "hang");
	assert_int_equal(autostart_daemon(place.at.dir, 50, &holder, &err), -ETIMEDOUT);
	while (waitpid(-1, NULL, 0) > 0)
		; // the one that hangs; the others are reaped, so that nothing is left here
	place_remove(&place);
}

static void no_zombie_is_left(void **state)
{
	struct place place;
	struct error err = {0};
	long holder = 0;

	(void)state;
	place_make(&place, "running");
	assert_int_equal(autostart_daemon(place.at.dir, 10000, &holder, &err), AUTOSTART_RUNNING);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	place_remove(&place);
}

static void the_daemon_gets_few_variables(void **state)
{
	struct place place;
	struct error err = {0};
	long holder = 0;

	(void)state;
	place_make(&place, "running");
	assert_int_equal(setenv("SECRET_TOKEN", "x", 1), 0);
	assert_int_equal(setenv("LD_PRELOAD_X", "x", 1), 0);
	assert_int_equal(setenv("HOME", "/somewhere", 1), 0);
	assert_int_equal(setenv("LANG", "C.UTF-8", 1), 0);
	assert_int_equal(setenv("SUBSTRATE_IDLE_EXIT", "5", 1), 0);
	assert_int_equal(setenv("SUBSTRATE_HOME", "/elsewhere", 1), 0);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_int_equal(autostart_daemon(place.at.dir, 10000, &holder, &err), AUTOSTART_RUNNING);

	AUTO(mem_free) char *env = get(&place, "env");
	AUTO(buf_done) struct buf expected = {0};

	buf_addf(&expected,
		 "SUBSTRATE_HOME=%s\nHOME=/somewhere\nSUBSTRATE_IDLE_EXIT=5\nPATH=%s\n"
		 "LANG=C.UTF-8\n",
		 place.at.dir, getenv("PATH"));
	assert_string_equal(env, expected.data);
	place_remove(&place);
}

static void many_clients_start_one_daemon(void **state)
{
	struct place place;
	pid_t pids[CLIENTS];
	int status;

	(void)state;
	place_make(&place, "serve");
	(void)fflush(NULL);
	for (int i = 0; i < CLIENTS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct client_options options = {.home = place.at.dir, .start = true};
			struct client *client = NULL;
			struct error err = {0};
			int r = client_open(&options, &client, &err);

			if (r < 0)
				(void)fprintf(stderr, "client: %s\n", err.msg);
			client = client_close(client);
			_exit(r < 0);
		}
	}
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	quit(&place);
	place_remove(&place);
}

static void a_daemon_that_is_not_wanted_is_not_started(void **state)
{
	struct place place;
	struct client_options options = {.start = false};
	struct client *client = NULL;
	struct error err = {0};

	(void)state;
	place_make(&place, "serve");
	options.home = place.at.dir;
	assert_int_equal(client_open(&options, &client, &err), -ENOENT);
	assert_null(client);
	assert_int_equal(faccessat(place.fd, "starts", F_OK, 0), -1);
	place_remove(&place);
}

static void a_daemon_that_ended_is_started_again(void **state)
{
	struct place place;
	struct client_options options = {.start = true};
	struct client *client = NULL;
	struct client_answer answer = {0};
	struct error err = {0};

	(void)state;
	place_make(&place, "serve");
	options.home = place.at.dir;
	assert_int_equal(client_open(&options, &client, &err), 0);
	assert_int_equal(client_call(client, "GET", "/echo", NULL, &answer, &err), 0);
	quit(&place);
	// The connection is dead, and so is the daemon.
	assert_int_equal(client_call(client, "GET", "/echo", NULL, &answer, &err), 0);
	assert_int_equal(answer.status, 200);
	client = client_close(client);
	quit(&place);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_daemon_says_is_passed_on),
		cmocka_unit_test(no_zombie_is_left),
		cmocka_unit_test(the_daemon_gets_few_variables),
		cmocka_unit_test(many_clients_start_one_daemon),
		cmocka_unit_test(a_daemon_that_is_not_wanted_is_not_started),
		cmocka_unit_test(a_daemon_that_ended_is_started_again),
	};

	return cmocka_run_group_tests_name("client/autostart", tests, NULL, NULL);
}

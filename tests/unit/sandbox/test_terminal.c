// SPDX-License-Identifier: Apache-2.0
/** Commands on a terminal of the world's own: its session, stops, and what happens at the end. */
#include "base/fd.h"
#include "base/str.h"
#include "unit.h"
#include "world_fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 60000

/** Start the script; returns the master, which CONTROL_SPAWNED brought. */
static int start(struct fixture *f, const char *script)
{
	struct control_spawned spawned;

	(void)fixture_spawn_terminal(f, script);
	fixture_expect(f, CONTROL_SPAWNED);
	memcpy(&spawned, f->packet.data, sizeof(spawned));
	assert_int_equal(spawned.step, CONTROL_STEP_NONE);
	assert_int_equal(f->packet.nfds, 1);
	return TAKE_FD(f->packet.fds[0]);
}

/** Read from the terminal until it ends, or until `until` has come.  The text is static. */
static const char *screen(int master, const char *until)
{
	static char text[65536];
	size_t len = 0;

	for (;;) {
		struct pollfd wait = {.fd = master, .events = POLLIN};

		assert_int_equal(poll(&wait, 1, WAIT_MS), 1);

		ssize_t n = read(master, text + len, sizeof(text) - 1 - len);

		if (n <= 0)
			break; // EIO: nobody has it open
		len += (size_t)n;
		text[len] = '\0';
		if (until && strstr(text, until))
			break;
	}
	text[len] = '\0';
	return text;
}

static void type(int master, const char *text)
{
	assert_int_equal(fd_write_full(master, text, strlen(text)), 0);
}

/** The last command is meant. */
static struct control_exited wait_exit(struct fixture *f)
{
	return fixture_wait_exit(f, f->seq);
}

static void signal_it(struct fixture *f, int signo, enum control_target target)
{
	fixture_signal(f, f->seq, signo, target);
}

static void expect_stop(struct fixture *f, int signo)
{
	struct control_stopped stopped;

	fixture_expect(f, CONTROL_STOPPED);
	assert_int_equal(f->packet.header.seq, f->seq);
	memcpy(&stopped, f->packet.data, sizeof(stopped));
	assert_int_equal(stopped.signo, signo);
}

static uint32_t count_processes(struct fixture *f)
{
	struct control_processes head;

	fixture_send(f, CONTROL_LIST, 1234, NULL, 0);
	fixture_expect(f, CONTROL_PROCESSES);
	memcpy(&head, f->packet.data, sizeof(head));
	return head.count;
}

/** Only the descriptors that a command is to have, and the terminal is a real one. */
static void a_command_has_a_terminal(void **state)
{
	AUTO(fd_close)
	int master = start(*state, "tty; stty size; test -t 1 && test -t 2 && echo all; "
				   "echo $(ls /proc/self/fd); echo x >/dev/tty; echo y >$(tty)");

	assert_string_equal(screen(master, NULL),
			    "/dev/pts/0\r\n33 77\r\nall\r\n0 1 2 3\r\nx\r\ny\r\n");
	assert_int_equal(wait_exit(*state).status, 0);
}

static void the_status_arrives(void **state)
{
	AUTO(fd_close) int master = start(*state, "exit 7");
	struct control_exited exited = wait_exit(*state);

	(void)master;
	assert_int_equal(WEXITSTATUS(exited.status), 7);
	assert_int_equal(exited.survivors, 0);
	assert_true(exited.max_rss_kib > 0);
}

static void what_cannot_run_has_no_terminal(void **state)
{
	struct fixture *f = *state;
	struct control_spawned spawned;

	(void)fixture_spawn_terminal(f, "exec true");
	fixture_expect(f, CONTROL_SPAWNED);
	control_packet_done(&f->packet);
	(void)wait_exit(f);
	(void)snprintf(f->project, sizeof(f->project), "%s", "/no/such");
	(void)fixture_spawn_terminal(f, "true");
	fixture_expect(f, CONTROL_SPAWNED);
	memcpy(&spawned, f->packet.data, sizeof(spawned));
	assert_int_equal(spawned.step, CONTROL_STEP_CWD);
	assert_int_equal(spawned.error, ENOENT);
	assert_int_equal(f->packet.nfds, 0);
}

static void ctrl_c_interrupts(void **state)
{
	AUTO(fd_close) int master = start(*state, "echo ready; exec sleep 1000");

	(void)screen(master, "ready");
	type(master, "\003");
	assert_int_equal(WTERMSIG(wait_exit(*state).status), SIGINT);
}

static void ctrl_z_stops_and_cont_continues(void **state)
{
	AUTO(fd_close)
	int master = start(*state, "trap 'echo again; exit 3' CONT; echo ready; read x");

	(void)screen(master, "ready");
	type(master, "\032");
	expect_stop(*state, SIGTSTP);
	signal_it(*state, SIGCONT, CONTROL_TO_GROUP);
	(void)screen(master, "again");
	assert_int_equal(WEXITSTATUS(wait_exit(*state).status), 3);
}

static void a_stop_at_once_is_told(void **state)
{
	AUTO(fd_close) int master = start(*state, "kill -STOP $$; exit 5");

	expect_stop(*state, SIGSTOP);
	signal_it(*state, SIGCONT, CONTROL_TO_GROUP);
	assert_int_equal(WEXITSTATUS(wait_exit(*state).status), 5);
	(void)master;
}

/** No SIGHUP reaches it, and it may go on writing. */
static void what_is_left_keeps_the_terminal(void **state)
{
	AUTO(fd_close)
	int master = start(*state, "(while ! test -e go; do sleep 0.05; done; echo late) & "
				   "echo early");

	(void)screen(master, "early");
	assert_true(wait_exit(*state).survivors > 0);
	fixture_write(*state, "project/go", "");
	assert_non_null(strstr(screen(master, NULL), "late"));
}

static void a_holder_is_no_process_of_the_command(void **state)
{
	AUTO(fd_close) int master = start(*state, "echo ready; exec sleep 1000");

	(void)screen(master, "ready");
	assert_int_equal(count_processes(*state), 1);
	signal_it(*state, SIGKILL, CONTROL_TO_COMMAND);
	assert_int_equal(WTERMSIG(wait_exit(*state).status), SIGKILL);
}

static void everything_on_the_terminal_is_killed(void **state)
{
	AUTO(fd_close)
	int master = start(*state, "set -m; sleep 1000 & (sleep 1000; :) & echo ready; wait");

	(void)screen(master, "ready");
	signal_it(*state, SIGKILL, CONTROL_TO_COMMAND);
	assert_int_equal(WTERMSIG(wait_exit(*state).status), SIGKILL);
	(void)screen(master, NULL); // to its end: nobody has it open
}

/** What holds the session has init's memory and nothing of it in reach. */
static void the_holder_is_out_of_reach(void **state)
{
	AUTO(fd_close)
	int master =
		start(*state, "ls /proc/$PPID/fd /proc/$PPID/cwd/ >/dev/null 2>&1 && echo in; "
			      "cat /proc/$PPID/mem /proc/$PPID/environ 2>/dev/null && echo in; "
			      "kill -TERM $PPID; kill -HUP $PPID; kill -INT $PPID; "
			      "echo alive: $(sed -n 's/^State:.*//p' /proc/$PPID/status | wc -l)");

	assert_string_equal(screen(master, NULL), "alive: 1\r\n");
	assert_int_equal(wait_exit(*state).status, 0);
}

static void a_command_outlives_its_holder(void **state)
{
	AUTO(fd_close)
	int master = start(*state, "trap '' HUP; kill -KILL $PPID; sleep 0.2; exit 6");

	assert_int_equal(WEXITSTATUS(wait_exit(*state).status), 6);
	(void)master;
}

static void many_terminals_at_once(void **state)
{
	struct fixture *f = *state;
	int masters[20];
	unsigned exits = 0;

	for (size_t i = 0; i < ARRAY_LEN(masters); i++)
		masters[i] = start(f, "read line; exit 4");
	for (size_t i = 0; i < ARRAY_LEN(masters); i++)
		type(masters[i], "go\n");
	for (; exits < ARRAY_LEN(masters); exits++) {
		struct control_exited exited;

		fixture_expect(f, CONTROL_EXITED);
		memcpy(&exited, f->packet.data, sizeof(exited));
		assert_int_equal(WEXITSTATUS(exited.status), 4);
	}
	for (size_t i = 0; i < ARRAY_LEN(masters); i++)
		(void)fd_close(masters[i]);
	assert_int_equal(count_processes(f), 0);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_command_has_a_terminal),
		WORLD_TEST(the_status_arrives),
		WORLD_TEST(what_cannot_run_has_no_terminal),
		WORLD_TEST(ctrl_c_interrupts),
		WORLD_TEST(ctrl_z_stops_and_cont_continues),
		WORLD_TEST(a_stop_at_once_is_told),
		WORLD_TEST(what_is_left_keeps_the_terminal),
		WORLD_TEST(a_holder_is_no_process_of_the_command),
		WORLD_TEST(everything_on_the_terminal_is_killed),
		WORLD_TEST(the_holder_is_out_of_reach),
		WORLD_TEST(a_command_outlives_its_holder),
		WORLD_TEST(many_terminals_at_once),
	};

	unit_needs_host();
	if (fixture_main(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests_name("sandbox/terminal", tests, NULL, NULL);
}

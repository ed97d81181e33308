// SPDX-License-Identifier: Apache-2.0
#include "client/stream.h"

#include "base/buf.h"
#include "base/error.h"
#include "client/client.h"
#include "http/fixture.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
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
	fixture_expect(*state, "ws_open", 0);
	fixture_stop(*state);
	return 0;
}

static struct stream *open_stream(const char *home, json_t *start)
{
	struct client_options options = {.home = home};
	struct client *client = NULL;
	struct stream *stream = NULL;
	struct error err = {0};

	if (client_open(&options, &client, &err) < 0 ||
	    stream_open(client, start, &stream, &err) < 0)
		fail_msg("%s", err.msg);
	client = client_close(client);
	json_decref(start);
	return stream;
}

/** Wait for the next message.  Returns stream_read()'s 1 or error. */
static int next(struct stream *stream, struct stream_message *ret, struct error *err)
{
	for (;;) {
		int r = stream_read(stream, ret, err);
		short events = POLLIN;

		if (r != 0)
			return r;
		if (stream_pending(stream))
			events |= POLLOUT;

		struct pollfd poll_fd = {.fd = stream_fd(stream), .events = events};

		if (poll(&poll_fd, 1, 20000) != 1)
			fail_msg("nothing came");
		if (stream_flush(stream, err) < 0 && !(poll_fd.revents & POLLIN))
			return -EPIPE;
	}
}

static void expect(struct stream *stream, enum stream_kind kind, const char *text)
{
	struct stream_message message = {0};
	struct error err = {0};
	int r = next(stream, &message, &err);

	if (r < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(message.kind, kind);
	if (text) {
		assert_int_equal(message.len, strlen(text));
		assert_memory_equal(message.data, text, message.len);
	}
	if (kind == STREAM_TEXT)
		assert_true(json_is_object(message.object));
}

static void a_command_runs_to_its_end(void **state)
{
	const struct fixture *fixture = *state;
	struct stream *stream = open_stream(fixture->dir, json_pack("{s:s}", "cmd", "true"));
	struct error err = {0};

	expect(stream, STREAM_TEXT, "{\"cmd\":\"true\"}");
	assert_int_equal(stream_send_stdin(stream, "some\0input", 10, &err), 0);

	struct stream_message message = {0};

	assert_int_equal(next(stream, &message, &err), 1);
	assert_int_equal(message.kind, STREAM_STDOUT);
	assert_int_equal(message.len, 10);
	assert_memory_equal(message.data, "some\0input", 10);
	expect(stream, STREAM_STDERR, "10");
	assert_int_equal(stream_send_signal(stream, 15, &err), 0);
	expect(stream, STREAM_TEXT, "{\"type\":\"signal\",\"signal\":15}");
	assert_int_equal(stream_send_close_stdin(stream, &err), 0);
	expect(stream, STREAM_TEXT, "{\"type\":\"exit\",\"exit\":7}");
	expect(stream, STREAM_END, NULL);
	stream = stream_close(stream);
}

static void much_goes_both_ways_at_once(void **state)
{
	static char chunk[65536];
	const struct fixture *fixture = *state;
	struct stream *stream = open_stream(fixture->dir, json_pack("{s:s}", "cmd", "cat"));
	struct error err = {0};
	size_t sent = 0;
	size_t got = 0;
	bool closed = false;

	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = (char)(i * 7);
	expect(stream, STREAM_TEXT, NULL);
	for (;;) {
		struct stream_message message = {0};

		while (sent < 200 && !stream_pending(stream)) {
			assert_int_equal(stream_send_stdin(stream, chunk, sizeof(chunk), &err), 0);
			sent++;
		}
		if (sent == 200 && !stream_pending(stream) && !closed) {
			assert_int_equal(stream_send_close_stdin(stream, &err), 0);
			closed = true;
		}
		assert_int_equal(next(stream, &message, &err), 1);
		if (message.kind == STREAM_END)
			break;
		if (message.kind != STREAM_STDOUT)
			continue;
		assert_int_equal(message.len, sizeof(chunk));
		assert_memory_equal(message.data, chunk, sizeof(chunk));
		got++;
	}
	assert_int_equal(got, 200);
	stream = stream_close(stream);
}

static void a_large_start_message_is_sent(void **state)
{
	static char text[3U << 20];
	const struct fixture *fixture = *state;

	memset(text, 'x', sizeof(text) - 1);

	struct stream *stream = open_stream(fixture->dir, json_pack("{s:s}", "cmd", text));
	struct stream_message message = {0};
	struct error err = {0};

	assert_int_equal(next(stream, &message, &err), 1);
	assert_string_equal(json_string_value(json_object_get(message.object, "cmd")), text);
	stream = stream_close(stream);
}

static void a_start_message_over_the_limit_is_refused_here(void **state)
{
	static char text[4U << 20];
	const struct fixture *fixture = *state;
	struct client_options options = {.home = fixture->dir};
	struct client *client = NULL;
	struct stream *stream = NULL;
	struct error err = {0};

	memset(text, 'x', sizeof(text) - 1);

	json_t *object = json_pack("{s:s}", "cmd", text);

	assert_int_equal(client_open(&options, &client, &err), 0);
	assert_int_equal(stream_open(client, object, &stream, &err), -E2BIG);
	assert_null(stream);
	client = client_close(client);
	json_decref(object);
}

static void too_much_stdin_at_once_is_refused(void **state)
{
	static char chunk[65537];
	const struct fixture *fixture = *state;
	struct stream *stream = open_stream(fixture->dir, json_pack("{s:s}", "cmd", "cat"));
	struct error err = {0};

	assert_int_equal(stream_send_stdin(stream, chunk, sizeof(chunk), &err), -EMSGSIZE);
	assert_false(stream_pending(stream));
	stream = stream_close(stream);
}

/* A daemon that misbehaves ------------------------------------------------------------- */

#define SWITCH \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
#define HELLO "\x81\x0d{\"type\":\"hi\"}"

struct script_text {
	const char *data;
	size_t len;
};

#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

/** Serve one text a connection, byte by byte, then close; `n` connections. */
static pid_t serve(const char *path, const struct script_text *texts, size_t n)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 10), 0);
	(void)fflush(NULL);

	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (size_t i = 0; i < n; i++) {
			char request[4096];
			int fd = accept(listener, NULL, NULL);

			(void)!read(fd, request, sizeof(request));
			for (size_t at = 0; at < texts[i].len; at++)
				(void)!write(fd, texts[i].data + at, 1);
			(void)close(fd);
		}
		_exit(0);
	}
	(void)close(listener);
	return pid;
}

/** What a stream gives when the daemon sends `texts`: messages as "kind:text ", then the end. */
static int read_script(const struct script_text *texts, size_t n, struct buf *got,
		       struct error *err)
{
	char dir[] = "/tmp/test-stream.XXXXXX";
	char path[80];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/sock/agent.sock", dir);

	pid_t pid = serve(path, texts, n);
	struct stream *stream = open_stream(dir, json_pack("{s:s}", "cmd", "x"));
	struct stream_message message = {0};
	int r;

	while ((r = next(stream, &message, err)) == 1 && message.kind != STREAM_END)
		buf_addf(got, "%d:%.*s ", (int)message.kind, (int)message.len, message.data);
	stream = stream_close(stream);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	(void)rmdir(dir);
	return r;
}

static void what_a_daemon_sends_is_judged(void **state)
{
	static const struct {
		struct script_text text;
		int r; /**< 1: a proper end. */
		const char *got;
	} cases[] = {
		{TEXT(SWITCH HELLO "\x88\x00"), 1, "3:{\"type\":\"hi\"} "},
		{TEXT(SWITCH "\x82\x03\x01"
			     "ab\x82\x01\x02\x88\x02\x03\xe8"),
		 1, "1:ab 2: "},
		{TEXT(SWITCH "\x89\x01p\x8a\x01p\x02\x02\x01"
			     "a\x80\x01"
			     "b\x88\x00"),
		 1, "1:ab "},
		{TEXT(SWITCH HELLO), -ECONNRESET, "3:{\"type\":\"hi\"} "}, // dies without a close
		{TEXT(SWITCH "\x82\x02\x00x"), -EPROTO, ""},               // channel 0
		{TEXT(SWITCH "\x82\x02\x03x"), -EPROTO, ""},
		{TEXT(SWITCH "\x82\x00"), -EPROTO, ""}, // no channel
		{TEXT(SWITCH "\x81\x02no"), -EINVAL, ""},
		{TEXT(SWITCH "\x81\x82\x00\x00\x00\x00{}"), -EPROTO, ""}, // masked
		{TEXT(SWITCH "\x82\x7f\x00\x00\x00\x00\x7f\xff\xff\xff"), -EMSGSIZE, ""},
		{TEXT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), -EPROTO, ""},
		{TEXT("nonsense\r\n\r\n"), -EPROTO, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf got = {0};
		struct error err = {0};
		int r = read_script(&cases[i].text, 1, &got, &err);

		if (r != cases[i].r)
			fail_msg("case %zu: %d %s", i, r, err.msg);
		assert_string_equal(got.data ? got.data : "", cases[i].got);
	}
}

static void a_refusal_is_explained(void **state)
{
	static const struct script_text refusal[] = {TEXT(
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n{\"detail\":\"not you\"}")};
	AUTO(buf_done) struct buf got = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(read_script(refusal, 1, &got, &err), -EACCES);
	assert_string_equal(err.msg, "not you");
}

static void a_cut_refusal_is_still_a_refusal(void **state)
{
	static const struct script_text cut[] = {
		TEXT("HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n{\"detail\"")};
	AUTO(buf_done) struct buf got = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(read_script(cut, 1, &got, &err), -EACCES);
	assert_non_null(strstr(err.msg, "403"));
}

static void a_daemon_that_ends_unasked_is_tried_again_once(void **state)
{
	static const struct script_text second[] = {TEXT(""), TEXT(SWITCH HELLO "\x88\x00")};
	static const struct script_text never[] = {TEXT(""), TEXT("")};
	AUTO(buf_done) struct buf got = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(read_script(second, 2, &got, &err), 1);
	assert_string_equal(got.data, "3:{\"type\":\"hi\"} ");
	assert_int_equal(read_script(never, 2, &got, &err), -ECONNRESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_runs_to_its_end),
		cmocka_unit_test(much_goes_both_ways_at_once),
		cmocka_unit_test(a_large_start_message_is_sent),
		cmocka_unit_test(a_start_message_over_the_limit_is_refused_here),
		cmocka_unit_test(too_much_stdin_at_once_is_refused),
		cmocka_unit_test(what_a_daemon_sends_is_judged),
		cmocka_unit_test(a_refusal_is_explained),
		cmocka_unit_test(a_cut_refusal_is_still_a_refusal),
		cmocka_unit_test(a_daemon_that_ends_unasked_is_tried_again_once),
	};

	return cmocka_run_group_tests_name("client/stream", tests, start, stop);
}

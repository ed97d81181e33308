// SPDX-License-Identifier: Apache-2.0
#include "http/fixture.h"

#include "base/clock.h"
#include "base/error.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 20000

const char fixture_handshake[] = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
				 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static struct sockaddr_un address_of(const struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
	return address;
}

void fixture_start(struct fixture *fixture, unsigned connections_max)
{
	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/test-http.XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/sock", fixture->dir);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/sock/agent.sock", fixture->dir);

	struct sockaddr_un address = address_of(fixture);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	(void)fflush(NULL);
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (fixture->pid == 0) {
		// A test that fails does not stop its server.
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(fixture_serve(fd, connections_max));
	}
	(void)close(fd);
}

void fixture_stop(struct fixture *fixture)
{
	struct answer answer = {0};
	int status;

	fixture_get(fixture, "/quit", &answer);
	fixture_answer_done(&answer);
	assert_int_equal(waitpid(fixture->pid, &status, 0), fixture->pid);
	(void)unlink(fixture->path);
	*strrchr(fixture->path, '/') = '\0';
	(void)rmdir(fixture->path);
	(void)rmdir(fixture->dir);
	assert_int_equal(status, 0);
}

int fixture_dial(const struct fixture *fixture)
{
	struct sockaddr_un address = address_of(fixture);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail_msg("connect: %s", strerror(errno));
	return fd;
}

size_t fixture_push(int fd, const void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = send(fd, (const char *)data + done, len - done, MSG_NOSIGNAL);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void fixture_send(int fd, const void *data, size_t len)
{
	assert_int_equal(fixture_push(fd, data, len), len);
}

void fixture_say(int fd, const char *text)
{
	fixture_send(fd, text, strlen(text));
}

/** Read some more.  Returns 0 at the end of the stream. */
static size_t read_more(int fd, struct buf *in)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char *room = buf_room(in, 65536);

	assert_non_null(room);
	if (poll(&poll_fd, 1, DEADLINE_MS) != 1)
		fail_msg("nothing came");

	ssize_t n = recv(fd, room, 65536, 0);

	if (n < 0 && errno == ECONNRESET)
		n = 0;
	assert_true(n >= 0);
	buf_advance(in, (size_t)n);
	return (size_t)n;
}

void fixture_answer(int fd, struct answer *answer)
{
	struct error err = {0};
	size_t size;
	int r;

	answer->bytes.len = 0;
	buf_add(&answer->bytes, answer->rest.data, answer->rest.len);
	answer->rest.len = 0;
	while ((r = head_parse(answer->bytes.data ? answer->bytes.data : "", answer->bytes.len,
			       &answer->head, &err)) == HEAD_MORE) {
		if (read_more(fd, &answer->bytes) == 0)
			fail_msg("the connection ended before the answer");
	}
	assert_int_equal(r, 0);
	size = answer->head.size + (size_t)answer->head.length;
	while (answer->bytes.len < size) {
		if (read_more(fd, &answer->bytes) == 0)
			fail_msg("the connection ended within the answer");
	}
	// The reads have moved the bytes.
	assert_int_equal(head_parse(answer->bytes.data, answer->bytes.len, &answer->head, &err), 0);
	answer->body.len = 0;
	buf_add(&answer->body, answer->bytes.data + answer->head.size, (size_t)answer->head.length);
	buf_add(&answer->rest, answer->bytes.data + size, answer->bytes.len - size);
}

void fixture_answer_done(struct answer *answer)
{
	buf_done(&answer->bytes);
	buf_done(&answer->body);
	buf_done(&answer->rest);
	*answer = (struct answer){0};
}

size_t fixture_drain(int fd)
{
	struct buf in = {0};

	while (read_more(fd, &in) > 0)
		;

	size_t len = in.len;

	buf_done(&in);
	return len;
}

void fixture_get(const struct fixture *fixture, const char *path, struct answer *answer)
{
	struct buf request = {0};
	int fd = fixture_dial(fixture);

	buf_addf(&request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	fixture_send(fd, request.data, request.len);
	fixture_answer(fd, answer);
	buf_done(&request);
	(void)close(fd);
}

long fixture_counter(const struct fixture *fixture, const char *counter)
{
	struct answer answer = {0};

	fixture_get(fixture, "/counters", &answer);

	const char *at = strstr(answer.body.data, counter);

	assert_non_null(at);
	at += strlen(counter);
	assert_int_equal(*at, '=');

	long value = strtol(at + 1, NULL, 10);

	fixture_answer_done(&answer);
	return value;
}

void fixture_expect(const struct fixture *fixture, const char *counter, long value)
{
	uint64_t due_ns = clock_mono_ns() + DEADLINE_MS * (uint64_t)1000000U;
	long seen;

	while ((seen = fixture_counter(fixture, counter)) != value && clock_mono_ns() < due_ns)
		(void)poll(NULL, 0, 5);
	if (seen != value)
		fail_msg("%s is %ld, not %ld", counter, seen, value);
}

void fixture_frame(struct buf *out, struct frame frame, const void *data)
{
	uint8_t header[FRAME_HEADER_MAX];

	buf_add(out, header, frame_print(&frame, header));

	size_t start = out->len;

	buf_add(out, data, (size_t)frame.length);
	if (frame.masked)
		frame_mask(out->data + start, (size_t)frame.length, frame.mask, 0);
}

void fixture_message(int fd, enum frame_opcode opcode, const void *data, size_t len)
{
	struct buf out = {0};

	fixture_frame(&out,
		      (struct frame){.fin = true,
				     .masked = true,
				     .opcode = opcode,
				     .mask = {9, 8, 7, 6},
				     .length = len},
		      data);
	fixture_send(fd, out.data, out.len);
	buf_done(&out);
}

int fixture_websocket(const struct fixture *fixture, struct buf *in)
{
	struct answer answer = {0};
	int fd = fixture_dial(fixture);

	fixture_say(fd, fixture_handshake);
	fixture_answer(fd, &answer);
	assert_int_equal(answer.head.status, 101);
	buf_add(in, answer.rest.data, answer.rest.len);
	fixture_answer_done(&answer);
	return fd;
}

struct frame fixture_read_frame(int fd, struct buf *in, struct buf *ret)
{
	struct error err = {0};
	struct frame frame;
	int r;

	while ((r = frame_parse(in->data ? in->data : "", in->len, &frame, &err)) == FRAME_MORE ||
	       (r == 0 && in->len - frame.header_size < frame.length)) {
		if (read_more(fd, in) == 0)
			fail_msg("the connection ended before the frame");
	}
	assert_int_equal(r, 0);
	assert_false(frame.masked);
	ret->len = 0;
	buf_add(ret, in->data + frame.header_size, (size_t)frame.length);
	buf_consume(in, frame.header_size + (size_t)frame.length);
	return frame;
}

void fixture_read_close(int fd, struct buf *in, unsigned code)
{
	struct buf data = {0};
	struct frame frame = fixture_read_frame(fd, in, &data);

	assert_int_equal(frame.opcode, FRAME_CLOSE);
	assert_true(data.len >= 2);
	assert_int_equal((unsigned)(uint8_t)data.data[0] << 8 | (uint8_t)data.data[1], code);
	buf_done(&data);
}

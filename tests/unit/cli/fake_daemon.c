// SPDX-License-Identifier: Apache-2.0
#include "fake_daemon.h"

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "httphead/frame.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANG_S 60 /* ends a child of a test that hangs */

/** The daemon's side of the connection. */
struct peer {
	int fd;
	struct buf in;
	char message[65536 + 16]; /**< The last one from the client. */
	size_t len;
};

static void must(bool ok)
{
	if (!ok)
		_exit(1);
}

static void fill(struct peer *peer)
{
	char *room = buf_room(&peer->in, 65536);
	ssize_t n = recv(peer->fd, room, 65536, 0);

	must(n > 0);
	buf_advance(&peer->in, (size_t)n);
}

/** Read one message of the client. */
static void take_message(struct peer *peer)
{
	struct frame frame;
	struct error err = {0};
	int r = FRAME_MORE;

	while (peer->in.len == 0 ||
	       (r = frame_parse(peer->in.data, peer->in.len, &frame, &err)) == FRAME_MORE ||
	       (r == 0 && peer->in.len < frame.header_size + frame.length))
		fill(peer);
	must(r == 0 && frame.masked && frame.fin && frame.length < sizeof(peer->message));
	peer->len = (size_t)frame.length;
	memcpy(peer->message, peer->in.data + frame.header_size, peer->len);
	frame_mask(peer->message, peer->len, frame.mask, 0);
	peer->message[peer->len] = '\0';
	buf_consume(&peer->in, frame.header_size + peer->len);
}

static void send_bytes(const struct peer *peer, const void *data, size_t len)
{
	// A client that left is none of the daemon's business here.
	(void)!send(peer->fd, data, len, MSG_NOSIGNAL);
}

static void send_message(const struct peer *peer, int channel, const char *data, size_t len)
{
	struct frame frame = {.fin = true, .opcode = channel ? FRAME_BINARY : FRAME_TEXT};
	uint8_t header[FRAME_HEADER_MAX];
	AUTO(buf_done) struct buf out = {0};

	frame.length = len + (channel ? 1 : 0);
	buf_add(&out, header, frame_print(&frame, header));
	if (channel)
		buf_addc(&out, (char)channel);
	buf_add(&out, data, len);
	send_bytes(peer, out.data, out.len);
}

static void take_head(struct peer *peer)
{
	while (peer->in.len == 0 || !strstr(peer->in.data, "\r\n\r\n"))
		fill(peer);
}

static void act_answer(struct peer *peer, const struct fake_step *step)
{
	AUTO(buf_done) struct buf out = {0};

	take_head(peer);
	buf_addf(&out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", step->number,
		 strlen(step->text), step->text);
	send_bytes(peer, out.data, out.len);
}

static void act_switch(struct peer *peer, const struct fake_step *step)
{
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				     "Connection: Upgrade\r\n"
				     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

	(void)step;
	take_head(peer);
	buf_consume(&peer->in, (size_t)(strstr(peer->in.data, "\r\n\r\n") + 4 - peer->in.data));
	take_message(peer);
	send_bytes(peer, answer, sizeof(answer) - 1);
}

static void act_send(struct peer *peer, const struct fake_step *step)
{
	send_message(peer, 0, step->text, strlen(step->text));
}

static void act_output(struct peer *peer, const struct fake_step *step)
{
	send_message(peer, step->number, step->text, strlen(step->text));
}

static void act_flood(struct peer *peer, const struct fake_step *step)
{
	static char block[32768];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < step->number; i++)
		send_message(peer, 1, block, sizeof(block));
}

static void act_expect(struct peer *peer, const struct fake_step *step)
{
	take_message(peer);
	must(strstr(peer->message, step->text));
}

static void act_expect_input(struct peer *peer, const struct fake_step *step)
{
	size_t len = strlen(step->text);

	for (size_t have = 0; have < len;) {
		take_message(peer);
		must(peer->len > 1 && peer->message[0] == 0);
		must(have + peer->len - 1 <= len);
		must(memcmp(step->text + have, peer->message + 1, peer->len - 1) == 0);
		have += peer->len - 1;
	}
}

static void act_kill(struct peer *peer, const struct fake_step *step)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	must(getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) == 0);
	must(kill(cred.pid, step->number) == 0);
}

static void act_wait_gone(struct peer *peer, const struct fake_step *step)
{
	char byte;

	(void)step;
	while (recv(peer->fd, &byte, 1, 0) > 0)
		;
}

static void (*const actions[])(struct peer *peer, const struct fake_step *step) = {
	[FAKE_ANSWER] = act_answer,
	[FAKE_SWITCH] = act_switch,
	[FAKE_SEND] = act_send,
	[FAKE_OUTPUT] = act_output,
	[FAKE_FLOOD] = act_flood,
	[FAKE_EXPECT] = act_expect,
	[FAKE_EXPECT_INPUT] = act_expect_input,
	[FAKE_KILL] = act_kill,
	[FAKE_WAIT_GONE] = act_wait_gone,
};

/** The child that is the daemon; `request` gets the first bytes of the client. */
_Noreturn static void serve(int listener, const struct fake_step *steps, int request)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	(void)alarm(HANG_S);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(peer);
	peer->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(peer->fd >= 0);
	fill(peer);
	(void)!write(request, peer->in.data, peer->in.len < 8000 ? peer->in.len : 8000);
	for (; steps->action != FAKE_END; steps++)
		actions[steps->action](peer, steps);
	_exit(0);
}

static int listen_in(const char *home)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char dir[64];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(dir, sizeof(dir), "%s/sock", home);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent.sock", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/** The child that is the program. */
_Noreturn static void run_program(const struct fake_run *run, const char *home, const int fds[3])
{
	char name[] = "substrate";
	char *argv[10] = {name};
	char variable[80];
	char path[] = "PATH=/bin";
	char secret[] = "SECRET=1";
	char *envp[] = {variable, path, secret, NULL};

	(void)alarm(HANG_S);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	// The runner of the tests may have been started with some of them ignored.
	for (int signo = 1; signo < 32; signo++) {
		struct sigaction action = {.sa_handler = signo == run->ignored ? SIG_IGN : SIG_DFL};

		(void)sigaction(signo, &action, NULL);
	}
	for (int i = 0; i < 3; i++)
		(void)dup2(fds[i], i);
	(void)snprintf(variable, sizeof(variable), "SUBSTRATE_HOME=%s", home);
	(void)setenv("SUBSTRATE_HOME", home, 1);
	for (size_t i = 0; i < 8 && run->argv[i]; i++)
		argv[i + 1] = run->argv[i];
	exit(cli_main("0.0", argv, envp)); // not _exit(): leaks are reported
}

static size_t read_some(int *fd, char *to, size_t have, size_t size)
{
	ssize_t n = read(*fd, to + have, size - 1 - have);

	if (n <= 0) {
		*fd = fd_close(*fd);
		n = 0;
	}
	to[have + (size_t)n] = '\0';
	return have + (size_t)n;
}

/** Read all three until their writers are gone. */
static void collect(struct fake_result *result, int out, int err, int request)
{
	struct pollfd fds[] = {{out, POLLIN, 0}, {err, POLLIN, 0}, {request, POLLIN, 0}};
	size_t err_len = 0, request_len = 0;

	while (fds[0].fd >= 0 || fds[1].fd >= 0 || fds[2].fd >= 0) {
		assert_true(poll(fds, 3, -1) > 0);
		if (fds[0].revents)
			result->out_len = read_some(&fds[0].fd, result->out, result->out_len,
						    sizeof(result->out));
		if (fds[1].revents)
			err_len = read_some(&fds[1].fd, result->err, err_len, sizeof(result->err));
		if (fds[2].revents)
			request_len = read_some(&fds[2].fd, result->request, request_len,
						sizeof(result->request));
	}
}

static int wait_for(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/** A stdin that yields the text and then ends. */
static int open_input(const char *text)
{
	int fds[2];

	if (!text)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_write_full(fds[1], text, strlen(text)), 0);
	(void)close(fds[1]);
	return fds[0];
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fd_close(fds[i]);
}

static void remove_home(const char *home)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/sock/agent.sock", home);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/sock", home);
	(void)rmdir(path);
	(void)rmdir(home);
}

const struct fake_result *fake_daemon_run(const struct fake_run *run)
{
	static struct fake_result results;
	struct fake_result *result = &results;
	char home[] = "/tmp/substrate-cli.XXXXXX";
	int out[2], err[2], request[2];
	pid_t daemon = -1;

	memset(result, 0, sizeof(*result));
	assert_non_null(mkdtemp(home));
	assert_int_equal(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC) | pipe2(request, O_CLOEXEC),
			 0);

	int listener = run->steps ? listen_in(home) : -1;
	int input = open_input(run->input);

	(void)fflush(NULL);
	if (run->steps && (daemon = fork()) == 0) {
		// Only the program writes its output, and only the test reads it.
		close_all((int[]){out[0], out[1], err[0], err[1], request[0]}, 5);
		serve(listener, run->steps, request[1]);
	}
	if (run->reader_gone)
		out[0] = fd_close(out[0]);

	pid_t program = fork();

	if (program == 0) {
		close_all((int[]){out[0], err[0], request[0], request[1], listener}, 5);
		run_program(run, home, (int[]){input, out[1], err[1]});
	}
	close_all((int[]){out[1], err[1], request[1], input, listener}, 5);
	collect(result, out[0], err[0], request[0]);
	result->status = wait_for(program);
	result->script_done = daemon < 0 || wait_for(daemon) == 0;
	remove_home(home);
	return result;
}

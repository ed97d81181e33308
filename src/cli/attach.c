// SPDX-License-Identifier: Apache-2.0
/**
 * The client's side of a running command.
 *
 * How it works: one poll() over the stream, our stdin, a signalfd, and the descriptor that did
 * not take all output.  Nothing else ever blocks.  One message of the stream is in work at a
 * time: while part of it waits to be written, the stream is not read, so the daemon stops reading
 * the command's pipe, and the command stops writing.  The other way round stdin is not read while
 * the stream has bytes to send.
 */
#include "cli/attach.h"

#include "base/error.h"
#include "base/fd.h"
#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/exitcode.h"
#include "cli/forward.h"
#include "cli/inlet.h"
#include "cli/outlet.h"
#include "cli/window.h"
#include "client/stream.h"
#include "json/encode.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define PARKED_MS 250

/**
 * Bytes of stdin that may be under way.  The daemon holds more than that for a command that does
 * not read, so what we send after it (a signal) is never stuck behind it.
 */
#define WINDOW (192u << 10)

enum { POLL_STREAM, POLL_SIGNALS, POLL_INPUT, POLL_OUTPUT, POLL_COUNT };

struct attach {
	struct cli *cli;
	const struct attach_request *request;
	struct stream *stream; /**< Borrowed. */
	int signal_fd;         /**< Borrowed. */
	struct window window;
	struct inlet inlet;
	struct outlet outlets[2]; /**< stdout, stderr. */
	struct outlet *blocked;   /**< Where `data` still has to go; NULL: nowhere. */
	const char *data;         /**< The rest of the message in work; borrowed from the stream. */
	size_t len;
	struct capture capture; /**< With --json. */
	uint64_t input_sent;    /**< Bytes of stdin so far. */
	uint64_t input_taken;   /**< How many of them are not under way any more. */
	bool started;           /**< The command runs. */
	bool deaf;              /**< The daemon takes no more from us; its answer may be there. */
	bool done;
	int status; /**< The exit status, once done. */
};

static void finish(struct attach *attach, int status)
{
	attach->done = true;
	attach->status = status;
}

/* Control messages --------------------------------------------------------------------- */

/** A send that fails is no news: what the daemon said before it closed is still to be read. */
static void sent(struct attach *attach, int r)
{
	if (r >= 0)
		return;
	attach->deaf = true;
	attach->inlet.open = false;
}

/** A line for --status-fd.  Whoever reads it may be gone; the command goes on. */
static void report(const struct attach *attach, json_t *message)
{
	AUTO(buf_done) struct buf line = {0};

	if (attach->cli->settings.status_fd < 0)
		return;
	encode_print(message, &line);
	buf_addc(&line, '\n');
	if (!line.failed)
		(void)fd_write_full(attach->cli->settings.status_fd, line.data, line.len);
}

static void complain(const struct attach *attach, const json_t *text)
{
	struct error err = {0};

	(void)error_set(&err, ECANCELED, "%s",
			json_is_string(text) ? json_string_value(text) : "no reason given");
	cli_complain(attach->cli, &err);
}

/** Our terminal is, or is again, the command's window. */
static void show_terminal(struct attach *attach)
{
	struct error err = {0};
	unsigned rows;
	unsigned cols;

	if (!attach->request->pty || !attach->started || attach->done || attach->deaf)
		return;
	window_enter(&attach->window);
	window_size(&rows, &cols);
	sent(attach, stream_send_resize(attach->stream, rows, cols, &err));
}

static void continue_command(struct attach *attach)
{
	struct error err = {0};

	if (attach->request->pty && attach->started && !attach->done && !attach->deaf)
		sent(attach, stream_send_continue(attach->stream, &err));
}

/**
 * It was stopped: so are we, until somebody continues us and we it.  Only where a person looks at
 * its terminal through ours: a command cannot stop the script that runs it.
 */
static void on_stopped(struct attach *attach, json_t *message)
{
	(void)message;
	if (!attach->window.raw)
		return;
	window_stop(&attach->window);
	show_terminal(attach);
	continue_command(attach);
}

/** Its span, by which it is found and ended. */
static void print_detached(struct attach *attach, json_t *message)
{
	const char *span = json_string_value(json_object_get(message, "span_id"));

	if (attach->cli->settings.json)
		cli_print_json(attach->cli, message);
	else
		buf_addf(&attach->cli->out, "%s\n", span ? span : "");
	finish(attach, EXITCODE_OK);
}

static void on_started(struct attach *attach, json_t *message)
{
	const json_t *notice;
	size_t i;

	attach->started = true;
	if (attach->cli->settings.detach) {
		print_detached(attach, message);
		return;
	}
	attach->inlet.open = attach->request->has_stdin;
	// A person is told before the first output; scripts read --status-fd.
	if (!attach->cli->settings.json && isatty(STDERR_FILENO)) {
		json_array_foreach (json_object_get(message, "notices"), i, notice)
			complain(attach, notice);
	}
	if (attach->request->pty)
		window_enter(&attach->window);
}

static void print_result(struct attach *attach, json_t *message)
{
	AUTO(value_free) json_t *object = capture_result(&attach->capture, message);

	if (object)
		cli_print_json(attach->cli, object);
	else
		attach->cli->out.failed = true;
}

static void on_stdin_taken(struct attach *attach, json_t *message)
{
	json_int_t bytes = json_integer_value(json_object_get(message, "bytes"));

	if (bytes > 0 && (uint64_t)bytes <= attach->input_sent)
		attach->input_taken = (uint64_t)bytes;
}

static void on_exited(struct attach *attach, json_t *message)
{
	json_t *error = json_object_get(message, "error");

	window_leave(&attach->window);
	if (error)
		complain(attach, error);
	if (attach->cli->settings.json)
		print_result(attach, message);
	finish(attach, exitcode_of_object(message));
}

/** The problem as the API answers it: on the stream "type" says what the message is. */
static void print_problem(struct attach *attach, json_t *message)
{
	AUTO(value_free) json_t *problem = json_copy(message);
	json_t *type = json_object_get(message, "problem");

	if (!problem || (type && json_object_set(problem, "type", type) < 0)) {
		attach->cli->out.failed = true;
		return;
	}
	(void)json_object_del(problem, "problem"); // it may have none
	cli_print_json(attach->cli, problem);
}

static void on_problem(struct attach *attach, json_t *message)
{
	int status = exitcode_of_object(message);
	const json_t *detail = json_object_get(message, "detail");

	// A command that did not run was not successful.
	status = status == EXITCODE_OK ? EXITCODE_FAILED : status;
	complain(attach, detail ? detail : json_object_get(message, "title"));
	if (attach->cli->settings.json) {
		if (status == EXITCODE_REFUSED || status == EXITCODE_NOT_FOUND)
			print_result(attach, message);
		else
			print_problem(attach, message);
	}
	finish(attach, status);
}

/** Messages that are not here are for later versions. */
static const struct {
	const char *type;
	void (*fn)(struct attach *attach, json_t *message);
} messages[] = {
	{"started", on_started}, {"stopped", on_stopped}, {"stdin_taken", on_stdin_taken},
	{"exit", on_exited},     {"problem", on_problem},
};

static void take_control(struct attach *attach, json_t *message)
{
	const char *type = json_string_value(json_object_get(message, "type"));

	if (!type || strcmp(type, "stdin_taken") != 0) // it is of no use to anybody else
		report(attach, message);
	for (size_t i = 0; type && i < ARRAY_LEN(messages); i++) {
		if (strcmp(messages[i].type, type) == 0)
			messages[i].fn(attach, message);
	}
}

/* Output ------------------------------------------------------------------------------- */

/** Write what the message in work still has, as far as it goes. */
static int pass_output(struct attach *attach, struct error *err)
{
	while (attach->blocked) {
		ssize_t n = outlet_write(attach->blocked, attach->data, attach->len);

		if (n == 0)
			return 0;
		if (n == -EPIPE) {
			// As for any program.  The daemon ends the command when we are gone.
			finish(attach, EXITCODE_SIGNAL + SIGPIPE);
			return 0;
		}
		if (n < 0) {
			errno = (int)-n;
			return error_errno(err, "write standard %s",
					   attach->blocked->fd == STDOUT_FILENO ? "output"
										: "error");
		}
		attach->data += n;
		attach->len -= (size_t)n;
		if (attach->len == 0)
			attach->blocked = NULL;
	}
	return 0;
}

static int take_output(struct attach *attach, const struct stream_message *message,
		       struct error *err)
{
	int channel = message->kind == STREAM_STDOUT ? 1 : 2;

	if (message->len == 0)
		return 0;
	if (attach->cli->settings.json) {
		capture_add(&attach->capture, channel, message->data, message->len);
		return 0;
	}
	attach->blocked = &attach->outlets[channel - 1];
	attach->data = message->data;
	attach->len = message->len;
	return pass_output(attach, err);
}

/** Handle messages until none is whole, or one cannot be written. */
static int take_messages(struct attach *attach, struct error *err)
{
	int r = 0;

	while (r == 0 && !attach->done && !attach->blocked) {
		struct stream_message message = {0};

		r = stream_read(attach->stream, &message, err);
		if (r <= 0)
			return r;
		r = 0;
		if (message.kind == STREAM_END)
			return error_set(err, ECONNRESET,
					 "the daemon closed the connection before the result");
		if (message.kind == STREAM_TEXT)
			take_control(attach, message.object);
		else
			r = take_output(attach, &message, err);
	}
	return r;
}

/* Input and signals -------------------------------------------------------------------- */

static void pass_input(struct attach *attach)
{
	struct error err = {0};
	ssize_t n = inlet_read(&attach->inlet);

	if (n == -EAGAIN)
		return;
	if (n > 0) {
		attach->input_sent += (uint64_t)n;
		sent(attach,
		     stream_send_stdin(attach->stream, attach->inlet.data, (size_t)n, &err));
		return;
	}
	if (n < 0) {
		errno = (int)-n;
		(void)error_errno(&err, "read standard input");
		cli_complain(attach->cli, &err);
	}
	attach->inlet.open = false;
	sent(attach, stream_send_close_stdin(attach->stream, &err));
}

static void pass_signals(struct attach *attach)
{
	struct error err = {0};
	int signo;

	while (!attach->done && (signo = forward_next(attach->signal_fd)) > 0) {
		if (signo == SIGTSTP)
			window_stop(&attach->window);
		if (signo == SIGTSTP || signo == SIGCONT || signo == SIGWINCH) {
			show_terminal(attach);
			if (signo == SIGCONT)
				continue_command(attach);
			continue;
		}
		// Before there is a command it is us who are meant.
		if (!attach->started || attach->deaf)
			finish(attach, EXITCODE_SIGNAL + signo);
		else
			sent(attach, stream_send_signal(attach->stream, signo, &err));
	}
}

/* The loop ----------------------------------------------------------------------------- */

/** Fill in what to wait for.  Returns the time to wait in ms, -1 for ever. */
static int watch(const struct attach *attach, struct pollfd fds[POLL_COUNT])
{
	bool pending = !attach->deaf && stream_pending(attach->stream);
	bool room = attach->input_sent - attach->input_taken + INLET_CHUNK <= WINDOW;
	bool reading = attach->inlet.open && !pending && room;
	bool ready = reading && !attach->inlet.parked;

	fds[POLL_STREAM] = (struct pollfd){.fd = stream_fd(attach->stream)};
	fds[POLL_STREAM].events = (short)((attach->blocked ? 0 : POLLIN) | (pending ? POLLOUT : 0));
	if (!fds[POLL_STREAM].events)
		fds[POLL_STREAM].fd = -1; // else a hangup, which nobody handles here, spins
	fds[POLL_SIGNALS] = (struct pollfd){.fd = attach->signal_fd, .events = POLLIN};
	fds[POLL_INPUT] = (struct pollfd){.fd = ready ? STDIN_FILENO : -1, .events = POLLIN};
	fds[POLL_OUTPUT] = (struct pollfd){.fd = attach->blocked ? attach->blocked->fd : -1,
					   .events = POLLOUT};
	return reading && !ready ? PARKED_MS : -1;
}

static int turn(struct attach *attach, struct error *err)
{
	struct pollfd fds[POLL_COUNT];
	struct error ignored = {0};
	int n = poll(fds, POLL_COUNT, watch(attach, fds));
	int r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : error_errno(err, "poll");
	if (n == 0)
		attach->inlet.parked = false;
	if (fds[POLL_OUTPUT].revents) {
		r = pass_output(attach, err);
		// What was received with the message that is through now raises no POLLIN.
		r = r < 0 ? r : take_messages(attach, err);
	}
	if (fds[POLL_STREAM].revents & POLLOUT)
		sent(attach, stream_flush(attach->stream, &ignored));
	if (r == 0 && fds[POLL_STREAM].revents & ~POLLOUT)
		r = take_messages(attach, err);
	if (fds[POLL_SIGNALS].revents)
		pass_signals(attach);
	if (r == 0 && !attach->done && attach->inlet.open && fds[POLL_INPUT].revents)
		pass_input(attach);
	return r;
}

int attach_run(struct cli *cli, struct client *client, const struct attach_request *request,
	       struct error *err)
{
	AUTO(stream_close) struct stream *stream = NULL;
	AUTO(fd_close) int signal_fd = -1;
	int r = stream_open(client, request->start, &stream, err);

	// The daemon has its work; what follows happens meanwhile.
	r = r < 0 ? r : forward_open(request->pty, &signal_fd, err);
	if (r < 0)
		return r;

	struct attach attach = {
		.cli = cli,
		.request = request,
		.stream = stream,
		.signal_fd = signal_fd,
		.outlets = {{.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}},
	};
	while (r == 0 && !attach.done)
		r = turn(&attach, err);
	window_leave(&attach.window);
	inlet_done(&attach.inlet);
	outlet_done(&attach.outlets[0]);
	outlet_done(&attach.outlets[1]);
	capture_done(&attach.capture);
	if (r == -EINVAL) {
		// What the daemon says makes no sense; that is no wrong usage of ours.
		err->code = EPROTO;
		r = -EPROTO;
	}
	return r < 0 ? r : attach.status;
}

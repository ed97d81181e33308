// SPDX-License-Identifier: Apache-2.0
/** The pipes or the terminal of a command: non-blocking on our side, ordinary on the command's. */
#include "command/pump.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define READ_SIZE 65536
#define QUEUE_HIGH (256u << 10)
#define REST_MS 20 /* for READ_SIZE bytes that nobody wants */
/** More than the kernel holds between a slave and its master. */
#define TERMINAL_HELD_MAX (256u << 10)

static void outlet_close(struct pump_outlet *outlet)
{
	loop_remove(&outlet->source);
	outlet->fd = fd_close(outlet->fd);
}

bool pump_ended(const struct pump *pump)
{
	return pump->out[0].fd < 0 && pump->out[1].fd < 0;
}

static void outlets_watch(struct pump *pump)
{
	for (int i = 0; i < 2; i++) {
		if (pump->out[i].source.loop)
			loop_modify(&pump->out[i].source, pump->paused ? 0 : EPOLLIN);
	}
}

/** Read once, at most `max` bytes.  Returns what was read; 0 when the outlet is at its end. */
static ssize_t outlet_read(struct pump_outlet *outlet, size_t max)
{
	static char chunk[READ_SIZE]; // one thread, and never kept over a callback's end
	ssize_t n = read(outlet->fd, chunk, max < sizeof(chunk) ? max : sizeof(chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	if (n <= 0) {
		outlet_close(outlet);
		return 0;
	}
	if (!outlet->pump->ops->output(outlet->pump, outlet->channel, chunk, (size_t)n))
		outlet->pump->paused = true;
	return n;
}

static void rest_due(struct timer *timer)
{
	pump_resume(container_of(timer, struct pump, rest));
}

static int outlet_ready(struct loop_source *src, uint32_t events, struct error *err)
{
	struct pump_outlet *outlet = container_of(src, struct pump_outlet, source);
	struct pump *pump = outlet->pump;

	(void)err;
	// A hang-up is told even while paused: the bytes before it wait for their reader, so
	// the source is taken out of the set until pump_resume() puts it back.
	if (pump->paused) {
		if (events & (EPOLLHUP | EPOLLERR))
			loop_remove(src);
		return 0;
	}
	if (outlet_read(outlet, READ_SIZE) == 0) {
		if (pump_ended(pump))
			pump->ops->ended(pump);
		return 0;
	}
	if (pump->discarding) {
		pump->paused = true;
		timer_start(pump->loop, &pump->rest, REST_MS, rest_due);
	}
	if (pump->paused)
		outlets_watch(pump);
	return 0;
}

/** Write what is queued; on a broken pipe the rest is dropped, as the kernel would drop it. */
static void inlet_flush(struct pump *pump)
{
	while (pump->queue.len > 0) {
		ssize_t n = write(pump->in_fd, pump->queue.data, pump->queue.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			pump->closing = true;
			pump->queue.len = 0;
			return;
		}
		buf_consume(&pump->queue, (size_t)n);
	}
}

static void inlet_close(struct pump *pump)
{
	loop_remove(&pump->in_source);
	pump->in_fd = fd_close(pump->in_fd);
	buf_done(&pump->queue);
}

/** A terminal ends its input by a character; in the middle of a line the first one only sends it.
 */
static void inlet_type_end(struct pump *pump)
{
	struct termios mode;

	pump->end_typed = true;
	if (tcgetattr(pump->in_fd, &mode) < 0 || !(mode.c_lflag & ICANON))
		return; // a program that reads key by key has no end of input
	buf_addc(&pump->queue, (char)mode.c_cc[VEOF]);
	if (pump->line_open)
		buf_addc(&pump->queue, (char)mode.c_cc[VEOF]);
	inlet_flush(pump);
}

/** Bring the watch of stdin in line with the queue, and close it when it is done. */
static void inlet_update(struct pump *pump)
{
	if (pump->in_fd < 0)
		return;
	inlet_flush(pump);
	if (pump->queue.len == 0 && pump->closing && pump->terminal && !pump->end_typed)
		inlet_type_end(pump);
	if (pump->queue.len == 0 && pump->closing) {
		inlet_close(pump);
		return;
	}
	loop_modify(&pump->in_source, pump->queue.len > 0 ? EPOLLOUT : 0);
}

/** Say that there is room again, to whoever was told that there is none. */
static void inlet_relax(struct pump *pump)
{
	if (!pump->full || pump->queue.len >= QUEUE_HIGH / 4)
		return;
	pump->full = false;
	pump->ops->writable(pump);
}

static int inlet_ready(struct loop_source *src, uint32_t events, struct error *err)
{
	struct pump *pump = container_of(src, struct pump, in_source);

	(void)err;
	if (events & (EPOLLERR | EPOLLHUP)) {
		// Nobody reads any more; what still comes is accepted and dropped.
		inlet_close(pump);
	} else {
		inlet_update(pump);
	}
	pump->ops->taken(pump);
	inlet_relax(pump);
	return 0;
}

static int pipe_pair(bool child_reads, int *ret_ours, int *ret_theirs, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "pipe");
	*ret_ours = ends[child_reads ? 1 : 0];
	*ret_theirs = ends[child_reads ? 0 : 1];
	if (fd_set_nonblock(*ret_ours, 1) < 0) {
		int r = error_errno(err, "set a pipe non-blocking");

		*ret_theirs = fd_close(*ret_theirs);
		return r;
	}
	return 0;
}

static int inlet_open(struct pump *pump, bool want, int *ret_child, struct error *err)
{
	if (!want) {
		*ret_child = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return *ret_child < 0 ? error_errno(err, "open /dev/null") : 0;
	}

	int r = pipe_pair(true, &pump->in_fd, ret_child, err);
	if (r < 0)
		return r;
	return loop_add(pump->loop, &pump->in_source, pump->in_fd, 0, inlet_ready, err);
}

static int outlet_open(struct pump *pump, int i, int *ret_child, struct error *err)
{
	struct pump_outlet *outlet = &pump->out[i];
	int r = pipe_pair(false, &outlet->fd, ret_child, err);

	if (r < 0)
		return r;
	return loop_add(pump->loop, &outlet->source, outlet->fd, EPOLLIN, outlet_ready, err);
}

void pump_init(struct pump *pump, struct loop *loop, const struct pump_ops *ops)
{
	*pump = (struct pump){.loop = loop, .ops = ops, .in_fd = -1};
	for (int i = 0; i < 2; i++)
		pump->out[i] = (struct pump_outlet){.pump = pump, .fd = -1, .channel = i + 1};
}

int pump_open(struct pump *pump, bool want_stdin, int ret_child[3], struct error *err)
{
	AUTO(fd_close) int child0 = -1;
	AUTO(fd_close) int child1 = -1;
	AUTO(fd_close) int child2 = -1;

	pump->opened = true;

	int r = inlet_open(pump, want_stdin, &child0, err);
	if (r == 0)
		r = outlet_open(pump, 0, &child1, err);
	if (r == 0)
		r = outlet_open(pump, 1, &child2, err);
	if (r < 0) {
		pump_close(pump);
		return r;
	}
	inlet_update(pump); // what came while the world was made
	ret_child[0] = TAKE_FD(child0);
	ret_child[1] = TAKE_FD(child1);
	ret_child[2] = TAKE_FD(child2);
	return 0;
}

int pump_open_terminal(struct pump *pump, int master, bool want_stdin, struct error *err)
{
	struct pump_outlet *outlet = &pump->out[0];

	pump->opened = true;
	pump->terminal = true;
	pump->closing |= !want_stdin;
	pump->in_fd = master;
	outlet->fd = fcntl(master, F_DUPFD_CLOEXEC, 3);

	int r = outlet->fd < 0 ? error_errno(err, "duplicate a terminal") : 0;

	if (r == 0)
		r = loop_add(pump->loop, &pump->in_source, pump->in_fd, 0, inlet_ready, err);
	if (r == 0)
		r = loop_add(pump->loop, &outlet->source, outlet->fd, EPOLLIN, outlet_ready, err);
	if (r < 0) {
		pump_close(pump);
		return r;
	}
	inlet_update(pump); // what came while the world was made
	return 0;
}

void pump_resize(struct pump *pump, unsigned rows, unsigned cols)
{
	const struct winsize size = {.ws_row = (unsigned short)rows,
				     .ws_col = (unsigned short)cols};

	if (pump->terminal && pump->out[0].fd >= 0)
		(void)ioctl(pump->out[0].fd, TIOCSWINSZ, &size);
}

void pump_close(struct pump *pump)
{
	pump->opened = true; // nothing is queued any more
	timer_stop(&pump->rest);
	inlet_close(pump);
	outlet_close(&pump->out[0]);
	outlet_close(&pump->out[1]);
}

/**
 * What a terminal's slave wrote is on its way to the master for a moment; poll() waits for it, and
 * FIONREAD does not.
 */
static void drain_terminal(struct pump *pump)
{
	size_t left = TERMINAL_HELD_MAX;

	while (left > 0 && pump->out[0].fd >= 0) {
		struct pollfd ready = {.fd = pump->out[0].fd, .events = POLLIN};

		if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLIN))
			return;

		ssize_t n = outlet_read(&pump->out[0], left);

		if (n <= 0)
			return;
		left -= (size_t)n;
	}
}

void pump_drain(struct pump *pump)
{
	bool paused = pump->paused;

	if (pump->terminal)
		drain_terminal(pump);
	for (int i = 0; i < 2 && !pump->terminal; i++) {
		struct pump_outlet *outlet = &pump->out[i];
		int left = 0;

		// FIONREAD bounds it: a survivor that goes on writing cannot hold the result up.
		if (outlet->fd < 0 || ioctl(outlet->fd, FIONREAD, &left) < 0)
			continue;
		while (left > 0) {
			ssize_t n = outlet_read(outlet, (size_t)left);

			if (n <= 0)
				break;
			left -= (int)n;
		}
	}
	pump->paused |= paused;
	outlets_watch(pump);
}

bool pump_write(struct pump *pump, const void *data, size_t len)
{
	if ((pump->opened && pump->in_fd < 0) || pump->closing)
		return true;
	buf_add(&pump->queue, data, len);
	if (len > 0)
		pump->line_open = ((const char *)data)[len - 1] != '\n';
	if (pump->queue.failed) {
		// Out of memory: better an early end of input than a hole in it.
		inlet_close(pump);
		inlet_relax(pump);
		return true;
	}
	inlet_update(pump);
	// Who was told "full" before waits for writable(), also when this write emptied the queue.
	pump->full |= pump->queue.len >= QUEUE_HIGH;
	inlet_relax(pump);
	return !pump->full;
}

size_t pump_queued(const struct pump *pump)
{
	return pump->queue.len;
}

void pump_close_stdin(struct pump *pump)
{
	pump->closing = true;
	inlet_update(pump);
	inlet_relax(pump);
}

void pump_resume(struct pump *pump)
{
	struct error ignored = {0};

	if (!pump->paused)
		return;
	pump->paused = false;
	for (int i = 0; i < 2; i++) {
		struct pump_outlet *outlet = &pump->out[i];

		if (outlet->fd >= 0 && !outlet->source.loop &&
		    loop_add(pump->loop, &outlet->source, outlet->fd, EPOLLIN, outlet_ready,
			     &ignored) < 0)
			outlet_close(outlet);
	}
	outlets_watch(pump);
}

void pump_discard(struct pump *pump)
{
	pump->discarding = true;
	pump_resume(pump);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Speaks init's side of the control protocol and builds nothing.  How it starts is the last part
 * of its own name ("fake-init-ok", links to one file); what a command does is its argv[0].
 */
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL_FD 3
#define PID_BASE 100

/** A process that a command left behind, by the command's number; 0: none. */
static uint32_t survivor;

static void send_packet(uint32_t kind, uint32_t seq, const void *body, size_t size)
{
	const struct control_message msg = {
		.header = {.kind = kind, .seq = seq},
		.body = body,
		.body_size = size,
	};
	struct error err = {0};

	while (control_send(CONTROL_FD, &msg, &err) == -EAGAIN)
		(void)poll(NULL, 0, 1);
}

static void say_spawned(uint32_t seq, uint32_t step, int code)
{
	const struct control_spawned body = {
		.pid = step == CONTROL_STEP_NONE ? PID_BASE + (int32_t)seq : 0,
		.step = step,
		.error = code,
	};

	send_packet(CONTROL_SPAWNED, seq, &body, sizeof(body));
}

static void say_exited(uint32_t seq, int status)
{
	const struct control_exited body = {
		.status = status,
		.survivors = survivor != 0,
		.user_us = 1,
		.system_us = 2,
		.max_rss_kib = 3,
	};

	send_packet(CONTROL_EXITED, seq, &body, sizeof(body));
}

static void say_checked(uint32_t seq)
{
	const struct control_checked body = {0};

	send_packet(CONTROL_CHECKED, seq, &body, sizeof(body));
}

static void say_gap(void)
{
	static const char path[] = "/gap";

	send_packet(CONTROL_GAP, 0, path, sizeof(path));
}

/* Commands ----------------------------------------------------------------------------- */

static void run_ok(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_NONE, 0);
	say_exited(packet->header.seq, 0);
}

static void run_three(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_NONE, 0);
	say_exited(packet->header.seq, 3 << 8);
}

/** Runs until it is signalled. */
static void run_hold(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_NONE, 0);
}

static void run_survive(const struct control_packet *packet)
{
	survivor = packet->header.seq;
	run_ok(packet);
}

static void run_die(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_NONE, 0);
	_exit(7);
}

static void run_die_early(const struct control_packet *packet)
{
	(void)packet;
	_exit(7);
}

static void run_gap(const struct control_packet *packet)
{
	say_gap();
	run_ok(packet);
}

/** Nobody asked for this one. */
static void run_lie(const struct control_packet *packet)
{
	say_exited(packet->header.seq + 1000, 0);
}

static void run_garble(const struct control_packet *packet)
{
	send_packet(999, packet->header.seq, NULL, 0);
}

static void run_short(const struct control_packet *packet)
{
	send_packet(CONTROL_SPAWNED, packet->header.seq, "x", 1);
}

static void run_many_processes(const struct control_packet *packet)
{
	const struct control_processes body = {.count = UINT32_MAX};

	send_packet(CONTROL_PROCESSES, packet->header.seq, &body, sizeof(body));
}

/** Write what came to descriptor 1: working directory, arguments, environment, NUL-separated. */
static void run_echo(const struct control_packet *packet)
{
	static char payload[CONTROL_PAYLOAD_MAX];
	struct control_spawn spawn;
	const char *from = packet->data + sizeof(spawn);

	memcpy(&spawn, packet->data, sizeof(spawn));
	if (packet->nfds == 4) {
		if (fd_read_full(packet->fds[3], payload, spawn.payload) != (ssize_t)spawn.payload)
			_exit(8);
		from = payload;
	}
	(void)fd_write_full(packet->fds[1], from, spawn.payload);
	run_ok(packet);
}

static void run_cwd(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_CWD, ENOENT);
}

static void run_lookup(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_LOOKUP, ENOENT);
}

static void run_exec(const struct control_packet *packet)
{
	say_spawned(packet->header.seq, CONTROL_STEP_EXEC, ENOEXEC);
}

static const struct {
	const char *name;
	void (*run)(const struct control_packet *packet);
} commands[] = {
	{"ok", run_ok},
	{"three", run_three},
	{"hold", run_hold},
	{"survive", run_survive},
	{"die", run_die},
	{"die-early", run_die_early},
	{"gap", run_gap},
	{"lie", run_lie},
	{"garble", run_garble},
	{"short", run_short},
	{"many-processes", run_many_processes},
	{"echo", run_echo},
	{"cwd", run_cwd},
	{"lookup", run_lookup},
	{"exec", run_exec},
};

/** argv[0] follows the working directory in the payload; a large one is always "echo". */
static void take_spawn(const struct control_packet *packet)
{
	const char *cwd = packet->data + sizeof(struct control_spawn);
	const char *name = packet->nfds == 4 ? "echo" : cwd + strlen(cwd) + 1;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].run(packet);
			return;
		}
	}
	run_lookup(packet);
}

/* The rest of the protocol ------------------------------------------------------------- */

static void take_signal(const struct control_packet *packet)
{
	struct control_signal signal;

	memcpy(&signal, packet->data, sizeof(signal));
	if (packet->header.seq == survivor)
		survivor = 0;
	else
		say_exited(packet->header.seq, signal.signo);
}

static void take_list(const struct control_packet *packet)
{
	struct {
		struct control_processes head;
		struct control_process process;
	} body = {.head = {.count = survivor != 0},
		  .process = {.seq = survivor, .pid = 77, .comm = "left"}};

	send_packet(CONTROL_PROCESSES, packet->header.seq, &body,
		    survivor ? sizeof(body) : sizeof(body.head));
}

/** The path that this program was started by. */
static const char *own_path(void)
{
	unsigned long address = getauxval(AT_EXECFN);
	const char *path = NULL;

	memcpy(&path, &address, sizeof(path));
	return path;
}

/** True for the first two programs of one path. */
static bool is_early(void)
{
	char mark[PATH_MAX];

	for (int i = 0; i < 2; i++) {
		(void)snprintf(mark, sizeof(mark), "%s.%d", own_path(), i);
		if (mkdir(mark, 0700) == 0)
			return true;
	}
	return false;
}

static void start(const char *name)
{
	const struct control_ready ready = {.landlock_abi = 5, .seccomp = 1};
	struct error failure = {0};

	if (strcmp(name, "hangs") == 0)
		return;
	if (strcmp(name, "dies") == 0)
		_exit(3);
	if (strcmp(name, "fails") == 0) {
		(void)error_set(&failure, EPERM, "mount /x: not today");
		send_packet(CONTROL_FAILED, 0, &failure, sizeof(failure));
		_exit(1);
	}
	if (strcmp(name, "gone") == 0 || (strcmp(name, "early") == 0 && is_early())) {
		(void)error_set(&failure, ENOENT, "self /x: it was there");
		send_packet(CONTROL_FAILED, 0, &failure, sizeof(failure));
		_exit(1);
	}
	send_packet(CONTROL_READY, 0, &ready, sizeof(ready));
}

static void take(const struct control_packet *packet, const char *name)
{
	if (packet->header.kind == CONTROL_GO)
		start(name);
	else if (packet->header.kind == CONTROL_SPAWN)
		take_spawn(packet);
	else if (packet->header.kind == CONTROL_SIGNAL)
		take_signal(packet);
	else if (packet->header.kind == CONTROL_LIST)
		take_list(packet);
	else if (packet->header.kind == CONTROL_CHECK || packet->header.kind == CONTROL_MOUNT)
		say_checked(packet->header.seq);
}

/** What follows the last dash of the path that this program was started by, dash included. */
static const char *own_dash(void)
{
	const char *path = own_path();

	return path ? strrchr(path, '-') : NULL;
}

int main(void)
{
	static struct control_packet packet;
	const char *dash = own_dash();
	struct pollfd poll_fd = {.fd = CONTROL_FD, .events = POLLIN};
	struct error err = {0};

	for (;;) {
		int r = control_recv(CONTROL_FD, &packet, &err);

		if (r < 0)
			return 0;
		if (r == 0) {
			(void)poll(&poll_fd, 1, -1);
			continue;
		}
		take(&packet, dash ? dash + 1 : "ok");
		control_packet_done(&packet);
	}
}

// SPDX-License-Identifier: Apache-2.0
/** Wiring: every object is made here, in the order of its needs, and unmade in reverse. */
#include "daemon/daemon.h"

#include "api/api.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "command/command.h"
#include "command/record.h"
#include "daemon/home.h"
#include "daemon/idle.h"
#include "daemon/notify.h"
#include "http/server.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "loop/worker.h"
#include "proc/program.h"
#include "trace/span.h"
#include "trace/trace.h"
#include "world/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#define BODY_MAX (4u << 20)
#define CONNECTIONS_MAX 16384
#define IDLE_EXIT_S 1800
#define WORLD_IDLE_MS (UINT64_C(30) * 60 * 1000)

struct daemon {
	const struct daemon_options *options;
	struct home home;
	char *init_path;
	int listen_fd;
	bool has_log; /**< stderr is daemon.log. */
	struct loop *loop;
	struct worker *worker;
	struct signals signals;
	struct trace *trace;
	struct sessions *sessions;
	struct commands *commands;
	struct api *api;
	struct http_server *server;
	struct idle idle;
};

/* What the worlds report --------------------------------------------------------------- */

static void log_if_failed(int r, const struct error *err)
{
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "%s", err->msg);
}

static void world_started(struct session *session, const struct error *failure, void *owner)
{
	struct daemon *daemon = owner;
	struct error err = {0};

	if (failure) {
		log_line(LOG_LEVEL_ERROR, "no world for %s: %s",
			 session_spec(session)->project.root, failure->msg);
		return;
	}
	log_if_failed(record_world(daemon->trace, session, NULL, &err), &err);
}

static void world_stopped(struct session *session, const char *reason, void *owner)
{
	struct daemon *daemon = owner;
	struct error err = {0};

	log_if_failed(record_world(daemon->trace, session, reason, &err), &err);
}

static void world_guarded(struct session *session, const struct world_guarded *what, void *owner)
{
	struct daemon *daemon = owner;
	struct error err = {0};

	log_if_failed(record_guard(daemon->trace, session, what, &err), &err);
}

/* When to end -------------------------------------------------------------------------- */

static void on_signal(struct signals *signals, int signo)
{
	struct daemon *daemon = container_of(signals, struct daemon, signals);

	log_line(LOG_LEVEL_INFO, "ending on signal %d", signo);
	loop_stop(daemon->loop);
}

static void on_shutdown(void *owner)
{
	struct daemon *daemon = owner;

	loop_stop(daemon->loop);
}

static void on_idle(struct idle *idle)
{
	struct daemon *daemon = container_of(idle, struct daemon, idle);

	// The connection that is about to be accepted starts the timer again when it ends.
	if (!home_withdraw(&daemon->home, daemon->listen_fd))
		return;
	log_line(LOG_LEVEL_INFO, "ending: nothing to do");
	loop_stop(daemon->loop);
}

static void on_connections(unsigned count, void *owner)
{
	struct daemon *daemon = owner;

	idle_set_clients(&daemon->idle, count);
}

static void on_request(struct exchange *x, const struct http_request *req, void *userdata)
{
	struct daemon *daemon = userdata;

	api_handle(x, req, daemon->api);
}

static void on_commands(unsigned running, void *owner)
{
	struct daemon *daemon = owner;

	idle_set_commands(&daemon->idle, running);
}

static int idle_limit_ms(uint64_t *ret, struct error *err)
{
	const char *text = getenv("SUBSTRATE_IDLE_EXIT");
	long seconds = IDLE_EXIT_S;

	if (text && str_to_long(text, 0, 366L * 86400, &seconds) < 0)
		return error_set(err, EINVAL,
				 "SUBSTRATE_IDLE_EXIT '%.40s': expected seconds, 0 for never",
				 text);
	*ret = (uint64_t)seconds * 1000;
	return 0;
}

/* Making it ---------------------------------------------------------------------------- */

static int open_loop(struct daemon *daemon, struct error *err)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;
	int r = loop_new(&daemon->loop, err);

	if (r < 0)
		return r;
	(void)sigaction(SIGPIPE, &ignore, NULL); // writers learn it from EPIPE
	(void)sigaction(SIGXFSZ, &ignore, NULL); // and from EFBIG
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	r = signals_open(&daemon->signals, daemon->loop, &set, on_signal, err);
	if (r < 0)
		return r;
	return worker_new(daemon->loop, &daemon->worker, err);
}

static int open_trace(struct daemon *daemon, struct error *err)
{
	struct trace_options options = {.dirfd = daemon->home.fd, .sync = TRACE_SYNC_GROUP};
	struct trace_recovery recovery = {0};
	int r = trace_open(daemon->loop, &options, &daemon->trace, &recovery, err);

	if (r < 0)
		return error_wrap(err, r, "trace");
	if (recovery.torn_bytes > 0)
		log_line(LOG_LEVEL_WARNING,
			 "the trace ended in the middle of a line: %llu bytes are in trace.torn",
			 (unsigned long long)recovery.torn_bytes);
	if (recovery.lost_commands > 0)
		log_line(LOG_LEVEL_WARNING, "%u commands of an earlier daemon are marked lost",
			 recovery.lost_commands);
	return 0;
}

static int open_domain(struct daemon *daemon, struct error *err)
{
	const struct sessions_options sessions = {
		.loop = daemon->loop,
		.init_path = daemon->init_path,
		.idle_stop_ms = WORLD_IDLE_MS,
		.world_started = world_started,
		.world_stopped = world_stopped,
		.world_guarded = world_guarded,
		.owner = daemon,
	};
	int r = sessions_new(&sessions, &daemon->sessions, err);

	if (r < 0)
		return r;

	const struct commands_options commands = {
		.loop = daemon->loop,
		.sessions = daemon->sessions,
		.trace = daemon->trace,
		.home = daemon->home.path,
		.without = daemon->options->without,
		.changed = on_commands,
		.owner = daemon,
	};
	return commands_new(&commands, &daemon->commands, err);
}

static int open_api(struct daemon *daemon, struct error *err)
{
	const struct api_options api = {
		.loop = daemon->loop,
		.worker = daemon->worker,
		.sessions = daemon->sessions,
		.commands = daemon->commands,
		.trace = daemon->trace,
		.home = daemon->home.path,
		.home_fd = daemon->home.fd,
		.init_path = daemon->init_path,
		.without = daemon->options->without,
		.shutdown = on_shutdown,
		.owner = daemon,
	};
	int r = api_new(&api, &daemon->api, err);

	if (r == 0)
		r = home_listen(&daemon->home, &daemon->listen_fd, err);
	if (r < 0)
		return r;

	const struct http_options http = {
		.listen_fd = daemon->listen_fd,
		.body_max = BODY_MAX,
		.connections_max = CONNECTIONS_MAX,
		.handler = on_request,
		.connections_changed = on_connections,
		.userdata = daemon,
	};
	return http_server_new(daemon->loop, &http, &daemon->server, err);
}

static void daemon_close(struct daemon *daemon)
{
	idle_stop(&daemon->idle);
	// First of all, so that clients wait for the next daemon and do not get a reset of this
	// one.
	if (daemon->listen_fd >= 0)
		home_unlisten(&daemon->home);
	daemon->server = http_server_free(daemon->server);
	daemon->api = api_free(daemon->api);
	daemon->commands = commands_free(daemon->commands);
	daemon->sessions = sessions_free(daemon->sessions);
	daemon->trace = trace_close(daemon->trace);
	daemon->worker = worker_free(daemon->worker);
	if (daemon->signals.source.loop)
		signals_close(&daemon->signals);
	daemon->loop = loop_free(daemon->loop);
	daemon->listen_fd = fd_close(daemon->listen_fd);
	free(daemon->init_path);
	home_close(&daemon->home);
}

/** A daemon that a client started lives longer than the client: its stderr becomes the log. */
static int open_log(struct daemon *daemon, struct error *err)
{
	AUTO(fd_close) int fd = -1;

	if (daemon->options->ready_fd < 0)
		return 0;

	int r = home_open_log(&daemon->home, &fd, err);

	if (r == 0 && dup2(fd, STDERR_FILENO) < 0)
		r = error_errno(err, "dup2");
	daemon->has_log = r == 0;
	return r;
}

/** 1: another daemon has the lock. */
static int daemon_open(struct daemon *daemon, struct error *err)
{
	uint64_t idle_ms = 0;
	int r = idle_limit_ms(&idle_ms, err);

	if (r == 0)
		r = home_open(&daemon->home, err);
	if (r == 0)
		r = home_lock(&daemon->home, err);
	if (r != 0)
		return r;
	r = open_log(daemon, err);
	if (r < 0)
		return r;
	r = program_find("substrate-init", &daemon->init_path, err);
	if (r == 0)
		r = open_loop(daemon, err);
	if (r == 0)
		r = open_trace(daemon, err);
	if (r == 0)
		r = open_domain(daemon, err);
	if (r == 0)
		r = open_api(daemon, err);
	if (r == 0)
		idle_start(&daemon->idle, daemon->loop, daemon->sessions, idle_ms, on_idle);
	return r;
}

/** To a client another daemon is as good; a service manager asked for this one. */
static int tell_of_other(const struct daemon *daemon, struct error *err)
{
	long pid = home_holder(&daemon->home);
	char line[32];

	if (daemon->options->ready_fd < 0)
		return error_set(err, EALREADY, "another daemon (pid %ld) serves %s", pid,
				 daemon->home.path);
	(void)snprintf(line, sizeof(line), "running %ld", pid);
	notify_starter(daemon->options->ready_fd, line);
	return 1;
}

/** Who started us prints the reason, so we do not print it on the same stderr again. */
static void tell_starter(const struct daemon *daemon, const struct error *err)
{
	AUTO(fd_close) int null = -1;

	notify_starter(daemon->options->ready_fd, err->msg);
	if (daemon->options->ready_fd < 0 || daemon->has_log)
		return;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
}

int daemon_run(const struct daemon_options *options, struct error *err)
{
	struct daemon daemon = {.options = options, .listen_fd = -1};

	daemon.home = (struct home){.fd = -1, .lock_fd = -1};

	int r = daemon_open(&daemon, err);

	if (r == 0) {
		notify_starter(options->ready_fd, "ok");
		notify_systemd("READY=1");
		r = loop_run(daemon.loop, err);
		notify_systemd("STOPPING=1");
	} else {
		if (r > 0)
			r = tell_of_other(&daemon, err);
		else
			tell_starter(&daemon, err);
	}
	daemon_close(&daemon);
	return r > 0 ? 0 : r;
}

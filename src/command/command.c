// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  A command is in one of five states:
 *
 *   REFUSED   it will never run; refused() is called from the loop, then it is freed
 *   WAITING   for its world to stand
 *   SPAWNING  command_start is in the trace, init has the request
 *   RUNNING   the leader runs
 *   EXITED    the leader ended and its span is written; survivors may hold the pipes
 *
 * Refusals always take the way through a timer, so a callback never comes while its
 * command_start() is still on the stack.
 */
#include "command/command.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "command/prepare.h"
#include "command/pump.h"
#include "command/record.h"
#include "loop/timer.h"
#include "sandbox/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/** Between the polite signal and SIGKILL. */
#define GRACE_MS 2000

enum command_state { STATE_REFUSED, STATE_WAITING, STATE_SPAWNING, STATE_RUNNING, STATE_EXITED };

struct commands {
	struct commands_options options;
	struct command *first;
	unsigned running;
};

struct command {
	struct command *next, *prev;
	struct commands *commands;
	const struct command_ops *ops; /**< NULL: nobody listens any more. */
	void *owner;
	enum command_state state;
	struct command_request request;
	struct prepare prepare;
	struct strv env;
	struct session_wait wait;
	struct session *session; /**< Held from WAITING's end to EXITED. */
	struct world_command *leader;
	struct pump pump;
	struct {
		struct timer refuse, timeout, kill;
	} timers;
	struct command_refusal refusal;
	struct error error; /**< Text of the refusal, or what went wrong later. */
	char span_id[ID_SIZE];
	char session_id[ID_SIZE];
	char world_id[ID_SIZE];
	char plan_hash[65], spec_hash[65];
	uint64_t started_ns, started_mono_ns;
	uint64_t bytes[2];
	bool reused, recorded, timed_out, abandoned;
};

static void set_running(struct commands *commands, int change)
{
	commands->running = (unsigned)((int)commands->running + change);
	if (commands->options.changed)
		commands->options.changed(commands->running, commands->options.owner);
}

static void release_session(struct command *command)
{
	if (command->session)
		session_release(command->session);
	command->session = NULL;
}

static void command_destroy(struct command *command)
{
	struct commands *commands = command->commands;

	timer_stop(&command->timers.refuse);
	timer_stop(&command->timers.timeout);
	timer_stop(&command->timers.kill);
	if (command->state == STATE_WAITING)
		session_wait_cancel(&command->wait);
	pump_close(&command->pump);
	release_session(command);
	if (command->prev)
		command->prev->next = command->next;
	else
		commands->first = command->next;
	if (command->next)
		command->next->prev = command->prev;
	command_request_done(&command->request);
	prepare_done(&command->prepare);
	strv_done(&command->env);
	free(command);
	set_running(commands, -1);
}

static struct record_command as_record(const struct command *command)
{
	return (struct record_command){
		.request = &command->request,
		.session = command->session,
		.span_id = command->span_id,
		.session_id = command->session_id[0] ? command->session_id : NULL,
		.world_id = command->world_id[0] ? command->world_id : NULL,
		.plan_hash = command->plan_hash[0] ? command->plan_hash : NULL,
		.spec_hash = command->spec_hash[0] ? command->spec_hash : NULL,
		.cwd = command->prepare.cwd,
		.argv = &command->prepare.argv,
		.env = &command->env,
		.started_ns = command->started_ns,
		.started = command->recorded,
	};
}

static uint64_t elapsed_ms(const struct command *command)
{
	return (clock_mono_ns() - command->started_mono_ns) / 1000000;
}

/* Refusal ------------------------------------------------------------------------------ */

/** The words that the trace and the result use for each kind of refusal. */
static const struct refusal_kind {
	const char *type, *status;
	bool traced; /**< Also when it had no start there. */
} refusal_kinds[] = {
	{"not-found", "not_found", true},
	{"not-executable", "not_executable", true},
	{"usage", "refused", false},
	{"trace-unwritable", "error", false},
};

static const struct refusal_kind *kind_of_refusal(const char *type)
{
	static const struct refusal_kind other = {NULL, "error", true};

	for (size_t i = 0; i < ARRAY_LEN(refusal_kinds); i++) {
		if (strcmp(refusal_kinds[i].type, type) == 0)
			return &refusal_kinds[i];
	}
	return &other;
}

/**
 * A refused command has its place in the trace too, unless it was no proper request or the trace
 * itself was the reason.
 */
static void record_refusal(struct command *command)
{
	struct record_command record = as_record(command);
	const struct refusal_kind *kind = kind_of_refusal(command->refusal.type);
	struct record_result result = {
		.status = kind->status,
		.error = command->error.msg,
		.exit = command->refusal.exit,
		.duration_ms = elapsed_ms(command),
		.world_reused = command->reused,
	};
	struct error ignored = {0};

	// The caller hears the refusal itself; a trace that cannot be written is told by the
	// next command, which will not start.
	if (command->recorded || kind->traced)
		(void)record_complete(command->commands->options.trace, &record, &result, &ignored);
}

static void refuse_due(struct timer *timer)
{
	struct command *command = container_of(timer, struct command, timers.refuse);

	if (command->ops)
		command->ops->refused(command, &command->refusal, command->owner);
	command_destroy(command);
}

/** Refuse for command->error.  The owner is told from the loop. */
static void refuse(struct command *command, int exit, const char *type)
{
	command->state = STATE_REFUSED;
	command->refusal =
		(struct command_refusal){.exit = exit, .type = type, .detail = command->error.msg};
	record_refusal(command);
	pump_close(&command->pump);
	timer_start(command->commands->options.loop, &command->timers.refuse, 0, refuse_due);
}

/* Streams ------------------------------------------------------------------------------ */

static bool pump_output(struct pump *pump, int channel, const void *data, size_t len)
{
	struct command *command = container_of(pump, struct command, pump);

	if (command->state != STATE_EXITED)
		command->bytes[channel - 1] += len;
	if (!command->ops)
		return true; // read and thrown away, so that survivors are not stopped
	return command->ops->output(command, channel, data, len, command->owner);
}

static void pump_writable(struct pump *pump)
{
	struct command *command = container_of(pump, struct command, pump);

	if (command->ops)
		command->ops->writable(command, command->owner);
}

static void pump_taken(struct pump *pump)
{
	struct command *command = container_of(pump, struct command, pump);

	if (command->ops)
		command->ops->taken(command, command->owner);
}

static void pump_at_end(struct pump *pump)
{
	struct command *command = container_of(pump, struct command, pump);

	if (command->state != STATE_EXITED)
		return; // it closed its outputs itself and goes on
	if (command->ops)
		command->ops->drained(command, command->owner);
	command_destroy(command);
}

static const struct pump_ops pump_ops = {
	.output = pump_output,
	.writable = pump_writable,
	.taken = pump_taken,
	.ended = pump_at_end,
};

/* The leader --------------------------------------------------------------------------- */

static void kill_due(struct timer *timer)
{
	struct command *command = container_of(timer, struct command, timers.kill);

	if (command->state == STATE_RUNNING)
		world_command_signal(command->leader, SIGKILL, true);
}

/** Ask it to end with signo; make it end after the grace. */
static void end_leader(struct command *command, int signo)
{
	world_command_signal(command->leader, signo, false);
	if (command->request.pty)
		world_command_signal(command->leader, SIGCONT, false); // it may be stopped
	if (command->abandoned || command->timed_out)
		timer_start(command->commands->options.loop, &command->timers.kill, GRACE_MS,
			    kill_due);
}

static void timeout_due(struct timer *timer)
{
	struct command *command = container_of(timer, struct command, timers.timeout);

	if (command->state != STATE_RUNNING)
		return;
	command->timed_out = true;
	end_leader(command, SIGTERM);
}

/** Which status and problem a failed spawn step stands for. */
static const struct {
	enum control_step step;
	int exit;
	const char *type;
} step_refusals[] = {
	{CONTROL_STEP_LOOKUP, 127, "not-found"},
	{CONTROL_STEP_EXEC, 126, "not-executable"},
	{CONTROL_STEP_CWD, 125, "cwd-not-visible"},
};

static void refuse_step(struct command *command, unsigned step)
{
	for (size_t i = 0; i < ARRAY_LEN(step_refusals); i++) {
		if (step_refusals[i].step == step) {
			refuse(command, step_refusals[i].exit, step_refusals[i].type);
			return;
		}
	}
	refuse(command, 125, "spawn-failed");
}

/** Without its terminal a command cannot go on. */
static void take_terminal(struct command *command)
{
	int master = world_command_terminal(command->leader);
	struct error ignored = {0};

	if (command->abandoned)
		(void)fd_close(master);
	else if (pump_open_terminal(&command->pump, master, command->request.want_stdin, &ignored) <
		 0)
		world_command_signal(command->leader, SIGKILL, true);
	else // it may have changed while the command was started
		pump_resize(&command->pump, command->request.rows, command->request.cols);
}

static void leader_stopped(struct world_command *leader, int signo, void *owner)
{
	struct command *command = owner;

	(void)leader;
	if (command->ops && command->ops->stopped)
		command->ops->stopped(command, signo, command->owner);
}

static void leader_spawned(struct world_command *leader, unsigned step, const struct error *err,
			   void *owner)
{
	struct command *command = owner;

	(void)leader;
	if (err) {
		command->leader = NULL;
		command->error = *err;
		refuse_step(command, step);
		return;
	}
	command->state = STATE_RUNNING;
	if (command->request.pty)
		take_terminal(command);
	if (command->request.timeout_ms > 0)
		timer_start(command->commands->options.loop, &command->timers.timeout,
			    command->request.timeout_ms, timeout_due);
	if (command->abandoned)
		end_leader(command, SIGHUP);
	else if (command->ops)
		command->ops->started(command, command->owner);
}

static struct command_result result_of(const struct command *command, const struct world_exit *exit)
{
	struct command_result result = {.duration_ms = elapsed_ms(command)};

	if (exit->lost) {
		result.exit = 125;
		result.status = "lost";
		result.error = "its world ended before the command did";
	} else if (WIFSIGNALED(exit->status)) {
		result.signal = WTERMSIG(exit->status);
		result.exit = 128 + result.signal;
		result.status = "signaled";
	} else {
		result.exit = WEXITSTATUS(exit->status);
		result.status = result.exit == 0 ? "ok" : "failed";
	}
	if (command->timed_out && !exit->lost) {
		result.exit = 124;
		result.status = "timed_out";
	}
	return result;
}

/** The completing span; when it cannot be written the result says so. */
static void record_exit(struct command *command, struct command_result *result,
			const struct world_exit *exit)
{
	struct record_command record = as_record(command);
	struct record_result fields = {
		.status = result->status,
		.error = result->error,
		.exit = result->exit,
		.signal = result->signal,
		.duration_ms = result->duration_ms,
		.user_us = exit->user_us,
		.system_us = exit->system_us,
		.max_rss_kib = exit->max_rss_kib,
		.stdout_bytes = command->bytes[0],
		.stderr_bytes = command->bytes[1],
		.world_reused = command->reused,
	};
	int r = record_complete(command->commands->options.trace, &record, &fields,
				&command->error);

	if (r < 0) {
		(void)error_wrap(&command->error, r, "the span could not be written");
		result->error = command->error.msg;
	}
}

static void leader_exited(struct world_command *leader, const struct world_exit *exit, void *owner)
{
	struct command *command = owner;

	(void)leader;
	command->leader = NULL;
	timer_stop(&command->timers.timeout);
	timer_stop(&command->timers.kill);
	pump_drain(&command->pump);

	struct command_result result = result_of(command, exit);

	record_exit(command, &result, exit);
	command->state = STATE_EXITED;
	if (command->ops)
		command->ops->exited(command, &result, command->owner);
	release_session(command);
	if (pump_ended(&command->pump))
		pump_at_end(&command->pump);
}

static const struct world_command_ops leader_ops = {
	.spawned = leader_spawned,
	.stopped = leader_stopped,
	.exited = leader_exited,
};

/* Start -------------------------------------------------------------------------------- */

static int spawn_leader(struct command *command, struct error *err)
{
	AUTO(fd_close) int child0 = -1;
	AUTO(fd_close) int child1 = -1;
	AUTO(fd_close) int child2 = -1;
	int child[3] = {-1, -1, -1};
	int r = command->request.pty
			? 0
			: pump_open(&command->pump, command->request.want_stdin, child, err);

	if (r < 0)
		return r;
	child0 = child[0];
	child1 = child[1];
	child2 = child[2];

	struct world_exec exec = {
		.argv = command->prepare.argv.items,
		.envp = command->env.items,
		.cwd = command->prepare.cwd,
		.span_id = command->span_id,
		.umask = command->request.umask,
		.fds = {child0, child1, child2},
		.terminal = command->request.pty,
		.rows = (uint16_t)command->request.rows,
		.cols = (uint16_t)command->request.cols,
	};
	command->state = STATE_SPAWNING;
	return world_run(session_world(command->session), &exec, &leader_ops, command,
			 &command->leader, err);
}

static void take_world(struct command *command)
{
	struct world *world = session_world(command->session);
	const struct image *image = world_image(world);

	(void)snprintf(command->session_id, ID_SIZE, "%s", session_id(command->session));
	(void)snprintf(command->world_id, ID_SIZE, "%s", world_id(world));
	(void)snprintf(command->plan_hash, sizeof(command->plan_hash), "%s", image->hash);
	(void)snprintf(command->spec_hash, sizeof(command->spec_hash), "%s", image->spec_hash);
}

static int start_in_world(struct command *command, const char **ret_type, struct error *err)
{
	const struct spec *spec = session_spec(command->session);
	int r = prepare_environment(&command->request, spec, command->prepare.cwd, command->span_id,
				    &command->env, err);

	*ret_type = "internal";
	if (r < 0)
		return r;

	struct record_command record = as_record(command);

	*ret_type = "trace-unwritable";
	r = record_start(command->commands->options.trace, &record, err);
	if (r < 0)
		return error_wrap(err, r, "not started, because its span cannot be written");
	command->recorded = true;

	*ret_type = "spawn-failed";
	return spawn_leader(command, err);
}

static void world_is_ready(struct session_wait *wait, const struct error *err)
{
	struct command *command = container_of(wait, struct command, wait);
	const char *type = "no-world";

	if (err) {
		command->error = *err;
		refuse(command, 125, type);
		return;
	}
	command->session = wait->session;
	session_hold(command->session);
	take_world(command);
	if (start_in_world(command, &type, &command->error) < 0)
		refuse(command, 125, type);
}

static void begin(struct command *command)
{
	const struct prepare_defaults defaults = {
		.home = command->commands->options.home,
		.without = command->commands->options.without,
	};
	struct command_refusal refusal = {0};
	int r = prepare_request(&command->request, &defaults, &command->prepare, &refusal,
				&command->error);

	if (r < 0) {
		refuse(command, refusal.exit, refusal.type);
		return;
	}
	command->state = STATE_WAITING;
	command->wait.ready = world_is_ready;
	r = sessions_ensure(command->commands->options.sessions, &command->prepare.spec,
			    command->request.ephemeral, &command->wait, &command->reused,
			    &command->error);
	if (r < 0)
		refuse(command, 125, "no-world");
}

int command_start(struct commands *commands, struct command_request *req,
		  const struct command_ops *ops, void *owner, struct command **ret,
		  struct error *err)
{
	struct command *command = calloc(1, sizeof(*command));

	if (!command)
		return error_oom(err);
	command->commands = commands;
	command->ops = ops;
	command->owner = owner;
	command->request = *req;
	*req = (struct command_request){0};
	id_new("spn", command->span_id);
	command->started_ns = clock_real_ns();
	command->started_mono_ns = clock_mono_ns();
	command->next = commands->first;
	if (commands->first)
		commands->first->prev = command;
	commands->first = command;
	pump_init(&command->pump, commands->options.loop, &pump_ops);
	set_running(commands, 1);
	*ret = command;
	begin(command);
	return 0;
}

/* What the owner may do ---------------------------------------------------------------- */

void command_abandon(struct command *command)
{
	command->ops = NULL;
	command->abandoned = true;
	if (command->state == STATE_WAITING) {
		command_destroy(command);
		return;
	}
	pump_resume(&command->pump);
	if (!command->request.pty)
		pump_close_stdin(&command->pump);
	else
		pump_close(&command->pump); // the line is cut
	if (command->state == STATE_RUNNING)
		end_leader(command, SIGHUP);
}

void command_detach(struct command *command)
{
	command->ops = NULL;
	if (command->state != STATE_EXITED)
		pump_close_stdin(&command->pump); // nobody is left who could send more
	pump_discard(&command->pump);
}

bool command_write(struct command *command, const void *data, size_t len)
{
	return pump_write(&command->pump, data, len);
}

size_t command_queued(const struct command *command)
{
	return pump_queued(&command->pump);
}

void command_close_stdin(struct command *command)
{
	pump_close_stdin(&command->pump);
}

int command_signal(struct command *command, int signo, struct error *err)
{
	if (signo < 1 || signo >= NSIG)
		return error_set(err, EINVAL, "there is no signal %d", signo);
	if (command->state == STATE_RUNNING)
		world_command_signal(command->leader, signo, false);
	return 0;
}

void command_continue(struct command *command)
{
	if (command->state == STATE_RUNNING)
		world_command_signal(command->leader, SIGCONT, false);
}

void command_resize(struct command *command, unsigned rows, unsigned cols)
{
	command->request.rows = rows; // for one that is still to start
	command->request.cols = cols;
	pump_resize(&command->pump, rows, cols);
}

void command_resume(struct command *command)
{
	pump_resume(&command->pump);
}

const char *command_span(const struct command *command)
{
	return command->span_id;
}

struct session *command_session(const struct command *command)
{
	return command->session;
}

const char *command_world_id(const struct command *command)
{
	return command->world_id;
}

bool command_world_reused(const struct command *command)
{
	return command->reused;
}

struct command *commands_next(const struct commands *commands, struct command *after)
{
	return after ? after->next : commands->first;
}

const struct command_request *command_asked(const struct command *command)
{
	return &command->request;
}

uint64_t command_started_ns(const struct command *command)
{
	return command->started_ns;
}

bool command_is_running(const struct command *command)
{
	return command->state == STATE_RUNNING;
}

/* The set ------------------------------------------------------------------------------ */

int commands_new(const struct commands_options *options, struct commands **ret, struct error *err)
{
	struct commands *commands = calloc(1, sizeof(*commands));

	if (!commands)
		return error_oom(err);
	commands->options = *options;
	*ret = commands;
	return 0;
}

struct commands *commands_free(struct commands *commands)
{
	if (!commands)
		return NULL;
	commands->options.changed = NULL;
	while (commands->first)
		command_destroy(commands->first);
	free(commands);
	return NULL;
}

unsigned commands_running(const struct commands *commands)
{
	return commands->running;
}

void command_request_done(struct command_request *req)
{
	free(req->cmd);
	strv_done(&req->argv);
	free(req->cwd);
	free(req->default_cwd);
	strv_done(&req->env);
	strv_done(&req->env_dropped);
	free(req->profile);
	free(req->agent);
	free(req->traceparent);
	*req = (struct command_request){0};
}

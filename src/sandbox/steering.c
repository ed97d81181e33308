// SPDX-License-Identifier: Apache-2.0
/** CONTROL_SIGNAL and CONTROL_LIST: acting on the processes of a command, or of the world. */
#include "base/compiler.h"
#include "base/error.h"
#include "sandbox/init_priv.h"
#include "sandbox/job_priv.h"

#include <errno.h>
#include <signal.h>

/** So often at most are processes looked for that were made while others were killed. */
#define KILL_ROUNDS_MAX 64U

#define LIST_MAX \
	((CONTROL_INLINE_MAX - sizeof(struct control_processes)) / sizeof(struct control_process))

static bool is_dead(const struct proc_list_entry *entry)
{
	return entry->state == 'Z' || entry->state == 'X';
}

/**
 * Signal each process of a command once; `seen` are those of the round before.  Returns new ones.
 * Its holder is spared: it tells how the command ended.
 */
static size_t signal_round(const struct proc_list *now, const struct proc_list *seen,
			   const struct command_entry *command, int signo)
{
	size_t fresh = 0;

	for (size_t i = 0; i < now->count; i++) {
		const struct proc_list_entry *entry = &now->items[i];

		if (is_dead(entry) || !proc_list_belongs(now, entry, command->session) ||
		    (command->held && entry->pid == command->session))
			continue;
		if (!proc_list_find(seen, entry->pid))
			fresh++;
		(void)kill(entry->pid, signo);
	}
	return fresh;
}

/**
 * Until a round finds nobody new: who has a SIGKILL pending cannot fork any more, so only
 * children of the round before can be missing.
 */
static int signal_command(struct init *init, const struct command_entry *command, int signo,
			  struct error *err)
{
	struct proc_list seen = {0};
	unsigned rounds = signo == SIGKILL ? KILL_ROUNDS_MAX : 1;
	int r = 0;

	for (unsigned i = 0; i < rounds; i++) {
		struct proc_list now = {0};

		r = proc_list_read(&now, init->proc, err);

		size_t fresh = r < 0 ? 0 : signal_round(&now, &seen, command, signo);

		proc_list_done(&seen);
		seen = now;
		if (fresh == 0)
			break;
	}
	proc_list_done(&seen);
	return r;
}

int steering_signal(struct init *init, struct error *err)
{
	struct control_signal body;
	uint32_t seq = init->packet.header.seq;
	struct error ignored = {0};

	if (init->packet.size != sizeof(body))
		return error_set(err, EBADMSG, "a signal packet has a wrong size");
	memcpy(&body, init->packet.data, sizeof(body));
	if (body.signo < 0 || body.signo > SIGRTMAX)
		return error_set(err, EBADMSG, "signal %d", body.signo);
	if (body.target == CONTROL_TO_WORLD) {
		(void)kill(-1, body.signo); // never init itself
		return 0;
	}

	struct command_entry *command = command_table_find(&init->commands, seq);
	struct job *job = command ? NULL : command_spawn_pending(init, seq);

	// Asked for before the command runs: it gets the signal when it does.
	if (job && job->signo != SIGKILL)
		job->signo = body.signo;
	if (!command)
		return 0;
	// Without a procfs the process group is what can be told.
	if (body.target == CONTROL_TO_GROUP ||
	    signal_command(init, command, body.signo, &ignored) < 0)
		(void)kill(-command->pid, body.signo);
	if (command->held)
		(void)kill(command->session, SIGCONT); // what it holds may have stopped it
	return 0;
}

static uint32_t command_of(struct init *init, const struct proc_list_entry *entry)
{
	for (size_t i = 0; i < init->commands.count; i++) {
		if (proc_list_belongs(&init->processes, entry, init->commands.items[i].session))
			return init->commands.items[i].seq;
	}
	return 0;
}

int steering_list(struct init *init, struct error *err)
{
	struct control_process *list = calloc(LIST_MAX, sizeof(*list));
	struct control_processes body = {0};
	struct error ignored = {0};

	if (!list)
		return error_oom(err);
	body.truncated = proc_list_read(&init->processes, init->proc, &ignored) < 0;
	command_table_prune(&init->commands, &init->processes);
	for (size_t i = 0; i < init->processes.count; i++) {
		const struct proc_list_entry *entry = &init->processes.items[i];

		if (is_dead(entry) || command_table_held(&init->commands, entry->pid))
			continue;
		if (body.count == LIST_MAX) {
			body.truncated = 1;
			break;
		}

		struct control_process *process = &list[body.count++];

		process->seq = command_of(init, entry);
		process->pid = entry->pid;
		process->ppid = entry->ppid;
		process->sid = entry->sid;
		memcpy(process->comm, entry->comm, sizeof(process->comm));
	}

	const struct control_message msg = {
		.header = {.kind = CONTROL_PROCESSES, .seq = init->packet.header.seq},
		.body = &body,
		.body_size = sizeof(body),
		.payload = list,
		.payload_size = body.count * sizeof(*list),
	};
	int r = answering_send_with(init, &msg, err);

	free(list);
	return r;
}

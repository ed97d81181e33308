// SPDX-License-Identifier: Apache-2.0
/**
 * The hand-over between init's threads.
 *
 * How it works: `state` goes STARTING -> IDLE -> BUSY -> IDLE ...; the main thread sets BUSY after
 * it has written `job`, the spawner sets IDLE after it has written the result and then writes to
 * done_fd.  Each side only reads what the other wrote before.
 */
#include "sandbox/spawner_priv.h"

#include "base/error.h"
#include "base/fd.h"
#include "sandbox/control.h"
#include "sandbox/exec_child_priv.h"
#include "sandbox/job_priv.h"
#include "sandbox/terminal_priv.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILD_STACK_BYTES 32768U
#define THREAD_STACK_BYTES 131072U

enum state { STARTING, IDLE, BUSY, FAILED };

static uint32_t load(const uint32_t *state)
{
	return __atomic_load_n(state, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *state, enum state value)
{
	__atomic_store_n(state, (uint32_t)value, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_while(const uint32_t *state, enum state value)
{
	while (load(state) == (uint32_t)value)
		(void)syscall(SYS_futex, state, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void spawn(struct spawner *spawner, struct job *job)
{
	if (job->terminal) {
		terminal_spawn(job, spawner->report_fd, spawner->stack + CHILD_STACK_BYTES);
		return;
	}

	// The kernel stores the pid before the child runs, so the main thread knows whom it reaps.
	int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD;
	pid_t pid =
		clone(exec_child_main, spawner->stack + CHILD_STACK_BYTES, flags, job, &job->pid);

	if (pid < 0) {
		job->step = CONTROL_STEP_CLONE;
		job->code = errno;
	}
}

static void *spawner_main(void *arg)
{
	const uint64_t one = 1;
	struct spawner *spawner = arg;

	if (harden_spawner(&spawner->harden, spawner->failure) < 0) {
		store(&spawner->state, FAILED);
		return NULL;
	}
	store(&spawner->state, IDLE);
	for (;;) {
		wait_while(&spawner->state, IDLE);
		spawn(spawner, spawner->job);
		__atomic_store_n(&spawner->state, IDLE, __ATOMIC_RELEASE);
		(void)!write(spawner->done_fd, &one, sizeof(one)); // cannot fill up: one at a time
	}
	return NULL;
}

static int start_thread(struct spawner *spawner, struct error *err)
{
	pthread_attr_t attr;
	int code = pthread_attr_init(&attr);

	if (code != 0)
		return error_set(err, code, "prepare the spawner: %s", strerror(code));
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	code = pthread_create(&spawner->thread, &attr, spawner_main, spawner);
	(void)pthread_attr_destroy(&attr);
	return code ? error_set(err, code, "start the spawner: %s", strerror(code)) : 0;
}

int spawner_start(struct spawner *spawner, const struct harden *harden, struct error *err)
{
	spawner->harden = *harden;
	spawner->failure = err;
	spawner->stack = aligned_alloc(16, CHILD_STACK_BYTES);
	spawner->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!spawner->stack)
		return error_oom(err);
	if (spawner->done_fd < 0)
		return error_errno(err, "eventfd");

	int r = start_thread(spawner, err);

	if (r < 0)
		return r;
	wait_while(&spawner->state, STARTING);
	return load(&spawner->state) == FAILED ? -err->code : 0;
}

void spawner_give(struct spawner *spawner, struct job *job)
{
	spawner->job = job;
	store(&spawner->state, BUSY);
}

struct job *spawner_take(struct spawner *spawner)
{
	uint64_t count = 0;
	struct job *job = spawner->job;

	(void)!read(spawner->done_fd, &count, sizeof(count));
	if (!job || load(&spawner->state) != IDLE)
		return NULL;
	spawner->job = NULL;
	return job;
}

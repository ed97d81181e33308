// SPDX-License-Identifier: Apache-2.0
/**
 * The registry of session worlds.
 *
 * How it works.  A session is in the map by its key while it may be found again; an ephemeral
 * or retired one is only in the list.  What keeps it in existence: its world, holds (commands),
 * waits, and the idle timer.  session_settle() is called whenever one of these went away.
 *
 * A world that is being stopped is still the session's until stopped() comes; who wants a world
 * meanwhile waits, and the next one is started from there.  All waits get one answer.
 */
#include "world/session.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "loop/timer.h"
#include "world/guard.h"

#include <errno.h>
#include <sys/stat.h>

/** How often an idle session looks whether its survivors have ended. */
#define SURVIVORS_POLL_MS 30000
/** How often a world is planned anew because something went away while it was built. */
#define ATTEMPTS_MAX 3

struct sessions {
	struct sessions_options options;
	struct guard_hub *guards;
	struct map by_key;
	struct session *first;
};

struct session {
	struct session *next, *prev;
	struct sessions *sessions;
	char *key; /**< NULL: not in the map. */
	char id[ID_SIZE];
	struct spec spec;
	struct world *world; /**< NULL: none. */
	bool stopping;       /**< The world was asked to stop. */
	unsigned attempts;   /**< Starts that failed since one did not. */
	bool ephemeral;
	bool retired; /**< Ends with its last hold; another has its place. */
	bool ending;  /**< Its life is over once the world is gone. */
	unsigned holds;
	struct session_wait *waits;
	struct timer idle;
	uint64_t last_used_ns;  /**< CLOCK_REALTIME. */
	uint64_t idle_since_ns; /**< CLOCK_MONOTONIC. */
	dev_t root_dev;         /**< Identity of the project's root when the world was made. */
	ino_t root_ino;
};

static const struct world_ops world_ops;

/* Sessions ----------------------------------------------------------------------------- */

/** The key of a session: lengths keep two different ones from having the same text. */
static char *key_of(const struct spec *spec)
{
	return str_format("%u:%zu:%s:%zu:%s:%s", (unsigned)spec->user.uid, strlen(spec->profile),
			  spec->profile, strlen(spec->agent), spec->agent, spec->project.root);
}

static void forget_key(struct session *session)
{
	if (!session->key)
		return;
	(void)map_remove(&session->sessions->by_key, session->key);
	free(session->key);
	session->key = NULL;
}

static void session_destroy(struct session *session)
{
	struct sessions *sessions = session->sessions;

	timer_stop(&session->idle);
	session->world = world_free(session->world);
	forget_key(session);
	if (session->prev)
		session->prev->next = session->next;
	else
		sessions->first = session->next;
	if (session->next)
		session->next->prev = session->prev;
	spec_done(&session->spec);
	free(session);
}

/** Make a session; `key` (taken over) is NULL for an ephemeral one.  Takes *spec on success. */
static int session_make(struct sessions *sessions, struct spec *spec, char *key,
			struct session **ret, struct error *err)
{
	AUTO(mem_free) char *owned_key = key;
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return error_oom(err);
	if (key && map_set(&sessions->by_key, key, session) < 0) {
		free(session);
		return error_oom(err);
	}
	session->sessions = sessions;
	session->key = TAKE_PTR(owned_key);
	session->ephemeral = !key;
	session->spec = *spec;
	*spec = (struct spec){0};
	id_new("ses", session->id);
	session->last_used_ns = clock_real_ns();
	session->next = sessions->first;
	if (session->next)
		session->next->prev = session;
	sessions->first = session;
	*ret = session;
	return 0;
}

static void session_touch(struct session *session)
{
	session->last_used_ns = clock_real_ns();
	session->idle_since_ns = clock_mono_ns();
}

/* Idling and ending -------------------------------------------------------------------- */

static void idle_due(struct timer *timer);

/** Stop the world, if there is one that nobody stopped yet. */
static void stop_world(struct session *session, const char *reason)
{
	timer_stop(&session->idle);
	if (!session->world || session->stopping)
		return;
	session->stopping = true;
	world_stop(session->world, reason);
}

static void arm_idle(struct session *session, uint64_t delay_ms)
{
	timer_start(session->sessions->options.loop, &session->idle, delay_ms, idle_due);
}

/** Nobody uses it: end it, or let its idle time begin.  May free the session. */
static void session_settle(struct session *session)
{
	if (session->holds > 0 || session->waits)
		return;
	if (!session->world && (session->ephemeral || session->retired || session->ending)) {
		session_destroy(session);
		return;
	}
	if (session->world && (session->ephemeral || session->retired)) {
		stop_world(session, "its command ended");
		return;
	}
	arm_idle(session, session->sessions->options.idle_stop_ms);
}

static void idle_due(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, idle);
	uint64_t limit_ms = session->sessions->options.idle_stop_ms;

	if (session->holds > 0 || session->waits || session->stopping)
		return;
	if (session->world && world_survivors(session->world) > 0)
		session->idle_since_ns = clock_mono_ns();

	uint64_t idle_ms = (clock_mono_ns() - session->idle_since_ns) / 1000000;

	if (session->world && idle_ms < limit_ms) {
		uint64_t left_ms = limit_ms - idle_ms;

		arm_idle(session, left_ms < SURVIVORS_POLL_MS ? left_ms : SURVIVORS_POLL_MS);
		return;
	}
	session->ending = true;
	if (session->world)
		stop_world(session, "idle");
	else
		session_destroy(session);
}

/* Worlds ------------------------------------------------------------------------------- */

/** Answer every wait.  A wait may be freed, and others cancelled, by its ready(). */
static void answer_waits(struct session *session, const struct error *err)
{
	session->holds++; // what ready() does must not end the session under our feet
	while (session->waits) {
		struct session_wait *wait = session->waits;

		session->waits = wait->next;
		wait->next = NULL;
		wait->ready(wait, err);
	}
	session->holds--;
}

static int session_start(struct session *session, struct error *err)
{
	struct sessions *sessions = session->sessions;
	const struct world_options options = {
		.loop = sessions->options.loop,
		.init_path = sessions->options.init_path,
		.spec = &session->spec,
		.guards = sessions->guards,
		.ops = &world_ops,
		.owner = session,
	};
	struct stat st;
	int r = stat(session->spec.project.root, &st) < 0
			? error_errno(err, "the project %s", session->spec.project.root)
			: world_new(&options, &session->world, err);

	if (r < 0) {
		sessions->options.world_started(session, err, sessions->options.owner);
		return r;
	}
	session->root_dev = st.st_dev;
	session->root_ino = st.st_ino;
	session->stopping = false;
	session->ending = false;
	return 0;
}

static void on_started(struct world *world, const struct error *err, void *owner)
{
	struct session *session = owner;
	const struct sessions_options *options = &session->sessions->options;

	// A plan names what was there when it was made; what a command of another world made and
	// a guard took away meanwhile is not in the next one.
	bool vanished = err && err->code == ENOENT && session->attempts++ < ATTEMPTS_MAX;
	bool again = session->waits && (session->stopping || vanished);

	if (!again || !vanished)
		options->world_started(session, err, options->owner);
	if (!err) {
		session->attempts = 0;
		session_touch(session);
		answer_waits(session, NULL);
		session_settle(session);
		return;
	}

	struct error copy = *err; // it is the world's

	session->world = world_free(world);
	session->stopping = false;
	if (!again)
		session->attempts = 0;
	if (!again || session_start(session, &copy) < 0)
		answer_waits(session, &copy);
	session_settle(session);
}

static void on_stopped(struct world *world, const char *reason, void *owner)
{
	struct session *session = owner;
	const struct sessions_options *options = &session->sessions->options;
	struct error err = {0};

	options->world_stopped(session, reason, options->owner);
	session->world = world_free(world);
	session->stopping = false;
	session->idle_since_ns = clock_mono_ns();
	if (session->waits && session_start(session, &err) < 0)
		answer_waits(session, &err);
	session_settle(session);
}

static void on_guarded(struct world *world, const struct world_guarded *what, void *owner)
{
	struct session *session = owner;
	const struct sessions_options *options = &session->sessions->options;

	(void)world;
	options->world_guarded(session, what, options->owner);
}

static const struct world_ops world_ops = {
	.started = on_started,
	.stopped = on_stopped,
	.guarded = on_guarded,
};

/* Ensuring ----------------------------------------------------------------------------- */

/** True when the directory that the world was made for is not the project any more. */
static bool root_changed(const struct session *session)
{
	struct stat st;

	return stat(session->spec.project.root, &st) < 0 || st.st_dev != session->root_dev ||
	       st.st_ino != session->root_ino;
}

/** Stop a world that does not fit any more; false: it is in use, so its session is retired. */
static bool replace_world(struct session *session)
{
	if (!root_changed(session)) {
		if (world_is_stale(session->world))
			stop_world(session, "a protected path was made or removed on the host");
		return true;
	}
	if (session->holds == 0) {
		stop_world(session, "the project is another directory");
		return true;
	}
	forget_key(session);
	session->retired = true;
	return false;
}

/** The session to use for spec, made when there is none.  *spec is taken when it is used. */
static int find_session(struct sessions *sessions, struct spec *spec, bool ephemeral,
			struct session **ret, struct error *err)
{
	AUTO(mem_free) char *key = ephemeral ? NULL : key_of(spec);
	struct session *session;

	if (ephemeral)
		return session_make(sessions, spec, NULL, ret, err);
	if (!key)
		return error_oom(err);
	session = map_get(&sessions->by_key, key);
	if (session && session->world && !session->stopping && !replace_world(session))
		session = NULL;
	if (!session)
		return session_make(sessions, spec, TAKE_PTR(key), ret, err);
	if (!session->world || session->stopping) {
		spec_done(&session->spec);
		session->spec = *spec;
		*spec = (struct spec){0};
	}
	*ret = session;
	return 0;
}

static void add_wait(struct session *session, struct session_wait *wait)
{
	struct session_wait **link = &session->waits;

	while (*link)
		link = &(*link)->next;
	*link = wait;
	wait->next = NULL;
}

int sessions_ensure(struct sessions *sessions, struct spec *spec, bool ephemeral,
		    struct session_wait *wait, bool *ret_reused, struct error *err)
{
	struct session *session = NULL;
	int r = find_session(sessions, spec, ephemeral, &session, err);

	spec_done(spec);
	if (r < 0 || !session)
		return r;
	session_touch(session);
	timer_stop(&session->idle);
	if (!session->world) {
		r = session_start(session, err);
		if (r < 0) {
			session_settle(session);
			return r;
		}
	}

	bool ready = !session->stopping && world_state(session->world) == WORLD_READY;

	wait->session = session;
	*ret_reused = ready;
	if (!ready) {
		add_wait(session, wait);
		return 0;
	}
	session->holds++; // ready() may hold and release it
	wait->ready(wait, NULL);
	session_release(session);
	return 0;
}

void session_wait_cancel(struct session_wait *wait)
{
	struct session *session = wait->session;
	struct session_wait **link = session ? &session->waits : NULL;

	while (link && *link && *link != wait)
		link = &(*link)->next;
	if (!link || !*link)
		return;
	*link = wait->next;
	wait->next = NULL;
	session_settle(session);
}

void session_hold(struct session *session)
{
	session->holds++;
	timer_stop(&session->idle);
}

void session_release(struct session *session)
{
	session->holds--;
	session_touch(session);
	session_settle(session);
}

void session_stop(struct session *session, const char *reason)
{
	struct error err = {0};

	if (session->world && !session->stopping && world_state(session->world) == WORLD_STARTING &&
	    session->waits) {
		// Who asks from here on gets the next world.
		(void)error_set(&err, ECANCELED, "the world was stopped: %s", reason);
		stop_world(session, reason);
		answer_waits(session, &err);
		return;
	}
	stop_world(session, reason);
}

/* Looking ------------------------------------------------------------------------------ */

const char *session_id(const struct session *session)
{
	return session->id;
}

bool session_stopping(const struct session *session)
{
	return session->world && session->stopping;
}

const struct spec *session_spec(const struct session *session)
{
	return &session->spec;
}

struct world *session_world(struct session *session)
{
	return session->world;
}

bool session_ephemeral(const struct session *session)
{
	return session->ephemeral;
}

uint64_t session_last_used_ns(const struct session *session)
{
	return session->last_used_ns;
}

struct session *sessions_next(struct sessions *sessions, struct session *after)
{
	return after ? after->next : sessions->first;
}

struct session *sessions_find(struct sessions *sessions, const char *id)
{
	struct session *session = sessions->first;

	while (session && strcmp(session->id, id) != 0 &&
	       !(session->world && strcmp(world_id(session->world), id) == 0))
		session = session->next;
	return session;
}

/* The registry ------------------------------------------------------------------------- */

int sessions_new(const struct sessions_options *options, struct sessions **ret, struct error *err)
{
	AUTO(sessions_free) struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return error_oom(err);
	sessions->options = *options;

	int r = guard_hub_new(options->loop, &sessions->guards, err);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(sessions);
	return 0;
}

struct sessions *sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return NULL;
	// All are killed before the first is waited for: they die at the same time.
	for (struct session *s = sessions->first; s; s = s->next)
		session_stop(s, "substrated ended");
	while (sessions->first) {
		struct session *session = sessions->first;
		const struct sessions_options *options = &sessions->options;

		if (session->world && world_state(session->world) == WORLD_READY)
			options->world_stopped(session, "substrated ended", options->owner);
		session_destroy(session);
	}
	sessions->guards = guard_hub_free(sessions->guards);
	map_done(&sessions->by_key);
	free(sessions);
	return NULL;
}

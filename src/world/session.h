// SPDX-License-Identifier: Apache-2.0
/**
 * Session worlds: one per (user, project, profile, agent), reused, stopped when idle.
 *
 * A session's id survives rebuilds of its world.  An ephemeral world belongs to one command.
 */
#pragma once

#include "world/world.h"

struct sessions;
struct session;

struct sessions_options {
	struct loop *loop;
	const char *init_path;
	uint64_t idle_stop_ms; /**< world.idle_stop; 30 min. */
	/** Records for the trace. */
	void (*world_started)(struct session *session, const struct error *err, void *owner);
	void (*world_stopped)(struct session *session, const char *reason, void *owner);
	void (*world_guarded)(struct session *session, const struct world_guarded *what,
			      void *owner);
	void *owner;
};

/** Make the registry.  On success the caller owns *ret. */
int sessions_new(const struct sessions_options *options, struct sessions **ret, struct error *err);

/**
 * Stop all worlds at once and free everything; world_stopped() and world_guarded() are called,
 * no other callback.  NULL is fine.  Returns NULL.
 */
struct sessions *sessions_free(struct sessions *sessions);
DEFINE_AUTO(struct sessions *, sessions_free)

/** Waits for a world; embed it.  Zero-initialise. */
struct session_wait {
	struct session_wait *next; /**< Belongs to session.c. */
	struct session *session;
	/** Called once: the world is READY (err NULL), or why it is not.  May free the wait. */
	void (*ready)(struct session_wait *wait, const struct error *err);
};

/**
 * The session for a spec (taken over: *spec is empty afterwards), made when there is none,
 * ephemeral when asked.  Its world is started when it is not READY; wait->ready() follows, at
 * once when it is.  *ret_reused: the world stood already.  A world that does not fit any more
 * (another directory at the project's place, protected paths that the host made or removed) is
 * replaced first; one that is in use goes on under the old session, which then is found no more.
 */
int sessions_ensure(struct sessions *sessions, struct spec *spec, bool ephemeral,
		    struct session_wait *wait, bool *ret_reused, struct error *err);

/** Forget a wait whose owner goes away. */
void session_wait_cancel(struct session_wait *wait);

/** A command holds its session (no idle stop); releasing the last hold of an ephemeral one stops
 * it. */
void session_hold(struct session *session);

/** Let go of a hold. */
void session_release(struct session *session);

/** Its id.  Borrowed. */
const char *session_id(const struct session *session);

/** What its world is made from.  Borrowed. */
const struct spec *session_spec(const struct session *session);

/** Its world, or NULL while none stands. */
struct world *session_world(struct session *session); /**< NULL: none, not even a starting one. */
bool session_ephemeral(const struct session *session);

/** Its world is told to stop, and not gone yet. */
bool session_stopping(const struct session *session);

/** When a command last started or ended, CLOCK_REALTIME in nanoseconds. */
uint64_t session_last_used_ns(const struct session *session);

/** Each session in turn: start with NULL.  NULL at the end. */
struct session *sessions_next(struct sessions *sessions, struct session *after);

/** The session whose id, or whose world's id, is `id`; or NULL. */
struct session *sessions_find(struct sessions *sessions, const char *id);

/**
 * Stop a session's world (its commands end); the session stays for the next command.  Who waits
 * for a world that is starting is told an error; who asks later gets the next one.
 */
void session_stop(struct session *session, const char *reason);

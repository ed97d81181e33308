// SPDX-License-Identifier: Apache-2.0
/** /v1/worlds: what stands, its plan, and starting, stopping and killing. */
#include "api/api_priv.h"

#include "api/request.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/path.h"
#include "command/command.h"
#include "http/problem.h"
#include "sandbox/plan.h"
#include "json/decode.h"
#include "json/encode.h"

#include <errno.h>

static const char *const state_names[] = {
	[WORLD_STARTING] = "starting",
	[WORLD_READY] = "ready",
	[WORLD_STOPPED] = "stopped",
};

static json_t *time_text(uint64_t real_ns)
{
	char text[CLOCK_TEXT_SIZE];

	if (real_ns == 0)
		return json_null();
	clock_print(real_ns, text);
	return json_string(text);
}

/* Which session ------------------------------------------------------------------------ */

/** What a request names: one world by id, or the session of a place. */
struct place {
	char *world_id; /**< Or NULL. */
	char *cwd, *profile, *agent;
	bool all;
};

#define FIELD(field_name, field_kind, member) \
	.name = (field_name), .kind = (field_kind), .offset = offsetof(struct place, member)

static const struct decode_field place_fields[] = {
	{FIELD("world_id", DECODE_STRING, world_id)},
	{FIELD("cwd", DECODE_STRING, cwd)},
	{FIELD("profile", DECODE_STRING, profile)},
	{FIELD("agent_id", DECODE_STRING, agent)},
	{FIELD("all", DECODE_BOOL, all)},
};

static void place_done(struct place *place)
{
	decode_done(place_fields, ARRAY_LEN(place_fields), place);
}

/** For AUTO(place_done). */
static void place_donep(struct place *place)
{
	place_done(place);
}

static struct place query_place(struct exchange *x)
{
	return (struct place){
		.world_id = answer_query(x, "world_id"),
		.cwd = answer_query(x, "cwd"),
		.profile = answer_query(x, "profile"),
		.agent = answer_query(x, "agent"),
	};
}

/** Read the body of a POST.  After a 400 it returns false. */
static bool body_place(struct exchange *x, const struct http_request *req, struct place *ret)
{
	json_t *body = answer_body(x, req);
	struct error err = {0};
	int r = body ? decode_object(body, place_fields, ARRAY_LEN(place_fields), ret, &err) : 0;

	json_decref(body);
	if (r < 0)
		problem_bad_request(x, err.msg);
	return body && r == 0;
}

static int place_spec(const struct api *api, const struct place *place, struct spec *ret,
		      struct error *err)
{
	const char *profile = place->profile ? place->profile : "default";

	if (!place->cwd || place->cwd[0] != '/')
		return error_set(err, EINVAL, "cwd is required: an absolute path");
	if (strcmp(profile, "default") != 0)
		return error_set(err, EINVAL, "there is no profile '%.80s'; allowed: default",
				 profile);

	int r = spec_default(api->options.home, place->cwd, profile,
			     place->agent ? place->agent : "local", ret, err);
	if (r < 0)
		return r;
	spec_leave_out(ret, &api->options.without);
	return 0;
}

/** True when the session is the one that `place` names; `spec` is place's, or NULL for all. */
static bool session_is_at(struct session *session, const struct place *place,
			  const struct spec *spec)
{
	const struct spec *have = session_spec(session);
	struct world *world = session_world(session);

	if (place->world_id)
		return world && strcmp(world_id(world), place->world_id) == 0;
	if (!spec)
		return true;
	return strcmp(have->project.root, spec->project.root) == 0 &&
	       (!place->profile || strcmp(have->profile, place->profile) == 0) &&
	       (!place->agent || strcmp(have->agent, place->agent) == 0);
}

/* GET /v1/worlds ----------------------------------------------------------------------- */

/** One request that waits for the process lists of several worlds. */
struct listing {
	struct exchange *x; /**< NULL once the client is gone. */
	json_t *worlds;
	unsigned pending;
};

/** One world's part of it. */
struct listing_world {
	struct listing *listing;
	json_t *processes; /**< Borrowed from listing->worlds. */
};

static void listing_finish(struct listing *listing)
{
	if (--listing->pending > 0)
		return;
	if (listing->x)
		answer_json(listing->x, 200,
			    json_pack("{s:i, s:o}", "schema", 1, "worlds", listing->worlds));
	else
		json_decref(listing->worlds);
	free(listing);
}

static void listing_gone(void *owner)
{
	struct listing *listing = owner;

	listing->x = NULL;
}

static void world_listed(const struct world_process *processes, size_t count, void *owner)
{
	struct listing_world *part = owner;

	for (size_t i = 0; i < count; i++) {
		const struct world_process *p = &processes[i];

		(void)json_array_append_new(
			part->processes,
			json_pack("{s:i, s:o, s:o, s:b}", "pid", p->pid, "comm",
				  encode_string(p->comm), "span_id",
				  p->span_id[0] ? json_string(p->span_id) : json_null(), "survivor",
				  !p->leader));
	}
	listing_finish(part->listing);
	free(part);
}

static json_t *command_list(const struct api *api, const struct session *session)
{
	json_t *list = json_array();
	struct command *command = NULL;

	while ((command = commands_next(api->options.commands, command))) {
		const struct command_request *asked = command_asked(command);
		json_t *argv = json_array();

		if (command_session(command) != session) {
			json_decref(argv);
			continue;
		}
		for (size_t i = 0; i < asked->argv.count; i++)
			(void)json_array_append_new(argv, encode_string(asked->argv.items[i]));
		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:o, s:o, s:o, s:b}", "span_id", command_span(command),
				  "cmd", asked->cmd ? encode_string(asked->cmd) : json_null(),
				  "argv", argv, "since", time_text(command_started_ns(command)),
				  "running", command_is_running(command)));
	}
	return list;
}

static json_t *session_object(const struct api *api, struct session *session)
{
	const struct spec *spec = session_spec(session);
	struct world *world = session_world(session);
	const char *state = session_stopping(session)
				    ? "stopping"
				    : state_names[world ? world_state(world) : WORLD_STOPPED];
	json_t *object = json_pack(
		"{s:s?, s:s, s:o, s:o?, s:s, s:s, s:i, s:s, s:b, s:o, s:o, s:o}", "world_id",
		world ? world_id(world) : NULL, "session_id", session_id(session), "project",
		encode_string(spec->project.root), "project_read_only",
		spec->project.read_only ? answer_text(spec->project.reason) : NULL, "profile",
		spec->profile, "agent_id", spec->agent, "uid", (int)spec->user.uid, "state", state,
		"ephemeral", session_ephemeral(session), "commands", command_list(api, session),
		"processes", json_array(), "last_used", time_text(session_last_used_ns(session)));

	if (object && world) {
		(void)json_object_set_new(object, "plan_hash",
					  json_string(world_image(world)->hash));
		(void)json_object_set_new(object, "landlock_abi",
					  json_integer(world_landlock_abi(world)));
		(void)json_object_set_new(object, "init_pid", json_integer(world_init_pid(world)));
	}
	return object;
}

/** Ask the session's world for its processes; the answer comes later. */
static void list_processes(struct listing *listing, struct session *session, json_t *object)
{
	struct world *world = session_world(session);
	struct listing_world *part;
	struct error ignored = {0};

	if (!world || world_state(world) != WORLD_READY)
		return;
	part = calloc(1, sizeof(*part));
	if (!part)
		return;
	part->listing = listing;
	part->processes = json_object_get(object, "processes");
	listing->pending++;
	if (world_list(world, world_listed, part, &ignored) < 0) {
		listing->pending--;
		free(part);
	}
}

void worlds_get(struct api *api, struct exchange *x, const struct http_request *req,
		const char *rest)
{
	AUTO(place_done) struct place place = query_place(x);
	AUTO(spec_done) struct spec spec = {0};
	struct listing *listing = calloc(1, sizeof(*listing));
	struct session *session = NULL;
	struct error err = {0};

	(void)req;
	(void)rest;
	if (!listing) {
		problem_internal(x, "out of memory");
		return;
	}
	if (place.cwd && place_spec(api, &place, &spec, &err) < 0) {
		free(listing);
		problem_bad_request(x, err.msg);
		return;
	}
	*listing = (struct listing){.x = x, .worlds = json_array(), .pending = 1};
	exchange_on_gone(x, listing_gone, listing);
	while ((session = sessions_next(api->options.sessions, session))) {
		if (!session_is_at(session, &place, place.cwd ? &spec : NULL))
			continue;

		json_t *object = session_object(api, session);

		if (json_array_append_new(listing->worlds, object) == 0)
			list_processes(listing, session, object);
	}
	listing_finish(listing);
}

/* GET /v1/worlds/plan ------------------------------------------------------------------ */

static json_t *plan_object(const struct image *image, struct error *err)
{
	struct plan plan;
	json_t *steps = json_array();
	json_t *text = json_array();
	int r = plan_open(image->plan.data, image->plan.len, &plan, err);

	for (uint32_t i = 0; r == 0 && i < plan.nops; i++) {
		const struct plan_op *op = &plan.ops[i];
		AUTO(buf_done) struct buf line = {0};

		plan_print(&plan, op, &line);
		(void)json_array_append_new(text, encode_bytes(line.data, line.len));
		(void)json_array_append_new(
			steps, json_pack("{s:s, s:o, s:o, s:i, s:s}", "kind",
					 plan_kind_name((enum plan_op_kind)op->kind), "path",
					 encode_string(plan_string(&plan, op->path)), "source",
					 encode_string(plan_string(&plan, op->source)), "flags",
					 (int)op->flags, "guard",
					 plan_guard_name((enum plan_guard)op->guard)));
	}
	return json_pack("{s:i, s:s, s:o, s:o}", "schema", 1, "hash", image->hash, "steps", steps,
			 "text", text);
}

void worlds_plan(struct api *api, struct exchange *x, const struct http_request *req,
		 const char *rest)
{
	AUTO(place_done) struct place place = query_place(x);
	AUTO(spec_done) struct spec spec = {0};
	AUTO(image_done) struct image image = {0};
	struct error err = {0};

	(void)req;
	(void)rest;
	if (place_spec(api, &place, &spec, &err) < 0) {
		problem_bad_request(x, err.msg);
		return;
	}
	if (image_compile(&spec, &image, &err) < 0) {
		problem_internal(x, err.msg);
		return;
	}
	answer_json(x, 200, plan_object(&image, &err));
}

/* Starting and stopping ---------------------------------------------------------------- */

struct warming {
	struct session_wait wait;
	struct exchange *x; /**< NULL once the client is gone. */
	struct api *api;
	bool reused;
};

static void warm_ready(struct session_wait *wait, const struct error *err)
{
	struct warming *warming = container_of(wait, struct warming, wait);

	if (warming->x && err)
		problem_reply(warming->x, &(struct problem){503, "no-world", "No world", err->msg});
	else if (warming->x)
		answer_json(warming->x, 200,
			    json_pack("{s:s, s:s, s:b}", "world_id",
				      world_id(session_world(wait->session)), "session_id",
				      session_id(wait->session), "world_reused", warming->reused));
	free(warming);
}

static void warm_gone(void *owner)
{
	struct warming *warming = owner;

	warming->x = NULL;
}

/** Take the spec over and answer when its world stands. */
static void warm_session(struct api *api, struct exchange *x, struct spec *spec)
{
	struct warming *warming = calloc(1, sizeof(*warming));
	struct error err = {0};

	if (!warming) {
		problem_internal(x, "out of memory");
		return;
	}
	*warming = (struct warming){.wait.ready = warm_ready, .x = x, .api = api};
	exchange_on_gone(x, warm_gone, warming);
	if (sessions_ensure(api->options.sessions, spec, false, &warming->wait, &warming->reused,
			    &err) < 0)
		warm_ready(&warming->wait, &err);
}

void worlds_warm(struct api *api, struct exchange *x, const struct http_request *req,
		 const char *rest)
{
	AUTO(place_done) struct place place = {0};
	AUTO(spec_done) struct spec spec = {0};
	struct error err = {0};

	(void)rest;
	if (!body_place(x, req, &place))
		return;
	if (place_spec(api, &place, &spec, &err) < 0)
		problem_bad_request(x, err.msg);
	else
		warm_session(api, x, &spec);
}

/** Stop what the place names.  Returns how many worlds that were, or -EINVAL. */
static int stop_places(struct api *api, const struct place *place, const char *reason,
		       struct error *err)
{
	AUTO(spec_done) struct spec spec = {0};
	struct session *session = NULL;
	int count = 0;

	if (!place->all && !place->world_id && place_spec(api, place, &spec, err) < 0)
		return -EINVAL;
	while ((session = sessions_next(api->options.sessions, session))) {
		if (!session_world(session) || session_stopping(session) ||
		    !session_is_at(session, place, spec.project.root ? &spec : NULL))
			continue;
		session_stop(session, reason);
		count++;
	}
	return count;
}

void worlds_restart(struct api *api, struct exchange *x, const struct http_request *req,
		    const char *rest)
{
	AUTO(place_done) struct place place = {0};
	AUTO(spec_done) struct spec spec = {0};
	struct error err = {0};

	(void)rest;
	if (!body_place(x, req, &place))
		return;
	if (place_spec(api, &place, &spec, &err) < 0 ||
	    stop_places(api, &place, "restarted", &err) < 0)
		problem_bad_request(x, err.msg);
	else
		warm_session(api, x, &spec);
}

void worlds_stop(struct api *api, struct exchange *x, const struct http_request *req,
		 const char *rest)
{
	AUTO(place_done) struct place place = {0};
	struct error err = {0};

	(void)rest;
	if (!body_place(x, req, &place))
		return;

	int count = stop_places(api, &place, "stopped on request", &err);

	if (count < 0)
		problem_bad_request(x, err.msg);
	else
		answer_json(x, 200, json_pack("{s:i}", "stopped", count));
}

void worlds_kill(struct api *api, struct exchange *x, const struct http_request *req,
		 const char *rest)
{
	struct error err = {0};
	json_t *body = answer_body(x, req);
	const char *span = json_string_value(json_object_get(body, "span_id"));
	struct session *session = NULL;
	int r = -ESRCH;

	(void)rest;
	if (!body)
		return;
	if (!span || !id_valid("spn", span)) {
		problem_bad_request(x, "field 'span_id': expected the id of a span");
		json_decref(body);
		return;
	}
	while (r < 0 && (session = sessions_next(api->options.sessions, session))) {
		if (session_world(session))
			r = world_kill_span(session_world(session), span, &err);
	}
	if (r < 0)
		problem_not_found(x, "no world knows anything of that span");
	else
		answer_json(x, 200, json_pack("{s:b}", "killed", 1));
	json_decref(body);
}

// SPDX-License-Identifier: Apache-2.0
/** What a request becomes before it can run: a specification, argv, environment, cwd. */
#pragma once

#include "base/str.h"
#include "world/spec.h"

struct command_request;
struct command_refusal;
struct error;

/** The prepared command.  Zero-initialise. */
struct prepare {
	struct spec spec;
	struct strv argv;
	char *cwd; /**< Real path. */
};

struct prepare_defaults {
	const char *home; /**< SUBSTRATE_HOME. */
	struct spec_without without;
};

/** Free the members; works on a zeroed one. */
void prepare_done(struct prepare *prepare);

/** Set argv, cwd and the spec.  On failure ret_refusal's exit and type say what kind it is. */
int prepare_request(const struct command_request *req, const struct prepare_defaults *defaults,
		    struct prepare *ret, struct command_refusal *ret_refusal, struct error *err);

/** The environment of a span in a world of this spec, sorted. */
int prepare_environment(const struct command_request *req, const struct spec *spec, const char *cwd,
			const char *span_id, struct strv *ret, struct error *err);

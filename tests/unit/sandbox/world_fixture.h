// SPDX-License-Identifier: Apache-2.0
/**
 * A small real world for tests, without the daemon: plan, launch, control socket.
 *
 * The binary runs as root, or with the argument "user" as an ordinary user.  Where the host
 * allows no user namespace a test is skipped with the reason; SUBSTRATE_MUST_WORK=1 makes that
 * a failure.
 */
#pragma once

#include "sandbox/control.h"
#include "sandbox/launch.h"
#include "sandbox/plan.h"

#include <stdbool.h>
#include <sys/types.h>

/** Bits of what a world is to lack. */
enum fixture_without {
	WITHOUT_SECCOMP = 1 << 0,
	WITHOUT_LANDLOCK = 1 << 1,
	WITHOUT_USERNS = 1 << 2, /**< No limit on nested user namespaces. */
	WITHOUT_SEAL = 1 << 3,
};

struct fixture {
	char dir[64];     /**< On the host, of this test alone. */
	char project[80]; /**< dir/project: writable in the world, at the same path. */
	uid_t uid;        /**< Whose the commands are. */
	gid_t gid;
	struct launch launch;
	bool stands; /**< It said that it is ready. */
	struct control_ready ready;
	struct control_packet packet;
	uint32_t seq;  /**< Of the last command. */
	unsigned gaps; /**< CONTROL_GAP packets seen. */
	char gap[256]; /**< The path of the last one. */
};

/** How a world differs from the usual one. */
struct fixture_options {
	unsigned without;    /**< enum fixture_without. */
	uint32_t harden_off; /**< enum control_harden. */
	uid_t uid;           /**< Another user for the commands (root only), 0: ours. */
	/** More steps, before the world is sealed and entered. */
	void (*extra)(struct plan_builder *builder, const struct fixture *f);
};

/** How a command went. */
struct outcome {
	uint32_t step; /**< enum control_step that failed. */
	int error;     /**< Its errno. */
	int status;    /**< As waitpid() gives it. */
	uint32_t survivors;
	char out[65536]; /**< What it wrote, as a string. */
};

/** For main(): become an ordinary user when argv says so, keep mounts private.  Returns 0. */
int fixture_main(int argc, char **argv);

/** Make f->dir and f->project, owned by the user of the commands. */
void fixture_dirs(struct fixture *f, const struct fixture_options *options);

/** substrate-init: a copy, as an ordinary user may not be able to reach the build folder. */
const char *fixture_init(const struct fixture *f);

/** Build the plan and start the world; the answer is 0, or what CONTROL_FAILED said. */
int fixture_try(struct fixture *f, const struct fixture_options *options, struct error *err);

/** Both, and it must work. */
void fixture_start(struct fixture *f, const struct fixture_options *options);

/** End the world, remove the directory. */
void fixture_stop(struct fixture *f);

/** Run argv in the project with environment envp and wait for its end. */
void fixture_run(struct fixture *f, const char *const argv[], const char *const envp[],
		 struct outcome *ret);

/** The same with a shell script; envp is PATH alone. */
void fixture_sh(struct fixture *f, const char *script, struct outcome *ret);

/** The script must end with status 0; returns its output, valid until the next call. */
const char *fixture_out(struct fixture *f, const char *script);

/** Send CONTROL_SPAWN with these descriptors.  Returns its seq. */
uint32_t fixture_spawn(struct fixture *f, const char *cwd, const char *const argv[],
		       const char *const envp[], const int fds[3]);

/** Start a script with `sh -c` on a terminal of 33 rows and 77 columns.  Returns its seq. */
uint32_t fixture_spawn_terminal(struct fixture *f, const char *script);

/** The next packet of this kind, others but gaps fail the test.  The body is in f->packet. */
void fixture_expect(struct fixture *f, enum control_kind kind);

/** Send a packet without descriptors. */
void fixture_send(struct fixture *f, enum control_kind kind, uint32_t seq, const void *body,
		  size_t size);

/** CONTROL_SIGNAL for a command. */
void fixture_signal(struct fixture *f, uint32_t seq, int signo, enum control_target target);

/** The next packet is CONTROL_EXITED of this command. */
struct control_exited fixture_wait_exit(struct fixture *f, uint32_t seq);

/** Setup and teardown of a test that needs nothing but an ordinary world: *state is a fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/** CONTROL_CHECK and its answer. */
struct control_checked fixture_check(struct fixture *f);

/** Write a host file below f->dir. */
void fixture_write(const struct fixture *f, const char *name, const char *text);

/** f->dir/name, valid until four calls later. */
const char *fixture_path(const struct fixture *f, const char *name);

// SPDX-License-Identifier: Apache-2.0
/**
 * A daemon that does what a script says, and the program run against it.
 *
 * The daemon and the program are children of the test, so the program has descriptors, signals
 * and an exit status of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define FAKE_OUTPUT_MAX 1048576

enum fake_action {
	FAKE_END,          /**< Close the connection and end. */
	FAKE_ANSWER,       /**< An HTTP answer; text is the body, number its status. */
	FAKE_SWITCH,       /**< Take the request and switch to WebSocket. */
	FAKE_SEND,         /**< A text message. */
	FAKE_OUTPUT,       /**< text on channel `number`. */
	FAKE_FLOOD,        /**< `number` messages of 32 KiB on stdout. */
	FAKE_EXPECT,       /**< The next message from the client has this text in it. */
	FAKE_EXPECT_INPUT, /**< Bytes of stdin arrive, in all this text. */
	FAKE_KILL,         /**< Send signal `number` to the client. */
	FAKE_WAIT_GONE,    /**< Wait until the client closes. */
};

struct fake_step {
	enum fake_action action;
	const char *text;
	int number;
};

/** How the program is run. */
struct fake_run {
	char *argv[8];                 /**< Without the program's name. */
	const struct fake_step *steps; /**< NULL: no daemon listens. */
	const char *input;             /**< For stdin; NULL: /dev/null. */
	bool reader_gone;              /**< Nobody reads its stdout. */
	int ignored;                   /**< A signal that is ignored when it starts; 0: none. */
};

/** What came of it. */
struct fake_result {
	int status;       /**< Exit status; 1000 + N when signal N ended it. */
	bool script_done; /**< The daemon saw what it expected. */
	char out[FAKE_OUTPUT_MAX];
	size_t out_len;
	char err[4096];
	char request[8192]; /**< The first bytes that the client sent. */
};

/** Run it.  The result is good until the next call. */
const struct fake_result *fake_daemon_run(const struct fake_run *run);

// SPDX-License-Identifier: Apache-2.0
/**
 * The three pipes of a command, or the master of its terminal, on the daemon's side.
 *
 * Output is read only while its taker accepts it, so a reader that stops, stops the writer.
 * stdin is queued up to a bound.  Descriptors of a client never enter a world; these do.
 */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <stdbool.h>

struct error;
struct pump;

struct pump_ops {
	/** Bytes of channel 1 or 2; false: pause until pump_resume(). */
	bool (*output)(struct pump *pump, int channel, const void *data, size_t len);
	/** stdin is below its bound again. */
	void (*writable)(struct pump *pump);
	/** Some of the queued input was taken by the command, or dropped with its stdin. */
	void (*taken)(struct pump *pump);
	/** Both outputs ended. */
	void (*ended)(struct pump *pump);
};

struct pump_outlet {
	struct loop_source source;
	struct pump *pump;
	int fd;      /**< -1 after end of file. */
	int channel; /**< 1 or 2. */
};

/** All fields belong to pump.c.  Embed it. */
struct pump {
	struct loop *loop;
	const struct pump_ops *ops;
	struct pump_outlet out[2];
	struct loop_source in_source;
	int in_fd;        /**< -1: none or closed. */
	bool opened;      /**< pump_open() was called: without it input waits in the queue. */
	struct buf queue; /**< Bytes for stdin. */
	bool closing;     /**< Close stdin when the queue is empty. */
	bool terminal;    /**< in_fd and out[0].fd are the master of a terminal; out[1] is none. */
	bool end_typed;   /**< The terminal got its end of input. */
	bool line_open;   /**< The last byte of input ended no line. */
	bool full;        /**< pump_write() said no. */
	bool paused;
	bool discarding;   /**< Nobody wants the output. */
	struct timer rest; /**< Between two reads of it. */
};

/** Prepare it without pipes; input may be queued from here on. */
void pump_init(struct pump *pump, struct loop *loop, const struct pump_ops *ops);

/**
 * Make the pipes.  ret_child[0..2] are the command's ends, owned by the caller, who closes
 * them after the spawn.  Without want_stdin, ret_child[0] is /dev/null.
 */
int pump_open(struct pump *pump, bool want_stdin, int ret_child[3], struct error *err);

/**
 * Use a terminal instead: `master`, non-blocking, is taken over.  The end of stdin is typed (its
 * end-of-file character); without want_stdin that is at once.  Output comes as channel 1.
 */
int pump_open_terminal(struct pump *pump, int master, bool want_stdin, struct error *err);

/** Set the size of its terminal; without one it does nothing. */
void pump_resize(struct pump *pump, unsigned rows, unsigned cols);

/** Close all pipes; no callback follows.  Works in every state. */
void pump_close(struct pump *pump);

/** Deliver what is in the output pipes at this moment, paused or not. */
void pump_drain(struct pump *pump);

/** Queue bytes for stdin.  False: over the bound, wait for writable(). */
bool pump_write(struct pump *pump, const void *data, size_t len);

/** Bytes of input that wait in the queue. */
size_t pump_queued(const struct pump *pump);

/** Close stdin once the queue is written. */
void pump_close_stdin(struct pump *pump);

/** Read again. */
void pump_resume(struct pump *pump);

/**
 * Nobody wants the output any more: the taker goes on getting it, at a few MB/s at most, so that
 * whoever still writes is not stopped, and costs next to nothing.
 */
void pump_discard(struct pump *pump);

/** True when both outputs are at their end. */
bool pump_ended(const struct pump *pump);

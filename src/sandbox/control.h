// SPDX-License-Identifier: Apache-2.0
/**
 * What the daemon and substrate-init say to each other on a SOCK_SEQPACKET socket.
 *
 * One message is one packet: struct control_header, then the kind's struct, then its payload;
 * descriptors travel with it by SCM_RIGHTS.  `seq` names a spawned command for its whole
 * life: the daemon chooses it, init uses it in every message about that command.
 * Both are ours, still init checks sizes: a bug must not become memory corruption.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

#define CONTROL_VERSION 2u
#define CONTROL_INLINE_MAX 65536u      /**< Larger payloads go into a sealed memfd. */
#define CONTROL_PAYLOAD_MAX (4u << 20) /**< argv and environment together. */
#define CONTROL_PACKET_MAX (CONTROL_INLINE_MAX + 512u)
#define CONTROL_FDS_MAX 8

enum control_kind {
	CONTROL_GO =
		1,     /**< daemon: the id maps are written, start.  struct control_go, fd: plan. */
	CONTROL_READY, /**< init: the world stands.  struct control_ready. */
	CONTROL_FAILED,  /**< init: it does not; init ends.  struct error. */
	CONTROL_SPAWN,   /**< daemon: struct control_spawn + payload, fds 0-2 [+ payload memfd]. */
	CONTROL_SPAWNED, /**< init: struct control_spawned [, fd: the master of its terminal]. */
	CONTROL_STOPPED, /**< init: a command on a terminal was stopped.  struct control_stopped. */
	CONTROL_EXITED,  /**< init: struct control_exited. */
	CONTROL_SIGNAL, /**< daemon: struct control_signal.  No answer; kept for one that starts. */
	CONTROL_CHECK,  /**< daemon: re-check watched mounts; answer CONTROL_CHECKED. */
	CONTROL_CHECKED, /**< init: struct control_checked. */
	CONTROL_GAP,     /**< init: a watched mount was gone and is back.  Payload: its path. */
	CONTROL_MOUNT,   /**< daemon: struct control_mount + path, fd: a tree.  CONTROL_CHECKED. */
	CONTROL_LIST,    /**< daemon: list processes.  Answer CONTROL_PROCESSES. */
	CONTROL_PROCESSES, /**< init: struct control_processes + that many struct control_process.
			    */
	CONTROL_END,
};

struct control_header {
	uint32_t kind; /**< enum control_kind. */
	uint32_t seq;  /**< The command or the question; 0 where there is none. */
};

struct control_go {
	uint32_t version;    /**< CONTROL_VERSION. */
	uint32_t guards_off; /**< Bits of enum control_harden that are left out (tests only). */
};

/** Confinement that is no plan operation; a test may leave one out. */
enum control_harden {
	CONTROL_NO_NEW_PRIVS = 1 << 0,
	CONTROL_DROP_CAPS = 1 << 1,
	CONTROL_CLOSE_FDS = 1 << 2,
};

struct control_ready {
	int32_t landlock_abi; /**< 0: not available. */
	uint32_t seccomp;     /**< 1: the filter is on. */
	uint32_t pids;        /**< 1: kernel.pid_max is set in the namespace. */
};

/**
 * Payload: cwd, then argc strings, then envc strings, each NUL-terminated.
 * They start one after the other; while 64 wait, the next is answered CONTROL_STEP_CLONE, EAGAIN.
 * argv[0] with a slash is a path; without one it is looked up in the PATH of the environment
 * given, inside the world.
 */
struct control_spawn {
	uint32_t flags;   /**< enum control_spawn_flags. */
	uint32_t payload; /**< Bytes of it, also when it is in a memfd. */
	uint32_t argc, envc;
	uint32_t umask;
	uint16_t rows, cols; /**< Of the terminal; 0 without one. */
};

enum control_spawn_flags {
	/**
	 * On a new terminal of the world's own.  No fds 0-2 come with the packet; the answer
	 * brings the master.
	 */
	CONTROL_SPAWN_TERMINAL = 1 << 0,
};

enum control_step {
	CONTROL_STEP_NONE,  /**< It runs. */
	CONTROL_STEP_CHECK, /**< A watched mount could not be put back. */
	CONTROL_STEP_CLONE,
	CONTROL_STEP_CWD, /**< The working directory is not visible in the world. */
	CONTROL_STEP_SETUP,
	CONTROL_STEP_LOOKUP, /**< No such program. */
	CONTROL_STEP_EXEC,
};

struct control_spawned {
	int32_t pid;   /**< In the world's PID namespace; 0 when it does not run. */
	uint32_t step; /**< enum control_step that failed. */
	int32_t error; /**< Its errno. */
	uint32_t zero;
};

struct control_exited {
	int32_t status;     /**< As waitpid() gives it. */
	uint32_t survivors; /**< Processes in the world that are not command leaders. */
	uint64_t user_us, system_us, max_rss_kib;
};

struct control_stopped {
	int32_t signo;
	uint32_t zero;
};

enum control_target {
	CONTROL_TO_GROUP,   /**< The leader's process group. */
	CONTROL_TO_COMMAND, /**< Every process of the command that can be told by session or parent.
			     */
	CONTROL_TO_WORLD,   /**< Every process but init. */
};

struct control_signal {
	int32_t signo;
	uint32_t target; /**< enum control_target. */
};

struct control_checked {
	int32_t error; /**< errno, 0: all in place. */
	uint32_t gaps; /**< How many had to be put back. */
};

/** Attach a tree that the daemon cloned at `path` (payload), replacing what is mounted there. */
struct control_mount {
	uint32_t flags; /**< enum plan_op_flags. */
	uint32_t zero;
};

struct control_processes {
	uint32_t count;
	uint32_t truncated; /**< 1: there are more. */
};

struct control_process {
	uint32_t seq; /**< The command it belongs to, 0: unknown. */
	int32_t pid, ppid, sid;
	char comm[16];
};

/** A received packet. */
struct control_packet {
	struct control_header header;
	uint32_t size; /**< Bytes after the header. */
	uint32_t nfds;
	int fds[CONTROL_FDS_MAX]; /**< Owned by the receiver; -1 beyond nfds. */
	char data[CONTROL_PACKET_MAX];
};

/** One packet to send: header, body (may be NULL), payload (may be NULL), descriptors. */
struct control_message {
	struct control_header header;
	const void *body;
	size_t body_size;
	const void *payload;
	size_t payload_size;
	const int *fds;
	size_t nfds;
};

/** Send it; never blocks: -EAGAIN when the peer does not read.  The descriptors stay the caller's.
 */
int control_send(int fd, const struct control_message *msg, struct error *err);

/** Receive one packet without blocking.  1: received; 0: nothing yet; -EPIPE: the peer is gone. */
int control_recv(int fd, struct control_packet *packet, struct error *err);

/** Close the descriptors that a packet still owns. */
void control_packet_done(struct control_packet *packet);

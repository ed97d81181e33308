// SPDX-License-Identifier: Apache-2.0
/**
 * A plan: everything substrate-init does to build a world, as flat data.
 *
 * The module world compiles a specification to a plan; the daemon hands it to init in a
 * sealed memfd; init checks it (plan_open) and executes the operations in order.  It can be
 * printed, hashed and tested without privilege.
 *
 * Layout of the blob: struct plan_header, then `nops` struct plan_op, then the data area that
 * the operations point into.  All offsets are from the start of the data area; strings there
 * are NUL-terminated.  Host byte order: it never leaves the machine.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct buf;

#define PLAN_MAGIC 0x4e504253u /* "SBPN" */
#define PLAN_VERSION 1u
#define PLAN_SIZE_MAX (1u << 20)

/**
 * What an operation does.  "path" is a clean absolute path in the world; it is resolved
 * beneath the new root without following any symlink.  "source" is a clean absolute host path
 * that holds no symlink (the daemon resolved it); init opens it with RESOLVE_NO_SYMLINKS.
 */
enum plan_op_kind {
	PLAN_DIR = 1, /**< Make directory path with `mode`; parents must exist; existing is fine. */
	PLAN_LINK,    /**< Make symlink path -> data. */
	PLAN_FILE,    /**< Make file path with data and `mode`, owned by the world's user. */
	PLAN_COPY,    /**< Copy the regular file source (<= 64 KiB) to path; mode and owner kept. */
	PLAN_BIND,    /**< Clone the host tree source and attach it at path. */
	PLAN_SELF,    /**< Bind path onto itself; init re-checks it before and after commands. */
	PLAN_TMPFS,   /**< A new tmpfs at path: `size` bytes, root directory `mode`. */
	PLAN_PROC,    /**< A new procfs at path. */
	PLAN_DEVPTS,  /**< A new devpts instance at path. */
	PLAN_SEAL,    /**< Make the mount at path read-only (it alone). */
	PLAN_SYSCTL,  /**< Write data to /proc/sys/<path> of the world's own namespaces. */
	PLAN_HOSTNAME, /**< Set the host name to data. */
	PLAN_LOOPBACK, /**< Bring lo up. */
	PLAN_PIVOT,    /**< Enter the new root; the host's is gone afterwards. */
	PLAN_USER,     /**< Commands (and files made from here on) belong to `uid`, `gid`. */
	PLAN_LANDLOCK, /**< Allow below path: reading and executing, with PLAN_RW everything. */
	PLAN_SECCOMP,  /**< The filter: data is an array of struct sock_filter. */
	PLAN_OP_END,   /**< Not an operation: one past the last. */
};

/** Flags of an operation. */
enum plan_op_flags {
	PLAN_RW = 1 << 0,        /**< BIND, SELF, LANDLOCK: writable; else read-only. */
	PLAN_RECURSIVE = 1 << 1, /**< BIND: submounts too, attributes on all of them. */
	PLAN_OPTIONAL = 1 << 2,  /**< A missing source, path or kernel feature is not an error. */
	PLAN_MAKE = 1 << 3,   /**< BIND, TMPFS: make the mount point (file or directory) first. */
	PLAN_DEV = 1 << 4,    /**< BIND: device nodes work below it. */
	PLAN_NOEXEC = 1 << 5, /**< TMPFS, PROC, BIND: nothing can be executed. */
	PLAN_WATCH = 1 << 6,  /**< BIND: the identity is re-checked like that of SELF. */
	PLAN_INSIDE = 1 << 7, /**< BIND: source is a path in the world, not on the host. */
};

/**
 * The guard that an operation belongs to.  Tests build plans with one guard left out to show
 * that it bites; `world plan` prints the name.
 */
enum plan_guard {
	PLAN_GUARD_NONE,     /**< Builds the view; no guard. */
	PLAN_GUARD_READONLY, /**< Read-only binds of the system. */
	PLAN_GUARD_HIDE,     /**< Hidden paths: skeletons. */
	PLAN_GUARD_PROTECT,  /**< Protected paths in the project. */
	PLAN_GUARD_PROC,     /**< /proc/sys and its like, read-only. */
	PLAN_GUARD_TMP,      /**< Own /tmp, /run, /dev/shm. */
	PLAN_GUARD_DEV,      /**< Own /dev. */
	PLAN_GUARD_CACHE,    /**< Private caches. */
	PLAN_GUARD_USERNS,   /**< No nested user namespaces. */
	PLAN_GUARD_SECCOMP,  /**< The system call filter. */
	PLAN_GUARD_LANDLOCK, /**< The Landlock domain. */
	PLAN_GUARD_END,
};

/** One operation, 56 bytes.  Fields that a kind does not use are zero. */
struct plan_op {
	uint16_t kind;     /**< enum plan_op_kind. */
	uint16_t guard;    /**< enum plan_guard. */
	uint32_t flags;    /**< enum plan_op_flags. */
	uint32_t path;     /**< Offset of a string. */
	uint32_t source;   /**< Offset of a string. */
	uint32_t data;     /**< Offset of bytes. */
	uint32_t data_len; /**< Their number (a string's NUL not counted). */
	uint32_t mode;     /**< Permission bits. */
	uint32_t uid;      /**< PLAN_USER. */
	uint32_t gid;      /**< PLAN_USER. */
	uint32_t zero;     /**< Padding, 0. */
	uint64_t size;     /**< Bytes of a tmpfs. */
	uint64_t inodes;   /**< Inodes of a tmpfs, 0: the kernel's default. */
};

struct plan_header {
	uint32_t magic;   /**< PLAN_MAGIC. */
	uint32_t version; /**< PLAN_VERSION. */
	uint32_t size;    /**< Of the whole blob. */
	uint32_t nops;    /**< Operations that follow. */
};

/** A checked view of a blob.  Borrowed from it. */
struct plan {
	const struct plan_op *ops;
	uint32_t nops;
	const char *data; /**< The data area. */
	uint32_t data_size;
};

/** Collects operations.  Zero-initialise. */
struct plan_builder;

/** Make a builder.  Caller owns *ret. */
int plan_builder_new(struct plan_builder **ret, struct error *err);

/** Free it.  NULL is fine.  Returns NULL. */
struct plan_builder *plan_builder_free(struct plan_builder *builder);
DEFINE_AUTO(struct plan_builder *, plan_builder_free)

/** What plan_add() takes: an operation with pointers instead of offsets.  All borrowed. */
struct plan_step {
	enum plan_op_kind kind;
	enum plan_guard guard;
	uint32_t flags;
	const char *path;   /**< NULL: none. */
	const char *source; /**< NULL: none. */
	const void *data;   /**< NULL: none. */
	size_t data_len;    /**< 0 with data: strlen(data). */
	uint32_t mode, uid, gid;
	uint64_t size, inodes;
};

/** Append one operation.  Failures (memory, size) are remembered until plan_build(). */
void plan_add(struct plan_builder *builder, const struct plan_step *step);

/** The blob, appended to *ret. */
int plan_build(const struct plan_builder *builder, struct buf *ret, struct error *err);

/**
 * Check a blob and open a view of it.  Everything is verified: magic, version, sizes, kinds,
 * guards, flags, offsets, terminators, clean paths.  -EINVAL with the reason otherwise.
 */
int plan_open(const void *blob, size_t size, struct plan *ret, struct error *err);

/** The string at an offset, or NULL for offset 0 (offset 0 is always an empty string). */
const char *plan_string(const struct plan *plan, uint32_t offset);

/** "bind", "self", ... */
const char *plan_kind_name(enum plan_op_kind kind);

/** "none", "hide", ... */
const char *plan_guard_name(enum plan_guard guard);

/** One line of text for a person, e.g. "bind  ro rec  /usr <- /usr  [readonly]". */
void plan_print(const struct plan *plan, const struct plan_op *op, struct buf *ret);

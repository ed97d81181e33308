// SPDX-License-Identifier: Apache-2.0
/** SHA-256, for what is recorded: the trace's chain, plans, trees of files. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 65 /**< Lower-case hex with its NUL. */

struct error;

/** A hash that is being made.  Zero-initialise it. */
struct sha256 {
	void *ctx;   /**< Owned; belongs to sha256.c. */
	bool failed; /**< A step failed: sha256_finish() says so. */
};

/** Start a hash.  Returns 0 or -ENOMEM. */
int sha256_init(struct sha256 *hash, struct error *err);

/** Hash `len` more bytes.  A failure is kept for sha256_finish(). */
void sha256_add(struct sha256 *hash, const void *data, size_t len);

/** End the hash; sha256_init() is needed before the next.  Returns 0 or -ENOMEM. */
int sha256_finish(struct sha256 *hash, uint8_t ret[static SHA256_SIZE], struct error *err);

/** Free it; works on a zeroed or finished hash. */
void sha256_done(struct sha256 *hash);
static inline void sha256_donep(struct sha256 *hash)
{
	sha256_done(hash);
}

/** Print a hash as lower-case hex. */
void sha256_print(const uint8_t hash[static SHA256_SIZE], char ret[static SHA256_HEX_SIZE]);

/** Hex of the hash of one byte string.  Returns 0, or -ENOMEM with `ret` untouched. */
int sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX_SIZE]);

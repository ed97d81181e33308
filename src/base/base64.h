// SPDX-License-Identifier: Apache-2.0
/** Base64 with padding (RFC 4648, section 4). */
#pragma once

#include <stddef.h>

/** Encode.  Caller frees the NUL-terminated text; NULL when out of memory. */
char *base64_encode(const void *data, size_t len);

/**
 * Decode strictly: padding required, nothing else allowed.
 * Caller frees *ret (NUL-terminated, `*ret_len` bytes).  Returns 0, -EINVAL or -ENOMEM.
 */
int base64_decode(const char *text, size_t len, char **ret, size_t *ret_len);

// SPDX-License-Identifier: Apache-2.0
/** SHA-1, for the WebSocket handshake (RFC 6455) and nothing else: it is no longer secure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

/** Hash one byte string.  Returns false, with `ret` untouched, when out of memory. */
bool sha1_sum(const void *data, size_t len, uint8_t ret[static SHA1_SIZE]);

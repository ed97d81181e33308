// SPDX-License-Identifier: Apache-2.0
/** Time: nanoseconds, and RFC 3339 text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 32

/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_mono_ns(void);

/** CLOCK_REALTIME in nanoseconds. */
uint64_t clock_real_ns(void);

/** "2026-01-31T23:59:59.123456Z" of a CLOCK_REALTIME value. */
void clock_print(uint64_t real_ns, char ret[static CLOCK_TEXT_SIZE]);

// SPDX-License-Identifier: Apache-2.0
/**
 * UUID version 7: 48 bits of milliseconds, a 12-bit counter, 62 random bits.
 *
 * How it works: milliseconds and counter are one 60-bit number that never repeats or falls
 * within the process.  When the counter is used up, or the clock was set back, the number
 * counts on past the clock, as RFC 9562 (section 6.2) allows.
 */
#include "base/id.h"

#include "base/clock.h"
#include "base/random.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_MAX 8
#define UUID_LEN 36
#define NS_PER_MS 1000000U
#define COUNTER_BITS 12
#define COUNTER_START_MASK 0x7ffU /**< Half of the counter stays free for the same millisecond. */

/** The next 60-bit number: the clock's, or one more than the last. */
static uint64_t next_stamp(uint64_t wanted)
{
	static _Atomic uint64_t last_stamp; // the one thing ids of a process must share
	uint64_t last = atomic_load_explicit(&last_stamp, memory_order_relaxed);
	uint64_t next;

	do {
		next = wanted > last ? wanted : last + 1;
	} while (!atomic_compare_exchange_weak(&last_stamp, &last, next));
	return next;
}

void id_new(const char *prefix, char ret[static ID_SIZE])
{
	uint64_t bits[2];

	random_fill(bits, sizeof(bits));

	uint64_t ms = clock_real_ns() / NS_PER_MS & 0xffffffffffffU;
	uint64_t stamp = next_stamp(ms << COUNTER_BITS | (bits[0] & COUNTER_START_MASK));
	uint64_t high = stamp >> COUNTER_BITS << 16 | 0x7000U | (stamp & 0xfffU);
	uint64_t low = (bits[1] & 0x3fffffffffffffffU) | 0x8000000000000000U;

	(void)snprintf(ret, ID_SIZE,
		       "%.*s_%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
		       PREFIX_MAX, prefix, high >> 32, high >> 16 & 0xffffU, high & 0xffffU,
		       low >> 48, low & 0xffffffffffffU);
}

/** True when position `i` of a UUID holds a dash. */
static bool is_dash_position(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool id_valid(const char *prefix, const char *text)
{
	size_t skip = strlen(prefix);

	if (strncmp(text, prefix, skip) != 0 || text[skip] != '_')
		return false;

	const char *uuid = text + skip + 1;

	if (strnlen(uuid, UUID_LEN + 1) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool digit =
			(uuid[i] >= '0' && uuid[i] <= '9') || (uuid[i] >= 'a' && uuid[i] <= 'f');

		if (is_dash_position(i) ? uuid[i] != '-' : !digit)
			return false;
	}
	return true;
}

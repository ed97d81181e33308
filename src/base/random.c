// SPDX-License-Identifier: Apache-2.0
/** getrandom(), without a failure that a caller could overlook. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

void random_fill(void *data, size_t size)
{
	char *at = data;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		// Keys and ids must never be made of predictable bytes, so nothing goes on.
		if (n < 0 && errno != EINTR)
			__builtin_trap();
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
}

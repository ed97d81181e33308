// SPDX-License-Identifier: Apache-2.0
/** Escaped text is UTF-8 within its bound, and is left alone when it is escaped again. */
#include "base/compiler.h"
#include "base/str.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;

	size_t max = (size_t)data[0] * 4;
	const char *text = (const char *)data + 1;
	AUTO(mem_free) char *once = str_escape(text, size - 1, max);

	if (!once || strlen(once) > max || !str_is_utf8(once, strlen(once)))
		abort();

	AUTO(mem_free) char *twice = str_escape(once, strlen(once), max);

	if (!str_same(once, twice))
		abort();
	// What is shown as it is was UTF-8 from the start.
	if (strlen(once) == size - 1 && memcmp(once, text, size - 1) == 0 &&
	    !str_is_utf8(text, size - 1))
		abort();
	return 0;
}

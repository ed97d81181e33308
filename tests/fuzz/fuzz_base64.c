// SPDX-License-Identifier: Apache-2.0
/** What decodes must encode to the same text again: there is one text for each byte string. */
#include "base/base64.h"
#include "base/compiler.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem_free) char *bytes = NULL;
	size_t len = SIZE_MAX;

	if (base64_decode((const char *)data, size, &bytes, &len) < 0) {
		if (bytes || len != SIZE_MAX)
			abort();
		return 0;
	}

	AUTO(mem_free) char *text = base64_encode(bytes, len);

	if (!text || strlen(text) != size || memcmp(text, data, size) != 0)
		abort();
	return 0;
}

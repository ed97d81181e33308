// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "git/gitlink.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem_free) char *link = NULL;
	AUTO(mem_free) char *path = NULL;
	struct error err = {0};
	int r = gitlink_parse((const char *)data, size, &link, &err);

	if ((r == 0) != (link != NULL) || (link && link[0] == '\0'))
		abort();
	r = gitlink_parse_path((const char *)data, size, &path, &err);
	if ((r == 0) != (path != NULL) || (path && strlen(path) > size))
		abort();
	return 0;
}

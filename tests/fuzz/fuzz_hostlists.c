// SPDX-License-Identifier: Apache-2.0
/** The kernel writes these tables, but whoever mounts or binds a socket chooses the paths in them.
 */
#include "base/path.h"
#include "base/str.h"
#include "world/mountlist.h"
#include "world/socklist.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem_free) char *text = strndup((const char *)data, size);
	AUTO(mountlist_done) struct mountlist mounts = {0};
	AUTO(strv_done) struct strv sockets = {0};

	if (!text || mountlist_parse(text, &mounts) < 0 || socklist_parse(text, &sockets) < 0)
		abort();
	for (size_t i = 0; i < mounts.count; i++) {
		if (!path_is_clean(mounts.entries[i].point))
			abort();
		if (!mountlist_of(&mounts, mounts.entries[i].point))
			abort();
	}
	for (size_t i = 0; i < sockets.count; i++) {
		if (!path_is_clean(sockets.items[i]))
			abort();
	}
	return 0;
}

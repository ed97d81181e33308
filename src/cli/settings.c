// SPDX-License-Identifier: Apache-2.0
/** The list of --env. */
#include "cli/settings.h"

#include <errno.h>
#include <stdlib.h>

int settings_add(struct settings_list *list, const char *text)
{
	const char **grown = reallocarray(list->items, list->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	list->items[list->count++] = text;
	return 0;
}

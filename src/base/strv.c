// SPDX-License-Identifier: Apache-2.0
/** Lists of owned strings.  Invariant: items is NULL, or items[count] is NULL. */
#include "base/str.h"

#include <errno.h>

void strv_done(struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strv){0};
}

int strv_add(struct strv *list, const char *text)
{
	return strv_take(list, strdup(text));
}

int strv_take(struct strv *list, char *text)
{
	if (!text)
		return -ENOMEM;

	char **items = reallocarray(list->items, list->count + 2, sizeof(*items));

	if (!items) {
		free(text);
		return -ENOMEM;
	}
	items[list->count++] = text;
	items[list->count] = NULL;
	list->items = items;
	return 0;
}

bool strv_has(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

/** The slot of "NAME=", or NULL. */
static char **find_env(const struct strv *list, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->items[i], name, len) == 0 && list->items[i][len] == '=')
			return &list->items[i];
	}
	return NULL;
}

const char *strv_env(const struct strv *list, const char *name)
{
	char **slot = find_env(list, name);

	return slot ? *slot + strlen(name) + 1 : NULL;
}

int strv_env_set(struct strv *list, const char *name, const char *value)
{
	char *text = str_format("%s=%s", name, value);
	char **slot = find_env(list, name);

	if (!slot || !text)
		return strv_take(list, text);
	free(*slot);
	*slot = text;
	return 0;
}

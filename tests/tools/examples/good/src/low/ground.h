// SPDX-License-Identifier: Apache-2.0
/** The lower module of the example.  A comment may say strcpy(), and so may a text. */
#pragma once

#include <stddef.h>

/** A callback: its type needs no comment of its own, but may have one. */
typedef int ground_fn(int depth);

/** Plain data with a pointer to function. */
struct ground {
	size_t size_bytes; /**< Of nothing. */
	int (*run)(int a); /**< Not a declaration of a function. */
};

/** Put something down. */
struct ground *ground_new(void);

/** Take it away.  Returns NULL. */
struct ground *ground_free(struct ground *ground);

static inline void ground_freep(struct ground **slot)
{
	*slot = ground_free(*slot);
}

/** A small one that lives in the header. */
static inline int ground_twice(int a)
{
	return a + a;
}

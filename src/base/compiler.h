// SPDX-License-Identifier: Apache-2.0
/** The dialect: the few GNU C extensions this project uses, each under one name. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/** The struct that embeds `ptr` as its `member`; warns when the pointer type is wrong. */
#define container_of(ptr, type, member) \
	((void)sizeof((ptr) == &((type *)0)->member), \
	 (type *)(void *)((char *)(ptr)-offsetof(type, member)))

/**
 * A local declared AUTO(f) owns its value: fp(&local) runs when it leaves scope.
 * Initialise it where it is declared; hand the value on with TAKE_PTR / TAKE_FD.
 */
#define AUTO(destroy) __attribute__((cleanup(destroy##p)))

/**
 * Define the hook that AUTO(destroy) needs, from `type destroy(type)`.
 * destroy() must accept the empty value (NULL, -1) and must return it.
 */
#define DEFINE_AUTO(type, destroy) \
	static inline void destroy##p(type *slot) /* NOLINT(bugprone-macro-parentheses) */ \
	{ \
		*slot = destroy(*slot); \
	}

/** Move the value out of an lvalue; the lvalue is left empty. */
#define TAKE_PTR(lvalue) TAKE_(lvalue, NULL)
#define TAKE_FD(lvalue) TAKE_(lvalue, -1)
#define TAKE_(lvalue, empty) \
	__extension__({ \
		__typeof__(&(lvalue)) slot_ = &(lvalue); \
		__typeof__(*slot_) taken_ = *slot_; \
		*slot_ = (empty); \
		taken_; \
	})

/** free(), for AUTO(mem_free) on a pointer of any type. */
static inline void mem_freep(void *slot)
{
	void *ptr;

	memcpy(&ptr, slot, sizeof(ptr));
	free(ptr);
}

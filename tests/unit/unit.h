// SPDX-License-Identifier: Apache-2.0
/** cmocka with the headers that it needs before its own, in the order that it needs them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * First in the main() of tests that need what no world has: namespaces, mounts, openat2(), or a
 * client that is not itself in a world.  In a world they are skipped, and meson is told so.
 */
static inline void unit_needs_host(void)
{
	if (access("/run/substrate/world", F_OK) != 0)
		return;
	puts("skipped: in a world there are no namespaces, no mounts and no openat2()");
	exit(77);
}

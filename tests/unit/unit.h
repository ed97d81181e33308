// SPDX-License-Identifier: Apache-2.0
/** cmocka with the headers that it needs before its own, in the order that it needs them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

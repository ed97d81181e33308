// SPDX-License-Identifier: Apache-2.0
/** Two functions share a comment. */
#pragma once

/** The first. */
int roof_first(void);
const char *roof_second(int a,
			int b);

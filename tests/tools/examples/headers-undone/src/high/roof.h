// SPDX-License-Identifier: Apache-2.0
/** Something is left to do. */
#pragma once

/** TODO: say what it does. */
int roof_first(void);

// SPDX-License-Identifier: Apache-2.0
/** The upper module of the example. */
#pragma once

/** Stands on the ground. */
int roof_height(void);

/** How many there are; a collection is named by the plural. */
int roofs_count(void);

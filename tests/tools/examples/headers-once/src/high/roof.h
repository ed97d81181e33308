// SPDX-License-Identifier: Apache-2.0
/** No guard. */

/** Its size. */
int roof_size(void);

// SPDX-License-Identifier: Apache-2.0
/** Uses a type that it does not include. */
#pragma once

/** Its size. */
size_t roof_size(void);

// SPDX-License-Identifier: Apache-2.0
/** Private to the module low. */
#pragma once

#define GROUND_DEPTH 1

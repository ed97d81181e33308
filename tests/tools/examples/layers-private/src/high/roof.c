// SPDX-License-Identifier: Apache-2.0
#include "low/ground_priv.h"

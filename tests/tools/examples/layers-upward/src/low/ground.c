// SPDX-License-Identifier: Apache-2.0
#include "high/roof.h"

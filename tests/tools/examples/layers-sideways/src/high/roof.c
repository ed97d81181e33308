// SPDX-License-Identifier: Apache-2.0
/* a comment */ #include "low/ground.h"
#  include "side/lean.h"

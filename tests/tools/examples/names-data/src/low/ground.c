// SPDX-License-Identifier: Apache-2.0
int depth = 1;

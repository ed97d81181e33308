// SPDX-License-Identifier: Apache-2.0
/**
 * Attempts that run inside a world, by the test binary itself.
 *
 * Each prints "refused" when nothing could be got, else "GOT" and what.
 */
#pragma once

/** For main(): argv is "attack NAME"; runs it and returns its exit status, else -1. */
int attacks_main(int argc, char **argv);

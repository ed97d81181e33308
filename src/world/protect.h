// SPDX-License-Identifier: Apache-2.0
/** Protected paths of a project that can be written: what the host would run or trust. */
#pragma once

struct error;
struct making;

/** Emit what protects them, and note in the image what is there and what is not. */
int protect_emit(struct making *m, struct error *err);

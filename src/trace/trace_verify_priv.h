// SPDX-License-Identifier: Apache-2.0
/** Verifying with another patience, for tests. */
#pragma once

struct error;
struct trace_verify_result;

/** trace_verify(); a torn end of the current file is damage once it stood still for so long. */
int trace_verify_patient(int dirfd, const char *head, unsigned patience_ms,
			 struct trace_verify_result *ret, struct error *err);

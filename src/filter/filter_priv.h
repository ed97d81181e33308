// SPDX-License-Identifier: Apache-2.0
/** Parts of the filter's compiler. */
#pragma once

#include "filter/filter.h"

#include <linux/filter.h>
#include <stddef.h>

/** The numbers of the allowed calls, as data/syscalls.list has them. */
extern const unsigned filter_table[];
extern const size_t filter_table_count;

/** Largest program; the kernel takes 4096, jumps of a condition reach 255. */
#define FILTER_CODE_MAX 1024U

/** A program being written.  Plain memory; nothing to free. */
struct filter_code {
	struct sock_filter insns[FILTER_CODE_MAX];
	size_t count;
	bool failed; /**< Too long, or a jump that does not reach. */
};

/** Append an instruction.  Returns its index. */
size_t filter_code_add(struct filter_code *code, uint16_t op, uint32_t k);

/** Append a conditional jump whose targets are relative to the next instruction. */
size_t filter_code_jump(struct filter_code *code, uint16_t op, uint32_t k, unsigned jt,
			unsigned jf);

/** Append "load the low half of argument `arg`". */
void filter_code_load_arg(struct filter_code *code, unsigned arg);

/** Append "load the high half of argument `arg`". */
void filter_code_load_high(struct filter_code *code, unsigned arg);

/** Append "return this action" (SECCOMP_RET_*). */
void filter_code_return(struct filter_code *code, uint32_t action);

/** Appends the checks of one call; every path ends in a return. */
typedef void filter_check_fn(struct filter_code *code, const struct filter_options *options,
			     const unsigned *args);

/** A call that is refused, always or by its arguments. */
struct filter_rule {
	int nr;                    /**< -1: not on this architecture. */
	enum filter_family family; /**< Without it the call is allowed. */
	filter_check_fn *check;    /**< NULL: always EPERM. */
	unsigned args[2];          /**< For `check`: which arguments it looks at. */
};

extern const struct filter_rule filter_rules[];
extern const size_t filter_rules_count;

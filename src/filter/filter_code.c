// SPDX-License-Identifier: Apache-2.0
/** Writing BPF instructions. */
#include "filter/filter_priv.h"

#include <linux/seccomp.h>

size_t filter_code_add(struct filter_code *code, uint16_t op, uint32_t k)
{
	return filter_code_jump(code, op, k, 0, 0);
}

size_t filter_code_jump(struct filter_code *code, uint16_t op, uint32_t k, unsigned jt, unsigned jf)
{
	size_t index = code->count;

	if (index >= FILTER_CODE_MAX || jt > UINT8_MAX || jf > UINT8_MAX) {
		code->failed = true;
		return 0;
	}
	code->insns[index] = (struct sock_filter){
		.code = op,
		.jt = (uint8_t)jt,
		.jf = (uint8_t)jf,
		.k = k,
	};
	code->count++;
	return index;
}

void filter_code_load_arg(struct filter_code *code, unsigned arg)
{
	// Both architectures are little-endian: the low half comes first.
	size_t offset = offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);

	(void)filter_code_add(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

void filter_code_load_high(struct filter_code *code, unsigned arg)
{
	size_t offset = offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);

	(void)filter_code_add(code, BPF_LD | BPF_W | BPF_ABS,
			      (uint32_t)(offset + sizeof(uint32_t)));
}

void filter_code_return(struct filter_code *code, uint32_t action)
{
	(void)filter_code_add(code, BPF_RET | BPF_K, action);
}

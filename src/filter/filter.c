// SPDX-License-Identifier: Apache-2.0
/**
 * Compiling the filter.
 *
 * How it works: every system call number has a verdict (allow, refuse, the checks of a rule, or
 * unknown).  Neighbours with the same verdict form a range; a binary search over the ranges
 * ends in a return or in a jump to the checks, which stand after the tree.  So a call costs
 * about eight instructions, and loading the filter is cheap: it is short.
 */
#include "filter/filter.h"

#include "base/buf.h"
#include "base/error.h"
#include "filter/filter_priv.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#define NUMBERS_MAX 1024U /**< Above every system call number. */
#define RULES_MAX 256U

#define X32_BIT 0x40000000U
#define SKIPPED 0xffffffffU /**< The number a tracer sets to leave a call out. */

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "the list of system calls is for x86_64 and aarch64"
#endif

/** The verdict on a number: one of these, or CHECK + the index of a rule. */
enum verdict { UNKNOWN, ALLOWED, REFUSED, CHECK };

struct range {
	uint32_t first;
	uint16_t verdict;
};

/** The ranges, and where their jumps to the checks are to be filled in. */
struct tree {
	struct range ranges[NUMBERS_MAX];
	size_t count;
	size_t checks[RULES_MAX]; /**< Index of the jump to the checks of a rule, plus 1. */
};

static const struct {
	const char *name;
	enum filter_family family;
} families[] = {
	{"mount", FILTER_MOUNT},   {"namespace", FILTER_NAMESPACE},
	{"kernel", FILTER_KERNEL}, {"keys", FILTER_KEYS},
	{"socket", FILTER_SOCKET}, {"setuid", FILTER_SETUID},
	{"tty", FILTER_TTY},       {"fd", FILTER_FD},
	{"arch", FILTER_ARCH},
};

static void judge_numbers(const struct filter_options *options, uint16_t verdicts[NUMBERS_MAX])
{
	for (size_t i = 0; i < filter_table_count; i++) {
		if (filter_table[i] < NUMBERS_MAX)
			verdicts[filter_table[i]] = ALLOWED;
	}
	for (size_t i = 0; i < filter_rules_count; i++) {
		const struct filter_rule *rule = &filter_rules[i];

		if (rule->nr < 0 || rule->nr >= (int)NUMBERS_MAX)
			continue;
		if (!(options->families & rule->family))
			verdicts[rule->nr] = ALLOWED;
		else
			verdicts[rule->nr] = rule->check ? (uint16_t)(CHECK + i) : REFUSED;
	}
}

static void find_ranges(const uint16_t verdicts[NUMBERS_MAX], struct tree *tree)
{
	for (uint32_t nr = 0; nr < NUMBERS_MAX; nr++) {
		if (nr > 0 && verdicts[nr] == verdicts[nr - 1])
			continue;
		tree->ranges[tree->count++] = (struct range){nr, verdicts[nr]};
	}
}

static void add_leaf(struct filter_code *code, struct tree *tree, uint16_t verdict)
{
	static const uint32_t actions[] = {
		[UNKNOWN] = SECCOMP_RET_ERRNO | ENOSYS,
		[ALLOWED] = SECCOMP_RET_ALLOW,
		[REFUSED] = SECCOMP_RET_ERRNO | EPERM,
	};

	if (verdict < CHECK)
		filter_code_return(code, actions[verdict]);
	else
		tree->checks[verdict - CHECK] = filter_code_add(code, BPF_JMP | BPF_JA, 0) + 1;
}

/** Search in ranges [first, last]; the depth is the logarithm of their number. */
// NOLINTNEXTLINE(misc-no-recursion)
static void add_search(struct filter_code *code, struct tree *tree, size_t first, size_t last)
{
	if (first == last) {
		add_leaf(code, tree, tree->ranges[first].verdict);
		return;
	}

	size_t middle = first + (last - first + 1) / 2;
	size_t node =
		filter_code_jump(code, BPF_JMP | BPF_JGE | BPF_K, tree->ranges[middle].first, 0, 0);

	add_search(code, tree, first, middle - 1);

	size_t distance = code->count - node - 1;

	if (distance > UINT8_MAX)
		code->failed = true;
	else
		code->insns[node].jt = (uint8_t)distance;
	add_search(code, tree, middle, last);
}

static void add_checks(struct filter_code *code, const struct filter_options *options,
		       const struct tree *tree)
{
	for (size_t i = 0; i < filter_rules_count; i++) {
		size_t jump = tree->checks[i];

		if (jump == 0)
			continue;
		code->insns[jump - 1].k = (uint32_t)(code->count - jump);
		filter_rules[i].check(code, options, filter_rules[i].args);
	}
}

/** Foreign system call tables: their numbers mean other calls. */
static void add_arch(struct filter_code *code, const struct filter_options *options)
{
	uint32_t foreign =
		options->families & FILTER_ARCH ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW;

	(void)filter_code_add(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	(void)filter_code_jump(code, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	filter_code_return(code, foreign);
	(void)filter_code_add(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	(void)filter_code_jump(code, BPF_JMP | BPF_JEQ | BPF_K, SKIPPED, 0, 1);
	filter_code_return(code, SECCOMP_RET_ALLOW);
	(void)filter_code_jump(code, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	filter_code_return(code, foreign);
}

int filter_compile(const struct filter_options *options, struct buf *ret, struct error *err)
{
	AUTO(mem_free) struct filter_code *code = calloc(1, sizeof(*code));
	AUTO(mem_free) struct tree *tree = calloc(1, sizeof(*tree));
	uint16_t verdicts[NUMBERS_MAX] = {UNKNOWN};

	if (!code || !tree)
		return error_oom(err);
	if (filter_rules_count > RULES_MAX)
		return error_set(err, E2BIG, "too many rules for the system call filter");
	judge_numbers(options, verdicts);
	find_ranges(verdicts, tree);
	add_arch(code, options);
	add_search(code, tree, 0, tree->count - 1);
	add_checks(code, options, tree);
	if (code->failed)
		return error_set(err, E2BIG, "the system call filter is too large");
	buf_add(ret, code->insns, code->count * sizeof(code->insns[0]));
	return ret->failed ? error_oom(err) : 0;
}

int filter_parse_families(const char *text, uint32_t *ret, struct error *err)
{
	uint32_t bits = 0;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ",");
		size_t i = 0;

		while (i < ARRAY_LEN(families) &&
		       (strlen(families[i].name) != len || strncmp(families[i].name, at, len) != 0))
			i++;
		if (i == ARRAY_LEN(families))
			return error_set(err, EINVAL, "no family of system calls is called '%.*s'",
					 (int)(len < 40 ? len : 40), at);
		bits |= families[i].family;
		at += len + (at[len] == ',');
	}
	*ret = bits;
	return 0;
}

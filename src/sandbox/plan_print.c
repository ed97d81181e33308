// SPDX-License-Identifier: Apache-2.0
/** A plan for people: one line an operation. */
#include "base/buf.h"
#include "base/str.h"
#include "sandbox/plan.h"
#include "sandbox/plan_priv.h"

#define TEXT_BYTES_MAX 4096U
#define DATA_BYTES_MAX 60U

/** What each flag is called; PLAN_RW and its absence are printed apart. */
static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{PLAN_RECURSIVE, "rec"}, {PLAN_OPTIONAL, "opt"}, {PLAN_MAKE, "make"},     {PLAN_DEV, "dev"},
	{PLAN_NOEXEC, "noexec"}, {PLAN_WATCH, "watch"},  {PLAN_INSIDE, "inside"},
};

static void add_escaped(struct buf *ret, const char *text, size_t len, size_t max)
{
	AUTO(mem_free) char *escaped = str_escape(text, len, max);

	if (escaped)
		buf_adds(ret, escaped);
	else
		ret->failed = true;
}

static void add_flags(struct buf *ret, const struct plan_op *op)
{
	if (plan_kinds[op->kind].flags & PLAN_RW)
		buf_adds(ret, op->flags & PLAN_RW ? " rw" : " ro");
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
		if (op->flags & flag_names[i].flag)
			buf_addf(ret, " %s", flag_names[i].name);
	}
}

static void add_data(struct buf *ret, const struct plan *plan, const struct plan_op *op)
{
	const char *arrow = op->kind == PLAN_LINK ? " -> " : op->kind == PLAN_SYSCTL ? " = " : "  ";

	if (plan_kinds[op->kind].data == PLAN_DATA_TEXT) {
		buf_adds(ret, arrow);
		add_escaped(ret, plan->data + op->data, op->data_len, DATA_BYTES_MAX);
	} else if (plan_kinds[op->kind].data != PLAN_DATA_NONE) {
		buf_addf(ret, "  %u bytes", op->data_len);
	}
}

void plan_print(const struct plan *plan, const struct plan_op *op, struct buf *ret)
{
	const struct plan_kind *kind = &plan_kinds[op->kind];
	const char *path = plan_string(plan, op->path);
	const char *source = plan_string(plan, op->source);

	buf_addf(ret, "%-8s", kind->name);
	add_flags(ret, op);
	if (path) {
		buf_adds(ret, "  ");
		add_escaped(ret, path, strlen(path), TEXT_BYTES_MAX);
	}
	if (source) {
		buf_adds(ret, " <- ");
		add_escaped(ret, source, strlen(source), TEXT_BYTES_MAX);
	}
	add_data(ret, plan, op);
	if (kind->mode)
		buf_addf(ret, "  mode %04o", op->mode);
	if (kind->size && op->size)
		buf_addf(ret, "  %llu KiB", (unsigned long long)(op->size >> 10));
	if (kind->user)
		buf_addf(ret, "  %u:%u", op->uid, op->gid);
	if (op->guard != PLAN_GUARD_NONE)
		buf_addf(ret, "  [%s]", plan_guard_name((enum plan_guard)op->guard));
}

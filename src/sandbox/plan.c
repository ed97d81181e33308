// SPDX-License-Identifier: Apache-2.0
/** Kinds, guards and the builder of plans. */
#include "sandbox/plan.h"

#include "base/buf.h"
#include "base/error.h"
#include "sandbox/plan_priv.h"

#include <errno.h>

#define DATA_ALIGN 8U /**< A filter in the data area is read in place. */

#define BIND_FLAGS \
	(PLAN_RW | PLAN_RECURSIVE | PLAN_OPTIONAL | PLAN_MAKE | PLAN_DEV | PLAN_NOEXEC | \
	 PLAN_WATCH | PLAN_INSIDE)
#define OWN_FLAGS (PLAN_OPTIONAL | PLAN_MAKE | PLAN_NOEXEC)

const struct plan_kind plan_kinds[PLAN_OP_END] = {
	[PLAN_DIR] = {"dir", .where = PLAN_WHERE_WORLD, .mode = true},
	[PLAN_LINK] = {"link", .where = PLAN_WHERE_WORLD, .data = PLAN_DATA_TEXT},
	[PLAN_FILE] = {"file", .where = PLAN_WHERE_WORLD, .data = PLAN_DATA_BYTES, .mode = true},
	[PLAN_COPY] = {"copy", PLAN_OPTIONAL, .where = PLAN_WHERE_WORLD, .source = true},
	[PLAN_BIND] = {"bind", BIND_FLAGS, .where = PLAN_WHERE_WORLD, .source = true},
	[PLAN_SELF] = {"self", PLAN_RW | PLAN_OPTIONAL, .where = PLAN_WHERE_WORLD},
	[PLAN_TMPFS] = {"tmpfs", OWN_FLAGS, .where = PLAN_WHERE_WORLD, .mode = true, .size = true},
	[PLAN_PROC] = {"proc", OWN_FLAGS, .where = PLAN_WHERE_WORLD},
	[PLAN_DEVPTS] = {"devpts", OWN_FLAGS, .where = PLAN_WHERE_WORLD},
	[PLAN_SEAL] = {"seal", PLAN_OPTIONAL, .where = PLAN_WHERE_WORLD},
	[PLAN_SYSCTL] = {"sysctl", PLAN_OPTIONAL, .where = PLAN_WHERE_SYSCTL,
			 .data = PLAN_DATA_TEXT},
	[PLAN_HOSTNAME] = {"hostname", .data = PLAN_DATA_TEXT},
	[PLAN_LOOPBACK] = {.name = "loopback", .flags = PLAN_OPTIONAL},
	[PLAN_PIVOT] = {.name = "pivot"},
	[PLAN_USER] = {"user", .user = true},
	[PLAN_LANDLOCK] = {"landlock", PLAN_RW | PLAN_OPTIONAL, .where = PLAN_WHERE_WORLD},
	[PLAN_SECCOMP] = {"seccomp", .data = PLAN_DATA_BPF},
};

static const char *const guard_names[PLAN_GUARD_END] = {
	[PLAN_GUARD_NONE] = "none",         [PLAN_GUARD_READONLY] = "readonly",
	[PLAN_GUARD_HIDE] = "hide",         [PLAN_GUARD_PROTECT] = "protect",
	[PLAN_GUARD_PROC] = "proc",         [PLAN_GUARD_TMP] = "tmp",
	[PLAN_GUARD_DEV] = "dev",           [PLAN_GUARD_CACHE] = "cache",
	[PLAN_GUARD_USERNS] = "userns",     [PLAN_GUARD_SECCOMP] = "seccomp",
	[PLAN_GUARD_LANDLOCK] = "landlock",
};

struct plan_builder {
	struct buf ops;  /**< struct plan_op, one after the other. */
	struct buf data; /**< The data area. */
	bool too_big;    /**< Something did not fit 32 bits. */
};

const char *plan_kind_name(enum plan_op_kind kind)
{
	return (unsigned)kind < PLAN_OP_END && plan_kinds[kind].name ? plan_kinds[kind].name : "?";
}

const char *plan_guard_name(enum plan_guard guard)
{
	return (unsigned)guard < PLAN_GUARD_END ? guard_names[guard] : "?";
}

const char *plan_string(const struct plan *plan, uint32_t offset)
{
	return offset == 0 ? NULL : plan->data + offset;
}

/* Builder ------------------------------------------------------------------------------ */

int plan_builder_new(struct plan_builder **ret, struct error *err)
{
	struct plan_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return error_oom(err);
	buf_addc(&builder->data, '\0'); // offset 0 is the empty string
	*ret = builder;
	return 0;
}

struct plan_builder *plan_builder_free(struct plan_builder *builder)
{
	if (builder) {
		buf_done(&builder->ops);
		buf_done(&builder->data);
		free(builder);
	}
	return NULL;
}

/** Append bytes and a NUL to the data area.  Returns their offset. */
static uint32_t add_data(struct plan_builder *builder, const void *data, size_t len)
{
	struct buf *area = &builder->data;

	if (len > PLAN_SIZE_MAX || area->len > PLAN_SIZE_MAX) {
		builder->too_big = true;
		return 0;
	}

	uint32_t offset = (uint32_t)area->len;

	buf_add(area, data, len);
	buf_addc(area, '\0');
	return offset;
}

static uint32_t add_text(struct plan_builder *builder, const char *text)
{
	return text ? add_data(builder, text, strlen(text)) : 0;
}

void plan_add(struct plan_builder *builder, const struct plan_step *step)
{
	size_t len = step->data && step->data_len == 0 ? strlen(step->data) : step->data_len;
	struct plan_op op = {
		.kind = (uint16_t)step->kind,
		.guard = (uint16_t)step->guard,
		.flags = step->flags,
		.path = add_text(builder, step->path),
		.source = add_text(builder, step->source),
		.mode = step->mode,
		.uid = step->uid,
		.gid = step->gid,
		.size = step->size,
		.inodes = step->inodes,
	};

	if (step->data && len > 0) {
		if (step->kind == PLAN_SECCOMP) {
			while (builder->data.len % DATA_ALIGN != 0 && !builder->data.failed)
				buf_addc(&builder->data, '\0');
		}
		op.data = add_data(builder, step->data, len);
		op.data_len = (uint32_t)len;
	}
	buf_add(&builder->ops, &op, sizeof(op));
}

int plan_build(const struct plan_builder *builder, struct buf *ret, struct error *err)
{
	size_t size = sizeof(struct plan_header) + builder->ops.len + builder->data.len;

	if (builder->ops.failed || builder->data.failed)
		return error_oom(err);
	if (builder->too_big || size > PLAN_SIZE_MAX)
		return error_set(err, E2BIG, "the plan is larger than %u KiB", PLAN_SIZE_MAX >> 10);

	const struct plan_header head = {
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.size = (uint32_t)size,
		.nops = (uint32_t)(builder->ops.len / sizeof(struct plan_op)),
	};

	buf_add(ret, &head, sizeof(head));
	buf_add(ret, builder->ops.data, builder->ops.len);
	buf_add(ret, builder->data.data, builder->data.len);
	return ret->failed ? error_oom(err) : 0;
}

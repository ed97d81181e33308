// SPDX-License-Identifier: Apache-2.0
/**
 * Checking a plan before anything is read from it.
 *
 * Invariant: after plan_open() every offset of every operation lies in the data area, every
 * string ends there, and every field that the kind does not use is zero.
 */
#include "base/error.h"
#include "base/path.h"
#include "sandbox/plan.h"
#include "sandbox/plan_priv.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>

#define HOSTNAME_LEN_MAX 64U
#define MODE_BITS 07777U
#define OFFSET_ALIGN 8U

_Static_assert(sizeof(struct plan_op) == 56, "an operation is 56 bytes in every build");
_Static_assert(sizeof(struct plan_header) == 16, "the header is 16 bytes in every build");

static int bad(struct error *err, uint32_t index, const char *what)
{
	return error_set(err, EINVAL, "operation %u of the plan: %s", index, what);
}

/** The text at an offset when it is whole and shorter than PATH_MAX, else NULL. */
static const char *text_at(const struct plan *plan, uint32_t offset)
{
	if (offset == 0 || offset >= plan->data_size)
		return NULL;

	const char *text = plan->data + offset;
	size_t room = plan->data_size - offset;
	size_t len = strnlen(text, room < PATH_MAX ? room : PATH_MAX);

	return len == 0 || len == room || len == PATH_MAX ? NULL : text;
}

/** "user/max_user_namespaces": no empty component, none that starts with a dot. */
static bool is_sysctl(const char *path)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-./";

	if (path[0] == '/' || path[0] == '.' || path[strlen(path) - 1] == '/')
		return false;
	if (strstr(path, "//") || strstr(path, "/."))
		return false;
	return strspn(path, letters) == strlen(path);
}

static const char *check_where(const struct plan *plan, const struct plan_op *op,
			       const struct plan_kind *kind)
{
	const char *path = text_at(plan, op->path);
	const char *source = text_at(plan, op->source);

	if (kind->where == PLAN_WHERE_NONE && op->path != 0)
		return "has a path";
	if (kind->where == PLAN_WHERE_WORLD && (!path || !path_is_clean(path)))
		return "the path is not clean";
	if (kind->where == PLAN_WHERE_SYSCTL && (!path || !is_sysctl(path)))
		return "the path is not below /proc/sys";
	if (kind->source && (!source || !path_is_clean(source)))
		return "the source is not clean";
	if (!kind->source && op->source != 0)
		return "has a source";
	return NULL;
}

static const char *check_bpf(const struct plan_op *op)
{
	if (op->data_len == 0 || op->data_len % sizeof(struct sock_filter) != 0 ||
	    op->data_len / sizeof(struct sock_filter) > BPF_MAXINSNS ||
	    op->data % OFFSET_ALIGN != 0)
		return "the filter has a wrong size";
	return NULL;
}

static const char *check_data(const struct plan *plan, const struct plan_op *op,
			      const struct plan_kind *kind)
{
	if (kind->data == PLAN_DATA_NONE)
		return op->data || op->data_len ? "has data" : NULL;
	if (op->data > plan->data_size || op->data_len > plan->data_size - op->data)
		return "the data lies outside";
	if (kind->data == PLAN_DATA_BPF)
		return check_bpf(op);
	if (kind->data == PLAN_DATA_BYTES)
		return NULL;

	const char *text = text_at(plan, op->data);

	if (!text || strlen(text) != op->data_len)
		return "the text is not whole";
	if (op->kind == PLAN_HOSTNAME && op->data_len > HOSTNAME_LEN_MAX)
		return "the host name is too long";
	return NULL;
}

static const char *check_numbers(const struct plan_op *op, const struct plan_kind *kind)
{
	if (op->flags & ~kind->flags)
		return "has unknown flags";
	if (op->mode & ~(kind->mode ? MODE_BITS : 0U))
		return "has a wrong mode";
	if (!kind->user && (op->uid || op->gid))
		return "has a user";
	if (kind->user && (op->uid == UINT32_MAX || op->gid == UINT32_MAX))
		return "is for nobody";
	if (!kind->size && (op->size || op->inodes))
		return "has a size";
	return op->zero ? "padding is not zero" : NULL;
}

static int check_op(const struct plan *plan, uint32_t index, struct error *err)
{
	const struct plan_op *op = &plan->ops[index];

	if (op->kind >= PLAN_OP_END || !plan_kinds[op->kind].name)
		return bad(err, index, "unknown kind");
	if (op->guard >= PLAN_GUARD_END)
		return bad(err, index, "unknown guard");

	const struct plan_kind *kind = &plan_kinds[op->kind];
	const char *what = check_numbers(op, kind);

	if (!what)
		what = check_where(plan, op, kind);
	if (!what)
		what = check_data(plan, op, kind);
	return what ? bad(err, index, what) : 0;
}

int plan_open(const void *blob, size_t size, struct plan *ret, struct error *err)
{
	const char *bytes = blob;
	struct plan_header head;

	if (size < sizeof(head) || size > PLAN_SIZE_MAX)
		return error_set(err, EINVAL, "a plan of %zu bytes", size);
	if ((uintptr_t)blob % OFFSET_ALIGN != 0)
		return error_set(err, EINVAL, "the plan is not aligned");
	memcpy(&head, blob, sizeof(head));
	if (head.magic != PLAN_MAGIC || head.version != PLAN_VERSION)
		return error_set(err, EINVAL, "not a plan of version %u", PLAN_VERSION);
	if (head.size != size || head.nops > (size - sizeof(head)) / sizeof(struct plan_op))
		return error_set(err, EINVAL, "the plan is cut off");

	size_t ops_size = head.nops * sizeof(struct plan_op);
	const void *ops = bytes + sizeof(head);
	struct plan plan = {
		.ops = ops,
		.nops = head.nops,
		.data = bytes + sizeof(head) + ops_size,
		.data_size = (uint32_t)(size - sizeof(head) - ops_size),
	};

	if (plan.data_size == 0 || plan.data[0] != '\0')
		return error_set(err, EINVAL, "the plan has no data area");
	for (uint32_t i = 0; i < plan.nops; i++) {
		int r = check_op(&plan, i, err);

		if (r < 0)
			return r;
	}
	*ret = plan;
	return 0;
}

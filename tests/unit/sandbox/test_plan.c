// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "base/error.h"
#include "sandbox/plan.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char filter_bytes[16] = {6, 0, 0, 0, 0, 0, 0xff, 0x7f, 6};

/** A plan with one operation of every kind. */
static void build_full(struct buf *ret)
{
	static const struct plan_step steps[] = {
		{.kind = PLAN_USER, .uid = 1000, .gid = 100},
		{.kind = PLAN_DIR, .path = "/a", .mode = 0755},
		{.kind = PLAN_LINK, .path = "/a/l", .data = "../x"},
		{.kind = PLAN_FILE, .path = "/a/f", .data = "t\0xt", .data_len = 4, .mode = 0644},
		{.kind = PLAN_FILE, .path = "/a/empty", .mode = 0600},
		{.kind = PLAN_COPY,
		 .path = "/a/c",
		 .source = "/etc/passwd",
		 .flags = PLAN_OPTIONAL},
		{.kind = PLAN_BIND,
		 .path = "/usr",
		 .source = "/usr",
		 .flags = PLAN_RECURSIVE | PLAN_MAKE,
		 .guard = PLAN_GUARD_READONLY},
		{.kind = PLAN_SELF,
		 .path = "/a/.git",
		 .flags = PLAN_RW,
		 .guard = PLAN_GUARD_PROTECT},
		{.kind = PLAN_TMPFS, .path = "/tmp", .mode = 01777, .size = 1 << 20, .inodes = 99},
		{.kind = PLAN_PROC, .path = "/proc", .flags = PLAN_NOEXEC},
		{.kind = PLAN_DEVPTS, .path = "/dev/pts"},
		{.kind = PLAN_SYSCTL, .path = "user/max_user_namespaces", .data = "0"},
		{.kind = PLAN_HOSTNAME, .data = "world"},
		{.kind = PLAN_LOOPBACK},
		{.kind = PLAN_LANDLOCK, .path = "/", .guard = PLAN_GUARD_LANDLOCK},
		{.kind = PLAN_SEAL, .path = "/"},
		{.kind = PLAN_SECCOMP, .data = filter_bytes, .data_len = sizeof(filter_bytes)},
		{.kind = PLAN_PIVOT},
	};
	AUTO(plan_builder_free) struct plan_builder *builder = NULL;
	struct error err = {0};

	assert_int_equal(plan_builder_new(&builder, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		plan_add(builder, &steps[i]);
	assert_int_equal(plan_build(builder, ret, &err), 0);
}

/** A plan of one operation. */
static void build_one(const struct plan_step *step, struct buf *ret)
{
	AUTO(plan_builder_free) struct plan_builder *builder = NULL;
	struct error err = {0};

	assert_int_equal(plan_builder_new(&builder, &err), 0);
	plan_add(builder, step);
	assert_int_equal(plan_build(builder, ret, &err), 0);
}

static int open_blob(const struct buf *blob, struct error *err)
{
	struct plan plan = {0};
	struct error unused = {0};
	int r = plan_open(blob->data, blob->len, &plan, err ? err : &unused);

	assert_true(r == 0 || plan.ops == NULL); // written on success only
	return r;
}

static struct plan_op *op_at(struct buf *blob, size_t index)
{
	return (struct plan_op *)(void *)(blob->data + sizeof(struct plan_header)) + index;
}

static void every_kind_survives_the_round_trip(void **state)
{
	AUTO(buf_done) struct buf blob = {0};
	struct plan plan = {0};
	struct error err = {0};

	(void)state;
	build_full(&blob);
	assert_int_equal(plan_open(blob.data, blob.len, &plan, &err), 0);
	assert_int_equal(plan.nops, 18);
	assert_string_equal(plan_string(&plan, plan.ops[6].source), "/usr");
	assert_int_equal(plan.ops[6].flags, PLAN_RECURSIVE | PLAN_MAKE);
	assert_null(plan_string(&plan, plan.ops[13].path));
	assert_memory_equal(plan.data + plan.ops[3].data, "t\0xt", 4);
	assert_int_equal(plan.ops[4].data_len, 0);
	assert_int_equal(plan.ops[8].inodes, 99);
	assert_memory_equal(plan.data + plan.ops[16].data, filter_bytes, sizeof(filter_bytes));
	assert_int_equal((uintptr_t)(plan.data + plan.ops[16].data) % 8, 0);
}

static void a_plan_is_printed_for_people(void **state)
{
	AUTO(buf_done) struct buf blob = {0};
	AUTO(buf_done) struct buf text = {0};
	struct plan plan = {0};
	struct error err = {0};

	(void)state;
	build_full(&blob);
	assert_int_equal(plan_open(blob.data, blob.len, &plan, &err), 0);
	plan_print(&plan, &plan.ops[6], &text);
	assert_string_equal(text.data, "bind     ro rec make  /usr <- /usr  [readonly]");
	text.len = 0;
	plan_print(&plan, &plan.ops[2], &text);
	assert_string_equal(text.data, "link      /a/l -> ../x");
	text.len = 0;
	plan_print(&plan, &plan.ops[11], &text);
	assert_string_equal(text.data, "sysctl    user/max_user_namespaces = 0");
}

static void a_hostile_name_is_printed_escaped(void **state)
{
	AUTO(buf_done) struct buf blob = {0};
	AUTO(buf_done) struct buf text = {0};
	struct plan plan = {0};
	struct error err = {0};

	(void)state;
	build_one(&(struct plan_step){.kind = PLAN_SELF, .path = "/a\033[2J"}, &blob);
	assert_int_equal(plan_open(blob.data, blob.len, &plan, &err), 0);
	plan_print(&plan, &plan.ops[0], &text);
	assert_null(strchr(text.data, '\033'));
}

static void every_truncation_is_refused(void **state)
{
	AUTO(buf_done) struct buf blob = {0};
	struct plan plan = {0};
	struct error err = {0};

	(void)state;
	build_full(&blob);
	for (size_t len = 0; len < blob.len; len++)
		assert_int_equal(plan_open(blob.data, len, &plan, &err), -EINVAL);
}

static void a_foreign_header_is_refused(void **state)
{
	AUTO(buf_done) struct buf blob = {0};
	struct plan_header *head;

	(void)state;
	build_full(&blob);
	head = (struct plan_header *)(void *)blob.data;
	head->magic ^= 1;
	assert_int_equal(open_blob(&blob, NULL), -EINVAL);
	head->magic ^= 1;
	head->version++;
	assert_int_equal(open_blob(&blob, NULL), -EINVAL);
	head->version--;
	head->size++;
	assert_int_equal(open_blob(&blob, NULL), -EINVAL);
	head->size--;
	head->nops = 0x10000000;
	assert_int_equal(open_blob(&blob, NULL), -EINVAL);
	head->nops = 18;
	assert_int_equal(open_blob(&blob, NULL), 0);
}

/** Steps that plan_open() must refuse, and what its error says. */
static const struct {
	struct plan_step step;
	const char *says;
} bad_steps[] = {
	{{.kind = PLAN_OP_END}, "unknown kind"},
	{{.kind = (enum plan_op_kind)0}, "unknown kind"},
	{{.kind = PLAN_LOOPBACK, .guard = PLAN_GUARD_END}, "unknown guard"},
	{{.kind = PLAN_DIR, .path = "/a", .flags = PLAN_RW}, "unknown flags"},
	{{.kind = PLAN_BIND, .path = "/a", .source = "/a", .flags = 1U << 31}, "unknown flags"},
	{{.kind = PLAN_DIR, .path = "/a", .mode = 010000}, "wrong mode"},
	{{.kind = PLAN_SELF, .path = "/a", .mode = 0644}, "wrong mode"},
	{{.kind = PLAN_SELF, .path = "/a", .uid = 1}, "has a user"},
	{{.kind = PLAN_USER, .uid = UINT32_MAX}, "nobody"},
	{{.kind = PLAN_USER, .gid = UINT32_MAX}, "nobody"},
	{{.kind = PLAN_SELF, .path = "/a", .size = 1}, "has a size"},
	{{.kind = PLAN_SELF}, "path is not clean"},
	{{.kind = PLAN_SELF, .path = "a"}, "path is not clean"},
	{{.kind = PLAN_SELF, .path = "/a/../b"}, "path is not clean"},
	{{.kind = PLAN_SELF, .path = "/a//b"}, "path is not clean"},
	{{.kind = PLAN_SELF, .path = "/a/"}, "path is not clean"},
	{{.kind = PLAN_SELF, .path = "/a/."}, "path is not clean"},
	{{.kind = PLAN_BIND, .path = "/a"}, "source is not clean"},
	{{.kind = PLAN_BIND, .path = "/a", .source = "/x/.."}, "source is not clean"},
	{{.kind = PLAN_SELF, .path = "/a", .source = "/a"}, "has a source"},
	{{.kind = PLAN_PIVOT, .path = "/a"}, "has a path"},
	{{.kind = PLAN_SYSCTL, .path = "/user/x", .data = "0"}, "below /proc/sys"},
	{{.kind = PLAN_SYSCTL, .path = "user/../x", .data = "0"}, "below /proc/sys"},
	{{.kind = PLAN_SYSCTL, .path = "user//x", .data = "0"}, "below /proc/sys"},
	{{.kind = PLAN_SYSCTL, .path = "user/", .data = "0"}, "below /proc/sys"},
	{{.kind = PLAN_SYSCTL, .path = "User", .data = "0"}, "below /proc/sys"},
	{{.kind = PLAN_SYSCTL, .path = "user/x"}, "text is not whole"},
	{{.kind = PLAN_LINK, .path = "/a", .data = "a\0b", .data_len = 3}, "text is not whole"},
	{{.kind = PLAN_SELF, .path = "/a", .data = "x"}, "has data"},
	{{.kind = PLAN_SECCOMP, .data = "1234567", .data_len = 7}, "filter has a wrong size"},
	{{.kind = PLAN_SECCOMP}, "filter has a wrong size"},
	{{.kind = PLAN_HOSTNAME,
	  .data = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	 "too long"},
};

static void every_malformed_operation_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_steps); i++) {
		AUTO(buf_done) struct buf blob = {0};
		struct error err = {0};

		build_one(&bad_steps[i].step, &blob);
		assert_int_equal(open_blob(&blob, &err), -EINVAL);
		if (!strstr(err.msg, bad_steps[i].says))
			fail_msg("step %zu: '%s' does not say '%s'", i, err.msg, bad_steps[i].says);
	}
}

static void offsets_that_lead_outside_are_refused(void **state)
{
	static const uint32_t offsets[] = {1000000, UINT32_MAX, 1U << 31};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		AUTO(buf_done) struct buf bind = {0};
		AUTO(buf_done) struct buf file = {0};

		build_one(&(struct plan_step){.kind = PLAN_BIND, .path = "/a", .source = "/b"},
			  &bind);
		op_at(&bind, 0)->path = offsets[i];
		assert_int_equal(open_blob(&bind, NULL), -EINVAL);
		build_one(&(struct plan_step){.kind = PLAN_FILE, .path = "/a", .data = "xyz"},
			  &file);
		op_at(&file, 0)->data = offsets[i];
		assert_int_equal(open_blob(&file, NULL), -EINVAL);
		build_full(&file);
	}
}

static void lengths_that_lead_outside_are_refused(void **state)
{
	AUTO(buf_done) struct buf file = {0};

	(void)state;
	build_one(&(struct plan_step){.kind = PLAN_FILE, .path = "/a", .data = "xyz"}, &file);
	assert_int_equal(open_blob(&file, NULL), 0);
	op_at(&file, 0)->data_len = UINT32_MAX;
	assert_int_equal(open_blob(&file, NULL), -EINVAL);
	op_at(&file, 0)->data_len = 5;
	assert_int_equal(open_blob(&file, NULL), -EINVAL);
	op_at(&file, 0)->data_len = 4; // with its NUL: still inside
	assert_int_equal(open_blob(&file, NULL), 0);
}

static void a_string_without_end_is_refused(void **state)
{
	AUTO(buf_done) struct buf blob = {0};

	(void)state;
	build_one(&(struct plan_step){.kind = PLAN_SELF, .path = "/a"}, &blob);
	blob.data[blob.len - 1] = 'x';
	assert_int_equal(open_blob(&blob, NULL), -EINVAL);
}

static void padding_that_is_not_zero_is_refused(void **state)
{
	AUTO(buf_done) struct buf blob = {0};

	(void)state;
	build_one(&(struct plan_step){.kind = PLAN_LOOPBACK}, &blob);
	op_at(&blob, 0)->zero = 1;
	assert_int_equal(open_blob(&blob, NULL), -EINVAL);
}

static void a_plan_that_is_too_large_is_refused(void **state)
{
	AUTO(plan_builder_free) struct plan_builder *builder = NULL;
	AUTO(buf_done) struct buf blob = {0};
	AUTO(mem_free) char *data = calloc(1, PLAN_SIZE_MAX);
	struct error err = {0};

	(void)state;
	assert_int_equal(plan_builder_new(&builder, &err), 0);
	plan_add(builder,
		 &(struct plan_step){
			 .kind = PLAN_FILE, .path = "/a", .data = data, .data_len = PLAN_SIZE_MAX});
	assert_int_equal(plan_build(builder, &blob, &err), -E2BIG);
	assert_int_equal(blob.len, 0);
}

static void every_kind_and_guard_has_a_name(void **state)
{
	(void)state;
	for (int kind = 1; kind < PLAN_OP_END; kind++)
		assert_string_not_equal(plan_kind_name((enum plan_op_kind)kind), "?");
	for (int guard = 0; guard < PLAN_GUARD_END; guard++)
		assert_string_not_equal(plan_guard_name((enum plan_guard)guard), "?");
	assert_string_equal(plan_kind_name(PLAN_OP_END), "?");
	assert_string_equal(plan_guard_name(PLAN_GUARD_END), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_survives_the_round_trip),
		cmocka_unit_test(a_plan_is_printed_for_people),
		cmocka_unit_test(a_hostile_name_is_printed_escaped),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_foreign_header_is_refused),
		cmocka_unit_test(every_malformed_operation_is_refused),
		cmocka_unit_test(offsets_that_lead_outside_are_refused),
		cmocka_unit_test(lengths_that_lead_outside_are_refused),
		cmocka_unit_test(a_string_without_end_is_refused),
		cmocka_unit_test(padding_that_is_not_zero_is_refused),
		cmocka_unit_test(a_plan_that_is_too_large_is_refused),
		cmocka_unit_test(every_kind_and_guard_has_a_name),
	};

	return cmocka_run_group_tests_name("sandbox/plan", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** What plan.c, plan_open.c and plan_print.c know about the kinds of operations. */
#pragma once

#include "sandbox/plan.h"

/** What the data of a kind is. */
enum plan_data {
	PLAN_DATA_NONE,
	PLAN_DATA_TEXT,  /**< At least one byte, no NUL in it. */
	PLAN_DATA_BYTES, /**< Anything, also nothing. */
	PLAN_DATA_BPF,   /**< Whole struct sock_filter, at least one. */
};

/** Which path a kind takes. */
enum plan_where {
	PLAN_WHERE_NONE,
	PLAN_WHERE_WORLD,  /**< A clean absolute path. */
	PLAN_WHERE_SYSCTL, /**< Below /proc/sys: "user/max_user_namespaces". */
};

struct plan_kind {
	const char *name;
	uint32_t flags; /**< The flags it knows. */
	enum plan_where where;
	enum plan_data data;
	bool source;
	bool mode;
	bool user; /**< uid and gid. */
	bool size; /**< size and inodes. */
};

/** By enum plan_op_kind; entry 0 is empty. */
extern const struct plan_kind plan_kinds[PLAN_OP_END];

// SPDX-License-Identifier: Apache-2.0
/**
 * Which command a process belongs to.
 *
 * A command is the session of its leader.  The kernel does not use a pid again while it names a
 * session, so an entry stays right until its session is empty; command_table_prune() drops it
 * then.
 */
#include "sandbox/init_priv.h"

#include "base/compiler.h"

bool command_table_reserve(struct command_table *table)
{
	size_t cap = table->cap ? table->cap * 2 : 16;
	struct command_entry *items;

	if (table->count < table->cap)
		return true;
	items = reallocarray(table->items, cap, sizeof(*items));
	if (!items)
		return false;
	table->items = items;
	table->cap = cap;
	return true;
}

bool command_table_add(struct command_table *table, const struct command_entry *entry)
{
	size_t kept = 0;

	// A pid that names a new session named an old one no longer.
	for (size_t i = 0; i < table->count; i++) {
		if (table->items[i].session != entry->session)
			table->items[kept++] = table->items[i];
	}
	table->count = kept;
	if (!command_table_reserve(table))
		return false;
	table->items[table->count++] = *entry;
	table->running++;
	return true;
}

struct command_entry *command_table_find(struct command_table *table, uint32_t seq)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->items[i].seq == seq)
			return &table->items[i];
	}
	return NULL;
}

struct command_entry *command_table_leader(struct command_table *table, pid_t pid)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->items[i].pid == pid && !table->items[i].ended)
			return &table->items[i];
	}
	return NULL;
}

struct command_entry *command_table_held(struct command_table *table, pid_t pid)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct command_entry *entry = &table->items[i];

		if (entry->session == pid && entry->pid != pid && (entry->held || !entry->ended))
			return &table->items[i];
	}
	return NULL;
}

size_t command_table_holders(const struct command_table *table)
{
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		count += table->items[i].held;
	return count;
}

static bool is_left(const struct command_entry *command, const struct proc_list *processes)
{
	for (size_t i = 0; i < processes->count; i++) {
		if (proc_list_belongs(processes, &processes->items[i], command->session))
			return true;
	}
	return false;
}

void command_table_prune(struct command_table *table, const struct proc_list *processes)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (!table->items[i].ended || is_left(&table->items[i], processes))
			table->items[kept++] = table->items[i];
	}
	table->count = kept;
}

// SPDX-License-Identifier: Apache-2.0
/** Widths first, then the lines. */
#include "cli/columns.h"

#include "base/buf.h"
#include "cli/display.h"

#include <assert.h>

void columns_done(struct columns *columns)
{
	strv_done(&columns->cells);
	columns->failed = false;
}

void columns_add(struct columns *columns, const char *text)
{
	if (strv_add(&columns->cells, text) < 0)
		columns->failed = true;
}

void columns_take(struct columns *columns, char *text)
{
	if (strv_take(&columns->cells, text) < 0)
		columns->failed = true;
}

void columns_member(struct columns *columns, const json_t *object, const char *name, size_t max)
{
	columns_take(columns, display_value(json_object_get(object, name), max));
}

/** Characters, not bytes: every byte but the continuation bytes of UTF-8. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void columns_print(const struct columns *columns, struct buf *out)
{
	size_t widths[COLUMNS_MAX] = {0};

	assert(columns->count > 0 && columns->count <= COLUMNS_MAX);
	if (columns->failed)
		out->failed = true;
	for (size_t i = 0; i < columns->cells.count; i++) {
		size_t width = width_of(columns->cells.items[i]);
		size_t *widest = &widths[i % columns->count];

		*widest = width > *widest ? width : *widest;
	}
	for (size_t i = 0, blanks = 0; i < columns->cells.count; i++) {
		const char *cell = columns->cells.items[i];
		size_t column = i % columns->count;
		bool last = column + 1 == columns->count || i + 1 == columns->cells.count;

		// Blanks wait for the next cell that has text, so no line ends with them.
		if (*cell)
			buf_addf(out, "%*s%s", (int)blanks, "", cell);
		blanks = *cell ? 0 : blanks;
		blanks += widths[column] - width_of(cell) + 2;
		if (last) {
			buf_addc(out, '\n');
			blanks = 0;
		}
	}
}

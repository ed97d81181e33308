// SPDX-License-Identifier: Apache-2.0
/** Edit distance of short names, three rows of the table at a time. */
#include "cli/suggest.h"

#define DISTANCE_MAX 2

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/** One cell: `rows[0]` is the row in work, `rows[1]` and `rows[2]` the ones before. */
static unsigned cell(unsigned rows[3][SUGGEST_NAME_MAX + 1], const char *a, const char *b, size_t i,
		     size_t j)
{
	unsigned differs = a[i - 1] != b[j - 1];
	unsigned best = least(rows[1][j] + 1, rows[0][j - 1] + 1);

	best = least(best, rows[1][j - 1] + differs);
	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
		best = least(best, rows[2][j - 2] + 1);
	return best;
}

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][SUGGEST_NAME_MAX + 1] = {0};
	size_t alen = strlen(a), blen = strlen(b);

	if (alen > SUGGEST_NAME_MAX || blen > SUGGEST_NAME_MAX)
		return DISTANCE_MAX + 1;
	for (size_t j = 0; j <= blen; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		memcpy(rows[2], rows[1], sizeof(rows[1]));
		memcpy(rows[1], rows[0], sizeof(rows[0]));
		rows[0][0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++)
			rows[0][j] = cell(rows, a, b, i, j);
	}
	return least(rows[0][blen], DISTANCE_MAX + 1);
}

void suggest_consider(struct suggest *best, const char *typed, const char *candidate)
{
	unsigned distance = suggest_distance(typed, candidate);

	// A name that would have to be typed all anew is no suggestion.
	if (distance > DISTANCE_MAX || distance >= strlen(candidate))
		return;
	if (best->name && best->distance <= distance)
		return;
	best->name = candidate;
	best->distance = distance;
}

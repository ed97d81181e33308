// SPDX-License-Identifier: Apache-2.0
#include <string.h>

void ground_copy(char *to, const char *from);

void ground_copy(char *to, const char *from)
{
	/* one */ strcpy (to, from);
}

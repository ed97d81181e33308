// SPDX-License-Identifier: Apache-2.0
/** Response heads and the client's handshake: any bytes, and the same result for every prefix. */
#include "base/error.h"
#include "httphead/handshake.h"
#include "httphead/head.h"

#include <stdlib.h>

static void check_borrowed(const char *data, size_t size, const char *part, size_t len)
{
	if (part < data || part + len > data + size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct error err = {0};
	struct head head = {.status = -1};
	struct head again;
	int r = head_parse(text, size, &head, &err);

	if (r < 0 && (err.code != -r || head.status != -1))
		abort();
	if (r != 0)
		return 0;
	if (head.size < 4 || head.size > size || head.size > HEAD_SIZE_MAX ||
	    head.nfields > HEAD_FIELDS_MAX || head.status < 100 || head.status > 599)
		abort();
	for (size_t i = 0; i < head.nfields; i++) {
		const struct head_field *field = &head.fields[i];

		check_borrowed(text, head.size, field->name, field->name_len);
		check_borrowed(text, head.size, field->value, field->value_len);
		(void)head_has_token(field->value, field->value_len, "upgrade");
	}
	(void)handshake_confirmed(&head);
	// The head ends where it says: one byte less is not enough, more change nothing.
	if (head_parse(text, head.size - 1, &again, &err) != HEAD_MORE ||
	    head_parse(text, head.size, &again, &err) != 0 || again.size != head.size)
		abort();
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** Two small tables. */
#include "cli/exitcode.h"

#include <errno.h>

static const struct {
	int code, status;
} errors[] = {
	{EINVAL, EXITCODE_USAGE},
	{E2BIG, EXITCODE_REFUSED},
	{ESRCH, EXITCODE_FALSE},
};

int exitcode_of_error(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (errors[i].code == code)
			return errors[i].status;
	}
	return EXITCODE_FAILED;
}

int exitcode_of_object(const json_t *object)
{
	const json_t *status = json_object_get(object, "exit");
	json_int_t value = json_integer_value(status);

	if (json_is_integer(status) && value >= 0 && value <= 255)
		return (int)value;

	value = json_integer_value(json_object_get(object, "signal"));
	if (value > 0 && value <= 64)
		return EXITCODE_SIGNAL + (int)value;
	return EXITCODE_FAILED;
}

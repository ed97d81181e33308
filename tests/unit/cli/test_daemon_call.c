// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "cli/daemon_call.h"
#include "unit.h"

static void queries_are_encoded(void **state)
{
	AUTO(buf_done) struct buf path = {0};

	(void)state;
	buf_adds(&path, "/v1/worlds");
	daemon_call_query(&path, "absent", NULL);
	assert_string_equal(path.data, "/v1/worlds");
	daemon_call_query(&path, "cwd", "/a b/\xff&?=#%+\r\n");
	daemon_call_query(&path, "empty", "");
	assert_string_equal(path.data, "/v1/worlds?cwd=/a%20b/%FF%26%3F%3D%23%25%2B%0D%0A&empty=");
}

static void a_segment_stays_one(void **state)
{
	AUTO(buf_done) struct buf path = {0};

	(void)state;
	daemon_call_segment(&path, "spn_0-9a/../x?y");
	assert_string_equal(path.data, "spn_0-9a%2F..%2Fx%3Fy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_encoded),
		cmocka_unit_test(a_segment_stays_one),
	};

	return cmocka_run_group_tests_name("cli/daemon_call", tests, NULL, NULL);
}

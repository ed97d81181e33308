// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "trace/trace_line.h"
#include "trace/trace_scan_priv.h"
#include "unit.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, len), 0);
	return fd;
}

static int step(struct trace_scanner *scan)
{
	struct error err = {0};

	return trace_scan_next(scan, &err);
}

static void expect_line(struct trace_scanner *scan, const char *text, uint64_t offset)
{
	assert_int_equal(step(scan), TRACE_SCAN_LINE);
	assert_int_equal(scan->len, strlen(text));
	assert_memory_equal(scan->text, text, scan->len);
	assert_int_equal(scan->offset, offset);
}

static void lines_come_with_offset_and_number(void **state)
{
	AUTO(fd_close) int fd = file_of("a\n\nbcd\n", 7);
	AUTO(trace_scan_done) struct trace_scanner scan;

	(void)state;
	trace_scan_init(&scan, fd, 0);
	expect_line(&scan, "a", 0);
	assert_int_equal(scan.number, 1);
	expect_line(&scan, "", 2);
	expect_line(&scan, "bcd", 3);
	assert_int_equal(scan.number, 3);
	assert_int_equal(step(&scan), TRACE_SCAN_END);
	assert_int_equal(step(&scan), TRACE_SCAN_END);
}

static void an_empty_file_has_no_line(void **state)
{
	AUTO(fd_close) int fd = file_of("", 0);
	AUTO(trace_scan_done) struct trace_scanner scan;

	(void)state;
	trace_scan_init(&scan, fd, 5000);
	assert_int_equal(step(&scan), TRACE_SCAN_END);
}

static void a_torn_end_is_told_with_its_length(void **state)
{
	AUTO(fd_close) int fd = file_of("a\nbcd", 5);
	AUTO(trace_scan_done) struct trace_scanner scan;

	(void)state;
	for (unsigned patience = 0; patience <= 10; patience += 10) {
		trace_scan_init(&scan, fd, patience);
		expect_line(&scan, "a", 0);
		assert_int_equal(step(&scan), TRACE_SCAN_TORN);
		assert_int_equal(scan.offset, 2);
		assert_int_equal(scan.len, 3);
		assert_int_equal(scan.number, 2);
		assert_int_equal(step(&scan), TRACE_SCAN_END);
		if (!patience)
			trace_scan_done(&scan);
	}
}

/** In a child: after a moment take the half line back, and write another one whole. */
static int finish_line(int fd)
{
	(void)poll(NULL, 0, 10);
	return ftruncate(fd, 2) < 0 || pwrite(fd, "xyz\n", 4, 2) != 4;
}

/** Half a line of `len` bytes stands in the file when the reader comes to it. */
static void wait_for_line(size_t len)
{
	AUTO(buf_done) struct buf text = {0};
	AUTO(trace_scan_done) struct trace_scanner scan;
	int status;

	buf_adds(&text, "a\n");
	while (len--)
		buf_addc(&text, 'b');

	AUTO(fd_close) int fd = file_of(text.data, text.len);

	trace_scan_init(&scan, fd, 5000);
	expect_line(&scan, "a", 0);

	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(finish_line(fd));
	expect_line(&scan, "xyz", 2);
	assert_int_equal(step(&scan), TRACE_SCAN_END);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_line_that_is_being_written_is_waited_for(void **state)
{
	(void)state;
	wait_for_line(1);
	wait_for_line(65534); // the reader's buffer is just full
	wait_for_line(65535);
}

static void lines_of_all_lengths_around_the_buffer_are_whole(void **state)
{
	AUTO(buf_done) struct buf text = {0};

	(void)state;
	for (size_t len = 65530; len < 65542; len++) {
		for (size_t i = 0; i < len; i++)
			buf_addc(&text, (char)('a' + (i + len) % 26));
		buf_addc(&text, '\n');
	}

	AUTO(fd_close) int fd = file_of(text.data, text.len);
	AUTO(trace_scan_done) struct trace_scanner scan;
	uint64_t offset = 0;

	trace_scan_init(&scan, fd, 0);
	for (size_t len = 65530; len < 65542; len++) {
		assert_int_equal(step(&scan), TRACE_SCAN_LINE);
		assert_int_equal(scan.len, len);
		assert_int_equal(scan.offset, offset);
		assert_memory_equal(scan.text, text.data + offset, len);
		offset += len + 1;
	}
	assert_int_equal(step(&scan), TRACE_SCAN_END);
}

static void the_longest_line_is_read_and_a_longer_one_skipped(void **state)
{
	AUTO(fd_close) int fd = file_of("", 0);
	AUTO(trace_scan_done) struct trace_scanner scan;
	const off_t max = (off_t)TRACE_LINE_MAX;

	(void)state;
	assert_int_equal(pwrite(fd, "\n", 1, max - 1), 1);              // just as long as allowed
	assert_int_equal(pwrite(fd, "\nz\n", 3, max + max), 3);         // one byte more
	assert_int_equal(pwrite(fd, "\n", 1, max + max + 40000000), 1); // much more
	assert_int_equal(pwrite(fd, "end\n", 4, max + max + 40000001), 4);
	trace_scan_init(&scan, fd, 0);
	assert_int_equal(step(&scan), TRACE_SCAN_LINE);
	assert_int_equal(scan.len, TRACE_LINE_MAX - 1);
	assert_int_equal(step(&scan), TRACE_SCAN_LONG);
	assert_int_equal(scan.offset, TRACE_LINE_MAX);
	assert_int_equal(scan.len, TRACE_LINE_MAX);
	expect_line(&scan, "z", 2 * TRACE_LINE_MAX + 1);
	assert_int_equal(step(&scan), TRACE_SCAN_LONG);
	assert_int_equal(scan.number, 4);
	expect_line(&scan, "end", 2 * TRACE_LINE_MAX + 40000001);
	assert_true(scan.cap <= 2 * TRACE_LINE_MAX);
}

static void a_long_torn_end_is_told_with_its_length(void **state)
{
	AUTO(fd_close) int fd = file_of("a\n", 2);
	AUTO(trace_scan_done) struct trace_scanner scan;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)TRACE_LINE_MAX * 3), 0);
	trace_scan_init(&scan, fd, 0);
	expect_line(&scan, "a", 0);
	assert_int_equal(step(&scan), TRACE_SCAN_TORN);
	assert_int_equal(scan.len, TRACE_LINE_MAX * 3 - 2);
	assert_int_equal(step(&scan), TRACE_SCAN_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_with_offset_and_number),
		cmocka_unit_test(an_empty_file_has_no_line),
		cmocka_unit_test(a_torn_end_is_told_with_its_length),
		cmocka_unit_test(a_line_that_is_being_written_is_waited_for),
		cmocka_unit_test(lines_of_all_lengths_around_the_buffer_are_whole),
		cmocka_unit_test(the_longest_line_is_read_and_a_longer_one_skipped),
		cmocka_unit_test(a_long_torn_end_is_told_with_its_length),
	};

	return cmocka_run_group_tests_name("trace/trace_scan", tests, NULL, NULL);
}

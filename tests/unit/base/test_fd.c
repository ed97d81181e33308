// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/** The temporary directory of a test. */
struct place {
	char path[64];
	int fd;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	(void)snprintf(place->path, sizeof(place->path), "/tmp/test-fd-XXXXXX");
	if (!mkdtemp(place->path))
		return -1;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = place;
	return place->fd < 0 ? -1 : 0;
}

/** The tests leave at most these names. */
static int remove_place(void **state)
{
	struct place *place = *state;
	static const char *const files[] = {"file", "link", "fifo", "dir/file", "up"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlinkat(place->fd, files[i], 0);
	(void)unlinkat(place->fd, "dir", AT_REMOVEDIR);
	(void)close(place->fd);

	int r = rmdir(place->path);

	free(place);
	return r;
}

static void write_file(int dirfd, const char *path, const char *data, size_t len)
{
	AUTO(fd_close) int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, data, len), 0);
}

static void close_keeps_errno_and_returns_none(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	errno = EXDEV;
	assert_int_equal(fd_close(fd), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	errno = EXDEV;
	assert_int_equal(fd_close(-1), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fd_close(fd), -1); // a bad one
	assert_int_equal(errno, EXDEV);
}

static void full_reads_and_writes_cross_pipe_chunks(void **state)
{
	int pipefd[2];
	char data[8], out[8] = {0};

	(void)state;
	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	assert_int_equal(fd_write_full(pipefd[1], "abc", 3), 0);
	assert_int_equal(fd_write_full(pipefd[1], "de", 2), 0);
	(void)close(pipefd[1]);
	assert_int_equal(fd_read_full(pipefd[0], data, 4), 4);
	assert_memory_equal(data, "abcd", 4);
	assert_int_equal(fd_read_full(pipefd[0], out, sizeof(out)), 1);
	assert_int_equal(fd_read_full(pipefd[0], out, sizeof(out)), 0);
	(void)close(pipefd[0]);
	assert_int_equal(fd_read_full(pipefd[0], out, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_write_full(pipefd[1], out, 1), -1);
}

static void flags_are_set_and_cleared(void **state)
{
	AUTO(fd_close) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fd_set_nonblock(fd, 1), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_nonblock(fd, 0), 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_cloexec(fd, 0), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(fd_set_cloexec(fd, 1), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(-1, 1), -1);
}

static void a_file_is_read_up_to_its_bound(void **state)
{
	struct place *place = *state;
	AUTO(mem_free) char *data = NULL;
	size_t len = 0;
	struct error err = {0};

	write_file(place->fd, "file", "ab\0cd", 5);
	assert_int_equal(fd_read_file(place->fd, "file", 5, &data, &len, &err), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "ab\0cd", 6);

	char *other = NULL;

	assert_int_equal(fd_read_file(place->fd, "file", 4, &other, &len, &err), -E2BIG);
	assert_string_equal(err.msg, "file is larger than 4 bytes");
	assert_null(other);
	assert_int_equal(len, 5);
}

static void an_empty_file_and_a_big_one_are_read_whole(void **state)
{
	struct place *place = *state;
	struct error err = {0};
	size_t len = 1;

	write_file(place->fd, "file", "", 0);
	AUTO(mem_free) char *empty = NULL;

	assert_int_equal(fd_read_file(place->fd, "file", 0, &empty, &len, &err), 0);
	assert_int_equal(len, 0);
	assert_string_equal(empty, "");

	const size_t size = 300001;
	AUTO(mem_free) char *big = malloc(size);
	AUTO(mem_free) char *copy = NULL;

	assert_non_null(big);
	for (size_t i = 0; i < size; i++)
		big[i] = (char)(i * 7);
	write_file(place->fd, "file", big, size);
	assert_int_equal(fd_read_file(place->fd, "file", SIZE_MAX - 1, &copy, &len, &err), 0);
	assert_int_equal(len, size);
	assert_memory_equal(big, copy, size);
}

static void proc_files_without_a_size_are_read(void **state)
{
	AUTO(mem_free) char *data = NULL;
	struct error err = {0};
	size_t len = 0;

	(void)state;
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/maps", 1 << 20, &data, &len, &err), 0);
	assert_true(len > 100);
	assert_int_equal(strlen(data), len);
}

static void what_is_not_a_regular_file_is_refused(void **state)
{
	struct place *place = *state;
	struct error err = {0};
	char *data = NULL;
	size_t len;

	write_file(place->fd, "file", "x", 1);
	assert_int_equal(symlinkat("file", place->fd, "link"), 0);
	assert_int_equal(mkfifoat(place->fd, "fifo", 0600), 0);
	assert_int_equal(fd_read_file(place->fd, "link", 9, &data, &len, &err), -ELOOP);
	assert_int_equal(fd_read_file(place->fd, "fifo", 9, &data, &len, &err), -EINVAL);
	assert_string_equal(err.msg, "fifo is not a regular file");
	assert_int_equal(fd_read_file(place->fd, ".", 9, &data, &len, &err), -EISDIR);
	assert_int_equal(fd_read_file(place->fd, "none", 9, &data, &len, &err), -ENOENT);
	assert_string_equal(err.msg, "open none: No such file or directory");
	assert_int_equal(fd_read_file(AT_FDCWD, "/dev/zero", 9, &data, &len, &err), -EINVAL);
	assert_null(data);
}

static void a_sealed_memfd_cannot_be_changed(void **state)
{
	AUTO(fd_close) int fd = -1;
	struct error err = {0};
	char data[8];

	(void)state;
	assert_int_equal(fd_sealed("plan", "content", 7, &fd, &err), 0);
	assert_int_equal(fd_read_full(fd, data, sizeof(data)), 7);
	assert_memory_equal(data, "content", 7);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 3), -1);
	assert_int_equal(ftruncate(fd, 30), -1);
	assert_ptr_equal(mmap(NULL, 7, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);

	int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

/** openat2() is refused in a world, as its arguments cannot be filtered. */
static void skip_without_openat2(void)
{
	AUTO(fd_close) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_close) int fd = fd_open_beneath(root, ".", O_PATH, 0);

	if (fd < 0 && errno == ENOSYS)
		skip();
}

static void opening_beneath_stays_beneath(void **state)
{
	struct place *place = *state;
	static const char *const bad[] = {
		"link", "up/file", "/etc/passwd", "..", "dir/..", "dir/../file", "../x", "./../x",
	};

	skip_without_openat2();
	write_file(place->fd, "file", "x", 1);
	assert_int_equal(symlinkat("file", place->fd, "link"), 0);
	assert_int_equal(symlinkat("..", place->fd, "up"), 0);
	assert_int_equal(mkdirat(place->fd, "dir", 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(fd_close) int fd = fd_open_beneath(place->fd, bad[i], O_RDONLY, 0);

		assert_int_equal(fd, -1);
		assert_true(errno == ELOOP || errno == EXDEV);
	}

	AUTO(fd_close)
	int made = fd_open_beneath(place->fd, "dir/file", O_CREAT | O_EXCL | O_WRONLY, 0600);
	AUTO(fd_close) int dots = fd_open_beneath(place->fd, "dir/..file", O_RDONLY, 0);

	assert_true(made >= 0);
	assert_int_equal(fcntl(made, F_GETFD), FD_CLOEXEC);
	assert_int_equal(dots, -1);
	assert_int_equal(errno, ENOENT);
}

static void opening_beneath_never_follows_a_magic_link(void **state)
{
	AUTO(fd_close) int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	skip_without_openat2();
	assert_true(proc >= 0);
	assert_int_equal(fd_open_beneath(proc, "exe", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(fd_open_beneath(proc, "cwd/.", O_PATH, 0), -1);
	assert_int_equal(errno, ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_keeps_errno_and_returns_none),
		cmocka_unit_test(full_reads_and_writes_cross_pipe_chunks),
		cmocka_unit_test(flags_are_set_and_cleared),
		cmocka_unit_test_setup_teardown(a_file_is_read_up_to_its_bound, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(an_empty_file_and_a_big_one_are_read_whole,
						make_place, remove_place),
		cmocka_unit_test(proc_files_without_a_size_are_read),
		cmocka_unit_test_setup_teardown(what_is_not_a_regular_file_is_refused, make_place,
						remove_place),
		cmocka_unit_test(a_sealed_memfd_cannot_be_changed),
		cmocka_unit_test_setup_teardown(opening_beneath_stays_beneath, make_place,
						remove_place),
		cmocka_unit_test(opening_beneath_never_follows_a_magic_link),
	};

	return cmocka_run_group_tests_name("base/fd", tests, NULL, NULL);
}

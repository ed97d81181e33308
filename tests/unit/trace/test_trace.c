// SPDX-License-Identifier: Apache-2.0
#include "hash/sha256.h"
#include "trace/trace_line.h"
#include "trace_fixture.h"
#include "json/decode.h"

#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static int append(struct fixture *fix, const char *line, struct error *err)
{
	return trace_append(fix->trace, line, strlen(line), err);
}

static uint64_t size_of(const struct fixture *fix, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(fix->dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return (uint64_t)st.st_size;
}

static void a_line_gets_the_hash_of_the_line_before(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};
	char hash[SHA256_HEX_SIZE];
	static const char first[] = "{\"event_type\":\"a\",\"prev\":\"" ZEROS "\"}";

	fixture_open(fix, 0);
	assert_string_equal(trace_head(fix->trace), ZEROS);
	assert_int_equal(append(fix, "{\"event_type\":\"a\"}", &err), 0);
	assert_int_equal(append(fix, "{\"event_type\":\"b\"}", &err), 0);

	AUTO(mem_free) char *text = fixture_read(fix, "trace.jsonl");
	const char *second = text + sizeof(first);

	assert_memory_equal(text, first, sizeof(first) - 1);
	assert_int_equal(second[-1], '\n');
	assert_int_equal(sha256_hex(first, sizeof(first) - 1, hash), 0);
	assert_memory_equal(second, "{\"event_type\":\"b\",\"prev\":\"", 26);
	assert_memory_equal(second + 26, hash, 64);
	assert_string_equal(second + 26 + 64, "\"}\n");
	assert_int_equal(sha256_hex(second, strlen(second) - 1, hash), 0);
	assert_string_equal(trace_head(fix->trace), hash);
}

static void the_chain_goes_on_after_opening_again(void **state)
{
	struct fixture *fix = *state;
	char head[65];

	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");
	fixture_complete(fix, "spn_1");
	memcpy(head, trace_head(fix->trace), sizeof(head));
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_string_equal(trace_head(fix->trace), head);
	assert_int_equal(fix->recovery.torn_bytes, 0);
	assert_int_equal(fix->recovery.lost_commands, 0);
	fixture_start(fix, "spn_2");

	struct trace_verify_result result = fixture_verify(fix, head);

	assert_true(result.intact);
	assert_int_equal(result.lines, 3);
	assert_string_equal(result.head, trace_head(fix->trace));
}

static void a_torn_end_is_set_aside(void **state)
{
	struct fixture *fix = *state;

	for (int round = 0; round < 2; round++) {
		fixture_open(fix, 0);
		fixture_start(fix, "spn_1");
		fixture_complete(fix, "spn_1");
		fixture_close(fix);

		AUTO(mem_free) char *whole = fixture_read(fix, "trace.jsonl");
		int fd = openat(fix->dirfd, "trace.jsonl", O_WRONLY | O_APPEND | O_CLOEXEC);

		assert_int_equal(fd_write_full(fd, "{\"ts\":\"20", 9), 0);
		fd_close(fd);
		fixture_open(fix, 0);
		assert_int_equal(fix->recovery.torn_bytes, 9);

		AUTO(mem_free) char *mended = fixture_read(fix, "trace.jsonl");

		assert_string_equal(mended, whole);
		fixture_close(fix);
	}

	AUTO(mem_free) char *torn = fixture_read(fix, "trace.torn");

	assert_string_equal(torn, "{\"ts\":\"20\n{\"ts\":\"20\n");
	assert_true(fixture_verify(fix, NULL).intact);
}

static void a_file_that_is_torn_from_its_start_goes_on_from_the_one_before(void **state)
{
	struct fixture *fix = *state;

	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");
	fixture_close(fix);
	assert_int_equal(renameat(fix->dirfd, "trace.jsonl", fix->dirfd, "trace.jsonl.1"), 0);
	fixture_write(fix, "trace.jsonl", "{\"ts", 4);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.torn_bytes, 4);
	assert_int_equal(fix->recovery.lost_commands, 1);

	struct trace_verify_result result = fixture_verify(fix, NULL);

	assert_true(result.intact);
	assert_int_equal(result.lines, 3);
}

static void a_command_without_result_is_closed_as_lost_once(void **state)
{
	struct fixture *fix = *state;

	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");
	fixture_start(fix, "spn_2");
	fixture_start(fix, "spn_3");
	fixture_complete(fix, "spn_2");
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.lost_commands, 2);

	AUTO(mem_free) char *text = fixture_read(fix, "trace.jsonl");

	assert_non_null(strstr(text, "\"session_id\":\"ses_1\",\"span_id\":\"spn_3\",\"component\":"
				     "\"trace\",\"exit\":null"));
	assert_non_null(strstr(text, "\"status\":\"lost\""));
	assert_true(fixture_verify(fix, NULL).intact);
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.lost_commands, 0);
}

static void an_open_command_is_remembered_across_rotations(void **state)
{
	struct fixture *fix = *state;
	char name[ID_SIZE];

	fixture_open(fix, 1000);
	fixture_start(fix, "spn_long");
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "spn_%d", i);
		fixture_start(fix, name);
		fixture_complete(fix, name);
	}
	fixture_close(fix);
	assert_true(fixture_exists(fix, "trace.jsonl.5"));
	fixture_open(fix, 1000);
	assert_int_equal(fix->recovery.lost_commands, 1);

	AUTO(mem_free) char *text = fixture_read(fix, "trace.jsonl");

	assert_non_null(
		strstr(text, "\"open\":[{\"span_id\":\"spn_long\",\"session_id\":\"ses_1\"}]"));
	assert_non_null(strstr(text, "\"status\":\"lost\""));
	assert_true(fixture_verify(fix, NULL).intact);
}

static void a_crash_in_the_middle_of_a_rotation_loses_nothing(void **state)
{
	struct fixture *fix = *state;

	for (int made = 0; made < 2; made++) {
		fixture_open(fix, 0);
		fixture_start(fix, "spn_1");
		fixture_close(fix);
		assert_int_equal(renameat(fix->dirfd, "trace.jsonl", fix->dirfd,
					  made ? "trace.jsonl.2" : "trace.jsonl.1"),
				 0);
		if (made)
			fixture_write(fix, "trace.jsonl", "", 0);
		fixture_open(fix, 0);
		assert_int_equal(fix->recovery.lost_commands, 1);
		assert_true(fixture_verify(fix, NULL).intact);
		fixture_close(fix);
	}
}

static void numbers_grow_and_nothing_is_replaced(void **state)
{
	struct fixture *fix = *state;

	fixture_open(fix, 1);
	fixture_start(fix, "spn_1");
	fixture_write(fix, "trace.jsonl.9", "mine\n", 5);
	fixture_write(fix, "trace.jsonl.010", "x", 1);
	fixture_write(fix, "trace.jsonl.9999999999", "x", 1);
	fixture_complete(fix, "spn_1");

	AUTO(mem_free) char *kept = fixture_read(fix, "trace.jsonl.9");

	assert_string_equal(kept, "mine\n");
	assert_true(fixture_exists(fix, "trace.jsonl.10"));
	fixture_start(fix, "spn_2");
	assert_true(fixture_exists(fix, "trace.jsonl.11"));
}

/** Fill up to a file size limit and go over it. */
static void a_line_that_can_not_be_written_is_refused_and_leaves_nothing(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};
	struct rlimit old;
	char head[65];

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");
	memcpy(head, trace_head(fix->trace), sizeof(head));

	uint64_t size = size_of(fix, "trace.jsonl");
	struct rlimit tight = {.rlim_cur = size + 20, .rlim_max = old.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

	int start = fixture_try_event(fix, SPAN_COMMAND_START, "spn_2", "human", &err);
	int complete = fixture_try_event(fix, SPAN_COMMAND_COMPLETE, "spn_1", "human", &err);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(start, -EFBIG);
	assert_int_equal(complete, -EFBIG);
	assert_string_equal(err.msg, "write the trace: File too large");
	assert_int_equal(size_of(fix, "trace.jsonl"), size);
	assert_string_equal(trace_head(fix->trace), head);

	// With room again everything goes on: the refused start is not open, the other still is.
	assert_int_equal(fixture_try_event(fix, SPAN_COMMAND_START, "spn_1", "human", &err),
			 -EEXIST);
	fixture_start(fix, "spn_2");
	assert_true(fixture_verify(fix, NULL).intact);
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.lost_commands, 2);
}

/** What happened is written as soon as there is room, before anything else. */
static void what_happened_is_kept_until_there_is_room(void **state)
{
	static const char done[] = "{\"ts\":\"x\",\"event_type\":\"command_complete\","
				   "\"span_id\":\"spn_1\",\"status\":\"ok\"}";
	struct fixture *fix = *state;
	struct error err = {0};
	struct rlimit old;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");

	uint64_t size = size_of(fix, "trace.jsonl");
	struct rlimit tight = {.rlim_cur = size + 20, .rlim_max = old.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

	int complete = trace_record(fix->trace, done, strlen(done), &err);
	int start = fixture_try_event(fix, SPAN_COMMAND_START, "spn_2", "human", &err);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(complete, -EFBIG);
	assert_int_equal(start, -EFBIG);
	assert_int_equal(size_of(fix, "trace.jsonl"), size);
	fixture_start(fix, "spn_3");
	assert_true(fixture_verify(fix, NULL).intact);
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.lost_commands, 1); // spn_3
	assert_int_equal(fixture_verify(fix, NULL).lines, 4);
}

static void events_that_are_lost_stop_the_commands(void **state)
{
	static char line[64 << 10];
	struct fixture *fix = *state;
	struct error err = {0};
	struct rlimit old;
	int start;

	(void)snprintf(line, sizeof(line), "{\"event_type\":\"set_aside\",\"path\":\"");
	memset(line + strlen(line), 'a', sizeof(line) - strlen(line) - 3);
	memcpy(line + sizeof(line) - 3, "\"}", 3);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	fixture_open(fix, 0);

	struct rlimit tight = {.rlim_cur = 20, .rlim_max = old.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (int i = 0; i < 20; i++)
		(void)trace_record(fix->trace, line, strlen(line), &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	start = fixture_try_event(fix, SPAN_COMMAND_START, "spn_2", "human", &err);
	assert_int_equal(start, -ENOSPC);
	assert_non_null(strstr(err.msg, "events were lost"));
	// What was kept is written all the same, and a trace that is opened anew goes on.
	fixture_close(fix);
	fixture_open(fix, 0);
	fixture_start(fix, "spn_2");
	assert_true(fixture_verify(fix, NULL).intact);
	assert_int_equal(fixture_verify(fix, NULL).lines, 17);
}

static void a_torn_end_that_can_not_be_set_aside_stays(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};
	struct rlimit old;
	static char half[200 << 10]; // more than is moved at once

	memset(half, 'x', sizeof(half));
	fixture_write(fix, "trace.jsonl", half, sizeof(half));
	fixture_write(fix, "trace.torn", "old\n", 4);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);

	struct rlimit tight = {.rlim_cur = 100 << 10, .rlim_max = old.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

	int r = fixture_try_open(fix, 0, &err);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(size_of(fix, "trace.torn"), 4);
	assert_int_equal(size_of(fix, "trace.jsonl"), sizeof(half));
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.torn_bytes, sizeof(half));
}

/** Let a file grow only, or end that.  Only root may, and not on every file system. */
static bool set_append_only(const struct fixture *fix, bool on)
{
	AUTO(fd_close) int fd = openat(fix->dirfd, "trace.jsonl", O_RDONLY | O_CLOEXEC);
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return false;
	flags = on ? flags | FS_APPEND_FL : flags & ~FS_APPEND_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

static void half_a_line_that_can_not_be_taken_back_breaks_the_trace(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};
	struct rlimit old;

	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");
	if (!set_append_only(fix, true)) {
		print_message("skipped: a file can not be made append-only here\n");
		skip();
	}
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);

	struct rlimit tight = {.rlim_cur = size_of(fix, "trace.jsonl") + 20,
			       .rlim_max = old.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

	int first = append(fix, "{\"event_type\":\"x\"}", &err);
	int second = append(fix, "{\"event_type\":\"x\"}", &err);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(set_append_only(fix, false));
	assert_int_equal(first, -EFBIG);
	assert_int_equal(second, -EFBIG);
	assert_string_equal(err.msg,
			    "the trace is closed: half a line is left over: write the trace: "
			    "File too large");
	assert_int_equal(append(fix, "{\"event_type\":\"x\"}", &err), -EFBIG);
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.torn_bytes, 20);
	assert_true(fixture_verify(fix, NULL).intact);
}

static int write_text(const char *path, const char *text)
{
	AUTO(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fd_write_full(fd, text, strlen(text));
}

static int map_self(const char *path, unsigned id)
{
	char map[64];

	(void)snprintf(map, sizeof(map), "%u %u 1", id, id);
	return write_text(path, map);
}

/** A private tmpfs of 64 KiB over the fixture's directory.  False where that is not allowed. */
static bool mount_tiny(struct fixture *fix)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    write_text("/proc/self/setgroups", "deny") < 0 ||
	    map_self("/proc/self/uid_map", uid) < 0 || map_self("/proc/self/gid_map", gid) < 0 ||
	    mount("tmpfs", fix->dir, "tmpfs", 0, "size=64k") < 0)
		return false;
	fd_close(fix->dirfd);
	fix->dirfd = open(fix->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fix->dirfd >= 0;
}

/** Fill the disk, free it, go on.  Returns what did not work, or NULL. */
static const char *survive_full_disk(struct fixture *fix)
{
	struct error err = {0};
	struct trace_verify_result result;
	int r = 0;
	uint64_t written = 0;

	if (fixture_try_open(fix, 0, &err) < 0)
		return "open";
	fixture_write(fix, "ballast", ZEROS, 64);
	while (r == 0 && written < 10000) {
		r = append(fix, "{\"event_type\":\"fill\",\"pad\":\"" ZEROS ZEROS "\"}", &err);
		written += r == 0;
	}
	if (r != -ENOSPC || written < 100)
		return "fill";
	if (trace_verify(fix->dirfd, trace_head(fix->trace), &result, &err) < 0 || !result.intact ||
	    result.lines != written)
		return "verify";
	if (unlinkat(fix->dirfd, "ballast", 0) < 0 ||
	    append(fix, "{\"event_type\":\"more\",\"pad\":\"" ZEROS ZEROS "\"}", &err) < 0)
		return "go on";
	if (trace_verify(fix->dirfd, trace_head(fix->trace), &result, &err) < 0 || !result.intact)
		return "verify again";
	return NULL;
}

/** In a child: 0, 1 with what failed on stderr, 77 when it can not be tried. */
static int try_full_disk(struct fixture *fix)
{
	if (!mount_tiny(fix))
		return 77;

	const char *failed = survive_full_disk(fix);

	if (failed)
		print_error("full disk: %s\n", failed);
	fixture_close(fix);
	return failed != NULL;
}

static void a_full_disk_refuses_lines_until_there_is_room(void **state)
{
	struct fixture *fix = *state;
	int status;
	pid_t pid = fork(); // the namespaces end with the child

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(try_full_disk(fix));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: a user namespace with a tmpfs can not be had here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_is_not_our_regular_file_is_refused(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};

	fixture_write(fix, "elsewhere", "", 0);
	assert_int_equal(symlinkat("elsewhere", fix->dirfd, "trace.jsonl"), 0);
	assert_int_equal(fixture_try_open(fix, 0, &err), -EPERM);
	assert_string_equal(err.msg, "open the trace: trace.jsonl is a symbolic link");
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl", 0), 0);

	assert_int_equal(mkfifoat(fix->dirfd, "trace.jsonl", 0600), 0);
	assert_int_equal(fixture_try_open(fix, 0, &err), -EPERM);
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl", 0), 0);

	assert_int_equal(mkdirat(fix->dirfd, "trace.jsonl", 0700), 0);
	assert_int_equal(fixture_try_open(fix, 0, &err), -EISDIR);
	assert_int_equal(unlinkat(fix->dirfd, "trace.jsonl", AT_REMOVEDIR), 0);

	fixture_write(fix, "trace.jsonl", "", 0);
	if (fchownat(fix->dirfd, "trace.jsonl", 12345, 0, 0) == 0) { // not for an ordinary user
		assert_int_equal(fixture_try_open(fix, 0, &err), -EPERM);
		assert_string_equal(err.msg, "open the trace: trace.jsonl belongs to uid 12345");
	}
	assert_null(fix->trace);
}

static void a_torn_end_is_not_written_through_a_link(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};

	fixture_write(fix, "trace.jsonl", "half", 4);
	fixture_write(fix, "elsewhere", "", 0);
	assert_int_equal(symlinkat("elsewhere", fix->dirfd, "trace.torn"), 0);
	assert_int_equal(fixture_try_open(fix, 0, &err), -EPERM);
	assert_int_equal(size_of(fix, "elsewhere"), 0);
	assert_int_equal(size_of(fix, "trace.jsonl"), 4);
}

static void only_the_owner_can_read_it(void **state)
{
	struct fixture *fix = *state;
	struct stat st;
	mode_t old = umask(0);

	fixture_open(fix, 1);
	fixture_start(fix, "spn_1");
	fixture_complete(fix, "spn_1");
	umask(old);
	assert_int_equal(fstatat(fix->dirfd, "trace.jsonl", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(fix->dirfd, "trace.jsonl.1", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	fixture_close(fix);
	assert_int_equal(fchmodat(fix->dirfd, "trace.jsonl", 0666, 0), 0);
	fixture_open(fix, 0);
	assert_int_equal(fstatat(fix->dirfd, "trace.jsonl", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/** After something was done to the file, lines are refused, and taken again after opening. */
static void expect_broken(struct fixture *fix, const char *reason)
{
	struct error err = {0};

	assert_int_equal(append(fix, "{\"event_type\":\"x\"}", &err), -ESTALE);
	assert_string_equal(err.msg, reason);
	assert_int_equal(append(fix, "{\"event_type\":\"x\"}", &err), -ESTALE);
	assert_non_null(strstr(err.msg, reason));
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(append(fix, "{\"event_type\":\"x\"}", &err), 0);
}

static void a_file_that_others_touch_breaks_the_trace(void **state)
{
	struct fixture *fix = *state;

	fixture_open(fix, 0);
	fixture_start(fix, "spn_1");
	assert_int_equal(renameat(fix->dirfd, "trace.jsonl", fix->dirfd, "old"), 0);
	expect_broken(fix, "trace.jsonl is gone: another program took it away");

	assert_int_equal(renameat(fix->dirfd, "trace.jsonl", fix->dirfd, "old"), 0);
	fixture_write(fix, "trace.jsonl", "", 0);
	expect_broken(fix, "trace.jsonl was replaced by another program");

	fixture_write(fix, "trace.jsonl", "{}\n", 3);
	expect_broken(fix, "trace.jsonl was changed by another program");
}

static void what_is_not_a_line_is_refused(void **state)
{
	struct fixture *fix = *state;
	static const char *const bad[] = {
		"",
		"{}",
		"x",
		"[1,2,3]",
		"{\"a\":\n1}",
		"{\"a\":1}\n",
		"{\"a\":1",
		"{\"event_type\":\"command_start\",\"cmd\":\"x\"}",
		"{\"event_type\":\"command_start\",\"span_id\":\"\"}",
		"{\"event_type\":\"command_start\",\"span_id\":\"a\\n\"}"};
	AUTO(buf_done) struct buf huge = {0};
	struct error err = {0};

	fixture_open(fix, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (append(fix, bad[i], &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
	fixture_start(fix, "spn_1");
	assert_int_equal(fixture_try_event(fix, SPAN_COMMAND_START, "spn_1", "human", &err),
			 -EEXIST);

	buf_adds(&huge, "{\"event_type\":\"a\",\"span_id\":\"b\",\"c\":\"");
	while (huge.len < TRACE_LINE_MAX - 76)
		buf_addc(&huge, 'a');
	buf_adds(&huge, "\"}");
	assert_int_equal(trace_append(fix->trace, huge.data, huge.len, &err), -E2BIG);
	assert_true(fixture_verify(fix, NULL).intact);
	assert_int_equal(fixture_verify(fix, NULL).lines, 1);
}

static void the_longest_line_is_written_and_read(void **state)
{
	struct fixture *fix = *state;
	AUTO(buf_done) struct buf line = {0};
	struct error err = {0};

	fixture_open(fix, 0);
	buf_adds(&line, "{\"event_type\":\"a\",\"span_id\":\"spn_1\",\"c\":\"");
	while (line.len < TRACE_LINE_MAX - 77)
		buf_addc(&line, 'a');
	buf_adds(&line, "\"}");
	assert_int_equal(trace_append(fix->trace, line.data, line.len, &err), 0);
	assert_int_equal(size_of(fix, "trace.jsonl"), TRACE_LINE_MAX);
	assert_true(fixture_verify(fix, trace_head(fix->trace)).intact);
	fixture_close(fix);
	fixture_open(fix, 0);
	assert_int_equal(fix->recovery.torn_bytes, 0);
}

static void a_mebibyte_of_arguments_is_kept_exactly(void **state)
{
	struct fixture *fix = *state;
	AUTO(mem_free) char *word = malloc((1 << 20) + 1);
	AUTO(buf_done) struct buf line = {0};
	json_t *lines;
	struct error err = {0};

	for (size_t i = 0; i < 1 << 20; i++)
		word[i] = (char)(i % 255 + 1);
	word[1 << 20] = '\0';

	char *argv[] = {word, NULL};
	const struct span_common common = {.event = SPAN_COMMAND_START, .span_id = "spn_1"};
	const struct span_command command = {.argv = argv};

	fixture_open(fix, 0);
	assert_int_equal(span_print_command(&line, &common, &command), 0);
	assert_int_equal(trace_append(fix->trace, line.data, line.len, &err), 0);
	assert_int_equal(trace_read_span(fix->dirfd, "spn_1", &lines, &err), 0);

	struct strv read = {0};
	const json_t *array = json_object_get(json_array_get(lines, 0), "argv");

	assert_int_equal(decode_strings(array, &read, &err), 0);
	assert_int_equal(read.count, 1);
	assert_string_equal(read.items[0], word);
	strv_done(&read);
	json_decref(lines);
}

static void every_line_can_be_synced(void **state)
{
	struct fixture *fix = *state;
	const struct trace_options options = {.dirfd = fix->dirfd, .sync = TRACE_SYNC_ALWAYS};
	struct error err = {0};

	assert_int_equal(trace_open(fix->loop, &options, &fix->trace, &fix->recovery, &err), 0);
	fixture_start(fix, "spn_1");
	fixture_complete(fix, "spn_1");
	assert_true(fixture_verify(fix, NULL).intact);
}

static void a_start_for_which_the_rotation_fails_is_refused(void **state)
{
	struct fixture *fix = *state;
	struct error err = {0};

	if (geteuid() == 0) {
		print_message("skipped: root may write to any directory\n");
		skip();
	}
	fixture_open(fix, 1);
	fixture_start(fix, "spn_1");
	assert_int_equal(fchmod(fix->dirfd, 0500), 0);

	int r = fixture_try_event(fix, SPAN_COMMAND_START, "spn_2", "human", &err);

	assert_int_equal(fchmod(fix->dirfd, 0700), 0);
	assert_int_equal(r, -EACCES);
	fixture_start(fix, "spn_2");
	assert_true(fixture_verify(fix, NULL).intact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_line_gets_the_hash_of_the_line_before),
		FIXTURE_TEST(the_chain_goes_on_after_opening_again),
		FIXTURE_TEST(a_torn_end_is_set_aside),
		FIXTURE_TEST(a_file_that_is_torn_from_its_start_goes_on_from_the_one_before),
		FIXTURE_TEST(a_command_without_result_is_closed_as_lost_once),
		FIXTURE_TEST(an_open_command_is_remembered_across_rotations),
		FIXTURE_TEST(a_crash_in_the_middle_of_a_rotation_loses_nothing),
		FIXTURE_TEST(numbers_grow_and_nothing_is_replaced),
		FIXTURE_TEST(a_line_that_can_not_be_written_is_refused_and_leaves_nothing),
		FIXTURE_TEST(what_happened_is_kept_until_there_is_room),
		FIXTURE_TEST(events_that_are_lost_stop_the_commands),
		FIXTURE_TEST(a_torn_end_that_can_not_be_set_aside_stays),
		FIXTURE_TEST(half_a_line_that_can_not_be_taken_back_breaks_the_trace),
		FIXTURE_TEST(a_full_disk_refuses_lines_until_there_is_room),
		FIXTURE_TEST(what_is_not_our_regular_file_is_refused),
		FIXTURE_TEST(a_torn_end_is_not_written_through_a_link),
		FIXTURE_TEST(only_the_owner_can_read_it),
		FIXTURE_TEST(a_file_that_others_touch_breaks_the_trace),
		FIXTURE_TEST(what_is_not_a_line_is_refused),
		FIXTURE_TEST(the_longest_line_is_written_and_read),
		FIXTURE_TEST(a_mebibyte_of_arguments_is_kept_exactly),
		FIXTURE_TEST(every_line_can_be_synced),
		FIXTURE_TEST(a_start_for_which_the_rotation_fails_is_refused),
	};

	return cmocka_run_group_tests_name("trace/trace", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** Setting aside: what is kept, what is removed, and that nothing else is touched. */
#include "unit.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "world/aside.h"
#include "world/remover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAN "spn_test"

/** Two folders, `home` ours and `project` a world's, which may be on another file system. */
struct fixture {
	char top[64], other[64];
	char *home, *project;
	int fd; /**< The project. */
	struct loop *loop;
	struct remover *remover;
	struct aside *aside;
};

static void must(int r)
{
	if (r < 0)
		fail_msg("%s", strerror(errno));
}

static char *in(const char *dir, const char *name)
{
	char *path = str_format("%s/%s", dir, name);

	assert_non_null(path);
	return path;
}

static void write_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd);
	must(fd_write_full(fd, text, strlen(text)));
	(void)fd_close(fd);
}

static void assert_file(int dirfd, const char *path, const char *text)
{
	AUTO(mem_free) char *have = NULL;
	struct error err = {0};
	size_t len = 0;

	if (fd_read_file(dirfd, path, 4096, &have, &len, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(have, text);
}

static bool is_there(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void remove_tree(const char *path)
{
	AUTO(mem_free) char *command = str_format("chmod -R u+rwx %s; rm -rf %s", path, path);
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
}

static void make_fixture(struct fixture *f, bool across)
{
	struct error err = {0};

	*f = (struct fixture){.other = "/dev/shm/aside-XXXXXX"};
	(void)snprintf(f->top, sizeof(f->top), "%s/aside-XXXXXX", across ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(f->top));
	assert_non_null(mkdtemp(f->other));
	f->home = in(f->top, "home");
	f->project = in(across ? f->other : f->top, "project");
	must(mkdir(f->home, 0700));
	must(mkdir(f->project, 0755));
	f->fd = open(f->project, O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(f->fd);
	assert_int_equal(loop_new(&f->loop, &err), 0);
	assert_int_equal(remover_new(f->loop, &f->remover, &err), 0);
	assert_int_equal(aside_new(f->home, f->remover, &f->aside, &err), 0);
}

static void free_fixture(struct fixture *f)
{
	f->aside = aside_free(f->aside);
	f->remover = remover_free(f->remover);
	f->loop = loop_free(f->loop);
	f->fd = fd_close(f->fd);
	remove_tree(f->top);
	remove_tree(f->other);
	free(f->home);
	free(f->project);
}

static int setup_same(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_fixture(f, false);
	*state = f;
	return 0;
}

static int setup_across(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_fixture(f, true);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free_fixture(f);
	free(f);
	return 0;
}

/** Move it, and give the path where it is kept (owned). */
static char *move(struct fixture *f, const char *name, bool *ret_partial)
{
	struct aside_result result = {0};
	struct error err = {0};
	int r = aside_move(f->aside, SPAN, f->fd, name, &result, &err);

	if (r < 0)
		fail_msg("%s", err.msg);
	assert_false(is_there(f->fd, name));
	if (ret_partial)
		*ret_partial = result.partial;
	return result.kept;
}

static void a_file_is_moved(void **state)
{
	struct fixture *f = *state;

	write_file(f->fd, ".envrc", "evil");

	AUTO(mem_free) char *kept = move(f, ".envrc", NULL);
	AUTO(mem_free) char *expected = str_format("%s/aside/" SPAN "/1-.envrc", f->home);

	assert_string_equal(kept, expected);
	assert_file(AT_FDCWD, kept, "evil");
}

static void names_do_not_collide(void **state)
{
	struct fixture *f = *state;

	write_file(f->fd, ".envrc", "one");
	AUTO(mem_free) char *first = move(f, ".envrc", NULL);
	write_file(f->fd, ".envrc", "two");
	AUTO(mem_free) char *second = move(f, ".envrc", NULL);

	assert_string_not_equal(first, second);
	assert_file(AT_FDCWD, first, "one");
	assert_file(AT_FDCWD, second, "two");
}

static void a_symlink_is_not_followed(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *outside = in(f->top, "outside");
	struct stat st;

	must(mkdir(outside, 0755));
	must(symlinkat(outside, f->fd, ".vscode"));

	AUTO(mem_free) char *kept = move(f, ".vscode", NULL);

	must(lstat(kept, &st));
	assert_true(S_ISLNK(st.st_mode));
	must(lstat(outside, &st));
	assert_true(S_ISDIR(st.st_mode));
}

static void what_is_gone_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct aside_result result = {0};
	struct error err = {0};

	assert_int_equal(aside_move(f->aside, SPAN, f->fd, "nothing", &result, &err), -ENOENT);
}

static void make_tree(const struct fixture *f)
{
	AUTO(mem_free) char *outside = in(f->top, "outside");

	must(mkdir(outside, 0755));
	must(mkdirat(f->fd, "tree", 0755));

	AUTO(fd_close) int tree = openat(f->fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	write_file(tree, "file", "text");
	must(symlinkat(outside, tree, "link"));
	must(mkdirat(tree, "sub", 0755));
	write_file(tree, "sub/deep", "deep");
	write_file(tree, "suid", "s");
	must(fchmodat(tree, "suid", 04755, 0));
}

static void a_tree_is_kept(void **state)
{
	struct fixture *f = *state;
	bool partial = true;

	make_tree(f);

	AUTO(mem_free) char *kept = move(f, "tree", &partial);
	AUTO(mem_free) char *outside = in(f->top, "outside");
	AUTO(fd_close) int tree = open(kept, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_false(partial);
	assert_file(tree, "file", "text");
	assert_file(tree, "sub/deep", "deep");
	assert_true(is_there(tree, "link"));
	assert_true(is_there(AT_FDCWD, outside));
}

static void a_copy_has_no_setuid_bit(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	make_tree(f);

	AUTO(mem_free) char *kept = move(f, "tree", NULL);
	AUTO(mem_free) char *file = in(kept, "suid");

	must(lstat(file, &st));
	assert_int_equal(st.st_mode & 07000, 0);
}

static void devices_and_fifos_are_not_copied(void **state)
{
	struct fixture *f = *state;
	bool partial = false;

	must(mkdirat(f->fd, "tree", 0755));
	must(mkfifoat(f->fd, "tree/fifo", 0644));

	AUTO(mem_free) char *kept = move(f, "tree", &partial);
	AUTO(mem_free) char *fifo = in(kept, "fifo");

	assert_true(partial);
	assert_false(is_there(AT_FDCWD, fifo));
}

static void a_huge_file_is_cut(void **state)
{
	struct fixture *f = *state;
	bool partial = false;

	write_file(f->fd, "huge", "");
	AUTO(fd_close) int fd = openat(f->fd, "huge", O_WRONLY | O_CLOEXEC);
	must(ftruncate(fd, 1LL << 36));

	free(move(f, "huge", &partial));

	assert_true(partial);
}

static void a_deep_tree_is_cut_and_hidden(void **state)
{
	struct fixture *f = *state;
	bool partial = false;
	int fd = dup(f->fd);

	for (int i = 0; i < 200; i++) {
		must(mkdirat(fd, "d", 0755));
		int next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);

		(void)fd_close(fd);
		fd = next;
	}
	(void)fd_close(fd);

	free(move(f, "d", &partial));

	assert_true(partial);
}

static void an_unusable_folder_hides_it_in_place(void **state)
{
	struct fixture *f = *state;
	struct aside_result result = {0};
	struct error err = {0};
	AUTO(mem_free) char *folder = in(f->home, "aside");

	write_file(AT_FDCWD, folder, "in the way");
	write_file(f->fd, ".envrc", "evil");
	assert_int_equal(aside_move(f->aside, SPAN, f->fd, ".envrc", &result, &err), 0);
	assert_false(is_there(f->fd, ".envrc"));
	assert_true(str_starts(result.hidden, ".substrate-aside-"));
	assert_file(f->fd, result.hidden, "evil");
	aside_result_done(&result);
}

static void too_many_are_removed(void **state)
{
	struct fixture *f = *state;
	char *kept = NULL;

	for (int i = 0; i < 300; i++) {
		write_file(f->fd, ".envrc", "evil");
		free(kept);
		kept = move(f, ".envrc", NULL);
	}
	assert_null(kept);
}

static unsigned entries(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += !str_same(entry->d_name, ".") && !str_same(entry->d_name, "..");
	(void)closedir(dir);
	return n;
}

struct turn {
	struct timer timer;
	struct loop *loop;
};

static void turn_over(struct timer *timer)
{
	loop_stop(container_of(timer, struct turn, timer)->loop);
}

/** Run the loop for a little while. */
static void loop_turn(struct loop *loop)
{
	struct turn turn = {.loop = loop};
	struct error err = {0};

	timer_start(loop, &turn.timer, 10, turn_over);
	assert_int_equal(loop_run(loop, &err), 0);
}

/** Keep as much as is kept; what comes next is only removed. */
static void fill_up(struct fixture *f)
{
	for (int i = 0; i < 256; i++) {
		write_file(f->fd, ".envrc", "evil");
		free(move(f, ".envrc", NULL));
	}
}

/** Turn the loop until as many entries are left that are kept, or for long. */
static void wait_for(struct fixture *f, unsigned kept, unsigned hidden)
{
	AUTO(mem_free) char *folder = in(f->home, "aside/" SPAN);

	for (int i = 0; i < 1000; i++) {
		if (entries(folder) == kept && entries(f->project) == hidden)
			return;
		loop_turn(f->loop);
	}
	assert_int_equal(entries(folder), kept);
	assert_int_equal(entries(f->project), hidden);
}

/** A tree of more entries than one slice removes is gone at once and removed in the background. */
static void what_is_not_kept_is_removed_in_the_background(void **state)
{
	struct fixture *f = *state;
	char name[32];

	fill_up(f);
	must(mkdirat(f->fd, ".vscode", 0755));
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), ".vscode/%d", i);
		must(mknodat(f->fd, name, S_IFREG | 0644, 0));
	}
	must(fchmodat(f->fd, ".vscode", 0, 0));
	assert_null(move(f, ".vscode", NULL));
	wait_for(f, 256, 0);
}

/** Every tree that waits holds a descriptor. */
static void not_too_many_wait_to_be_removed(void **state)
{
	struct fixture *f = *state;

	fill_up(f);

	unsigned before = entries("/proc/self/fd");

	for (int i = 0; i < 300; i++) {
		must(mkdirat(f->fd, ".vscode", 0755));
		assert_null(move(f, ".vscode", NULL));
	}
	assert_in_range(entries("/proc/self/fd"), before + 200, before + 256 + 4);
	wait_for(f, 256 + 44, 0);
	for (int i = 0; i < 1000 && entries("/proc/self/fd") > before; i++)
		loop_turn(f->loop);
	assert_int_equal(entries("/proc/self/fd"), before);
}

/** Modes that keep an ordinary user from moving things out of his own directory. */
static void modes_are_no_defence(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t pid;

	must(mkdirat(f->fd, "locked", 0755));
	must(mkdirat(f->fd, "locked/in", 0));
	must(fchmodat(f->fd, "locked", 0, 0));
	must(chmod(f->project, 0555));
	if (geteuid() == 0) {
		AUTO(mem_free)
		char *command = str_format("chown -R 65534:65534 %s %s", f->top, f->other);
		pid = fork();
		if (pid == 0) {
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
			_exit(127);
		}
		(void)waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
	pid = fork();
	if (pid == 0) {
		struct aside_result result = {0};
		struct error err = {0};

		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);

		int r = aside_move(f->aside, SPAN, f->fd, "locked", &result, &err);

		if (r < 0 || !result.kept) {
			(void)fprintf(stderr, "%s\n", err.msg);
			_exit(1);
		}
		_exit(is_there(f->fd, "locked") ? 3 : 0);
	}
	(void)waitpid(pid, &status, 0);
	assert_int_equal(status, 0);

	struct stat st;

	must(fstat(f->fd, &st));
	assert_int_equal(st.st_mode & 0777, 0555);
}

/* The race ----------------------------------------------------------------------------- */

#define SWAPS 10000

/** A world's thread: `tree` is now a directory with something in it, now a symlink to outside. */
struct swapper {
	int fd;
	const char *outside;
	atomic_bool done;
};

/** Open a directory that may be a symlink by this time. */
static int open_real_dir(int dirfd, const char *name)
{
	return openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void remove_any(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) < 0)
		(void)unlinkat(dirfd, name, AT_REMOVEDIR);
}

/** In a tree that is walked at the same time: `sub` is now a directory, now a symlink. */
static void swap_inside(const struct swapper *swapper, int tree)
{
	for (int i = 0; i < 3; i++) {
		remove_any(tree, "sub");
		(void)mkdirat(tree, "sub", 0755);
		remove_any(tree, "sub");
		(void)!symlinkat(swapper->outside, tree, "sub");
	}
}

static void swap_once(const struct swapper *swapper)
{
	(void)mkdirat(swapper->fd, "new", 0755);

	AUTO(fd_close) int tree = open_real_dir(swapper->fd, "new");

	(void)mkdirat(tree, "sub", 0755);

	AUTO(fd_close) int sub = open_real_dir(tree, "sub");

	(void)!symlinkat(swapper->outside, sub, "link");
	(void)renameat2(swapper->fd, "new", swapper->fd, "tree", RENAME_NOREPLACE);
	(void)renameat2(tree, "sub", swapper->fd, "away", RENAME_NOREPLACE);
	(void)!symlinkat(swapper->outside, tree, "sub");
	(void)!symlinkat(swapper->outside, swapper->fd, "link");
	if (renameat2(swapper->fd, "tree", swapper->fd, "link", RENAME_EXCHANGE) < 0) {
		swap_inside(swapper, tree); // it is being set aside
		return;
	}
	remove_any(sub, "link");
	remove_any(swapper->fd, "away");
	remove_any(tree, "sub");
	remove_any(swapper->fd, "link");
	remove_any(swapper->fd, "new");
}

static void *swap(void *arg)
{
	struct swapper *swapper = arg;

	for (int i = 0; i < SWAPS; i++)
		swap_once(swapper);
	atomic_store(&swapper->done, true);
	return NULL;
}

static void a_swapped_directory_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *outside = in(f->project, "../outside");
	AUTO(mem_free) char *file = in(outside, "precious");
	AUTO(mem_free) char *sub = in(outside, "sub");
	AUTO(mem_free) char *deep = in(outside, "sub/precious");
	struct swapper swapper = {.fd = f->fd, .outside = outside};
	unsigned moves = 0;
	pthread_t thread;

	must(mkdir(outside, 0755));
	must(mkdir(sub, 0755));
	write_file(AT_FDCWD, file, "precious");
	write_file(AT_FDCWD, deep, "precious");
	assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
	while (!atomic_load(&swapper.done)) {
		struct aside_result result = {0};
		struct error err = {0};

		if (aside_move(f->aside, SPAN, f->fd, "tree", &result, &err) == 0)
			moves++;
		else
			(void)sched_yield();
		aside_result_done(&result);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(moves > 0);
	assert_file(AT_FDCWD, file, "precious");
	assert_file(AT_FDCWD, deep, "precious");
	assert_true(is_there(AT_FDCWD, sub));
}

#define SAME(test) cmocka_unit_test_setup_teardown(test, setup_same, teardown)
#define ACROSS(test) cmocka_unit_test_setup_teardown(test, setup_across, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAME(a_file_is_moved),
		SAME(names_do_not_collide),
		SAME(a_symlink_is_not_followed),
		SAME(what_is_gone_is_no_error),
		SAME(a_tree_is_kept),
		SAME(an_unusable_folder_hides_it_in_place),
		SAME(too_many_are_removed),
		SAME(what_is_not_kept_is_removed_in_the_background),
		SAME(not_too_many_wait_to_be_removed),
		SAME(modes_are_no_defence),
		SAME(a_swapped_directory_leads_nowhere),
		ACROSS(a_file_is_moved),
		ACROSS(names_do_not_collide),
		ACROSS(a_symlink_is_not_followed),
		ACROSS(a_tree_is_kept),
		ACROSS(a_copy_has_no_setuid_bit),
		ACROSS(devices_and_fifos_are_not_copied),
		ACROSS(a_huge_file_is_cut),
		ACROSS(a_deep_tree_is_cut_and_hidden),
		ACROSS(an_unusable_folder_hides_it_in_place),
		ACROSS(too_many_are_removed),
		ACROSS(what_is_not_kept_is_removed_in_the_background),
		ACROSS(modes_are_no_defence),
		ACROSS(a_swapped_directory_leads_nowhere),
	};

	unit_needs_host();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

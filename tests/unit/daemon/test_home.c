// SPDX-License-Identifier: Apache-2.0
#include "daemon/home.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/** A directory of the test's own below /tmp, which is sticky. */
struct fixture {
	char top[64];
	char *home;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	(void)memcpy(f->top, "/tmp/substrate-home-XXXXXX", 27);
	if (!mkdtemp(f->top))
		return -1;
	f->home = path_join(f->top, "home");
	*state = f;
	return f->home && setenv("SUBSTRATE_HOME", f->home, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_close) int top = open(f->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)unlinkat(top, "home/sock/agent.sock", 0);
	(void)unlinkat(top, "home/sock", AT_REMOVEDIR);
	(void)unlinkat(top, "home/daemon.lock", 0);
	(void)unlinkat(top, "home/daemon.log", 0);
	(void)unlinkat(top, "target", 0);
	(void)unlinkat(top, "home", AT_REMOVEDIR);
	(void)rmdir(f->top);
	free(f->home);
	free(f);
	return 0;
}

static void it_is_made_private(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};
	struct stat st;

	assert_int_equal(home_open(&home, &err), 0);
	assert_int_equal(stat(f->home, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	home_close(&home);
}

static void a_parent_that_others_can_write_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};

	assert_int_equal(chmod(f->top, 0777), 0);
	assert_int_equal(home_open(&home, &err), -EPERM);
	assert_non_null(strstr(err.msg, f->top));
	assert_int_equal(access(f->home, F_OK), -1); // and nothing was made there
	assert_int_equal(chmod(f->top, 01777), 0);   // sticky: nobody else can replace it
	assert_int_equal(home_open(&home, &err), 0);
	home_close(&home);
}

static void a_home_of_another_owner_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};

	assert_int_equal(mkdir(f->home, 0700), 0);
	if (chown(f->home, 12345, 12345) < 0)
		skip(); // only root can give a directory away, and not in a world
	assert_int_equal(home_open(&home, &err), -EPERM);
	assert_non_null(strstr(err.msg, "12345"));
}

/** Nothing is made in a directory of another owner. */
static void a_parent_of_another_owner_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};

	if (chown(f->top, 12345, 12345) < 0)
		skip();

	int r = home_open(&home, &err);

	assert_int_equal(chown(f->top, 0, 0), 0);
	assert_int_equal(r, -EPERM);
	assert_int_equal(access(f->home, F_OK), -1);
}

static void a_relative_name_is_refused(void **state)
{
	struct home home;
	struct error err = {0};

	(void)state;
	assert_int_equal(setenv("SUBSTRATE_HOME", "somewhere", 1), 0);
	assert_int_equal(home_open(&home, &err), -EINVAL);
}

static void only_one_can_hold_the_lock(void **state)
{
	struct home first;
	struct home second;
	struct error err = {0};

	(void)state;
	assert_int_equal(home_open(&first, &err), 0);
	assert_int_equal(home_open(&second, &err), 0);
	assert_int_equal(home_lock(&first, &err), 0);
	assert_int_equal(home_lock(&second, &err), 1);
	home_close(&first);
	assert_int_equal(home_lock(&second, &err), 0);
	home_close(&second);
}

static void a_lock_that_is_removed_still_holds(void **state)
{
	struct home first;
	struct home second;
	struct error err = {0};

	(void)state;
	assert_int_equal(home_open(&first, &err), 0);
	assert_int_equal(home_lock(&first, &err), 0);
	assert_int_equal(home_holder(&first), getpid());
	assert_int_equal(unlinkat(first.fd, "daemon.lock", 0), 0);
	assert_int_equal(home_open(&second, &err), 0);
	assert_int_equal(home_lock(&second, &err), 1);
	assert_int_equal(home_holder(&second), 0);
	home_close(&first);
	home_close(&second);
}

static void a_home_that_others_can_enter_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};

	assert_int_equal(mkdir(f->home, 0700), 0);
	assert_int_equal(chmod(f->home, 0755), 0);
	assert_int_equal(home_open(&home, &err), -EPERM);
	assert_non_null(strstr(err.msg, "chmod 700"));
}

static void a_stale_socket_is_replaced(void **state)
{
	struct home home;
	struct error err = {0};
	int fd = -1;

	(void)state;
	assert_int_equal(home_open(&home, &err), 0);
	assert_int_equal(home_listen(&home, &fd, &err), 0);
	fd = fd_close(fd); // the file stays, as after a crash
	assert_int_equal(home_listen(&home, &fd, &err), 0);
	fd = fd_close(fd);
	home_unlisten(&home);
	assert_int_equal(faccessat(home.fd, "sock/agent.sock", F_OK, 0), -1);
	home_close(&home);
}

/** Worlds find the sockets that they must not show by their names. */
static void the_socket_has_its_real_name(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};
	struct sockaddr_un name = {0};
	socklen_t size = sizeof(name);
	int fd = -1;

	assert_int_equal(home_open(&home, &err), 0);
	assert_int_equal(home_listen(&home, &fd, &err), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	assert_ptr_equal(strstr(name.sun_path, f->home), name.sun_path);
	assert_string_equal(name.sun_path + strlen(f->home), "/sock/agent.sock");
	(void)fd_close(fd);
	home_close(&home);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock/agent.sock", f->home);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fd = fd_close(fd);
	return fd;
}

static void who_is_at_the_door_is_not_sent_away(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};
	int fd = -1;

	assert_int_equal(home_open(&home, &err), 0);
	assert_int_equal(home_listen(&home, &fd, &err), 0);

	AUTO(fd_close) int client = dial(f);

	assert_true(client >= 0);
	assert_false(home_withdraw(&home, fd));

	AUTO(fd_close) int accepted = accept(fd, NULL, NULL);
	AUTO(fd_close) int second = dial(f);

	assert_true(accepted >= 0 && second >= 0); // the socket is still there

	AUTO(fd_close) int also_accepted = accept(fd, NULL, NULL);

	assert_true(also_accepted >= 0);
	assert_true(home_withdraw(&home, fd));
	assert_int_equal(dial(f), -1);
	assert_int_equal(unlinkat(home.fd, "sock", AT_REMOVEDIR), 0); // nothing is left in it
	assert_true(home_withdraw(&home, fd));
	(void)fd_close(fd);
	home_close(&home);
}

static void a_log_is_never_written_through_a_link(void **state)
{
	const struct fixture *f = *state;
	struct home home;
	struct error err = {0};
	int fd = -1;

	assert_int_equal(home_open(&home, &err), 0);
	assert_int_equal(symlinkat("../target", home.fd, "daemon.log"), 0);
	assert_int_equal(home_open_log(&home, &fd, &err), -ELOOP);
	assert_non_null(strstr(err.msg, f->home));
	assert_int_equal(faccessat(home.fd, "../target", F_OK, 0), -1);
	assert_int_equal(unlinkat(home.fd, "daemon.log", 0), 0);
	assert_int_equal(mkfifoat(home.fd, "daemon.log", 0600), 0);
	assert_int_equal(home_open_log(&home, &fd, &err), -ENXIO);
	home_close(&home);
}

static void a_long_log_starts_anew(void **state)
{
	struct home home;
	struct error err = {0};
	struct stat st;
	int fd = -1;

	(void)state;
	assert_int_equal(home_open(&home, &err), 0);
	assert_int_equal(home_open_log(&home, &fd, &err), 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	fd = fd_close(fd);
	assert_int_equal(home_open_log(&home, &fd, &err), 0);
	assert_int_equal(fd_write_full(fd, "x", 1), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, (1 << 20) + 1); // appended
	fd = fd_close(fd);
	assert_int_equal(home_open_log(&home, &fd, &err), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)fd_close(fd);
	home_close(&home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_made_private, setup, teardown),
		cmocka_unit_test_setup_teardown(a_parent_that_others_can_write_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_home_of_another_owner_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_parent_of_another_owner_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_relative_name_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(only_one_can_hold_the_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lock_that_is_removed_still_holds, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_home_that_others_can_enter_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(the_socket_has_its_real_name, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_at_the_door_is_not_sent_away, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_log_is_never_written_through_a_link, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_long_log_starts_anew, setup, teardown),
	};

	return cmocka_run_group_tests_name("daemon/home", tests, NULL, NULL);
}

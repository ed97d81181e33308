// SPDX-License-Identifier: Apache-2.0
#include "world_fixture.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "filter/filter.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER_ID 64321 /**< Nobody's number. */
#define PATIENCE_MS 60000

static const char *const search_path[] = {"PATH=/usr/bin:/bin:/usr/sbin", NULL};

/** substrate-init, opened before the uid changes: another user may not look into the build folder.
 */
static int init_source = -1;

int fixture_main(int argc, char **argv)
{
	bool user = argc > 1 && strcmp(argv[1], "user") == 0;
	const char *init = getenv("SUBSTRATE_TEST_INIT");

	init_source = init ? open(init, O_RDONLY | O_CLOEXEC) : -1;
	if (init_source < 0) {
		perror(init ? init : "SUBSTRATE_TEST_INIT");
		return -1;
	}
	if (geteuid() != 0)
		return 0;
	// What a test mounts is nobody else's business.
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		perror("private mounts");
	if (!user)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(USER_ID, USER_ID, USER_ID) < 0 ||
	    setresuid(USER_ID, USER_ID, USER_ID) < 0) {
		perror("become a user");
		return -1;
	}
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); // as any process of that user is
}

const char *fixture_path(const struct fixture *f, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % ARRAY_LEN(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", f->dir, name);
	return path;
}

void fixture_write(const struct fixture *f, const char *name, const char *text)
{
	AUTO(fd_close) int fd = open(fixture_path(f, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchown(fd, f->uid, f->gid), 0);
}

void fixture_dirs(struct fixture *f, const struct fixture_options *options)
{
	*f = (struct fixture){.uid = geteuid(), .gid = getegid()};
	f->launch = (struct launch){.pidfd = -1, .control_fd = -1};
	if (options->uid) {
		f->uid = options->uid;
		f->gid = options->uid;
	}
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/substrate-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->project, sizeof(f->project), "%s/project", f->dir);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(mkdir(f->project, 0755), 0);
	assert_int_equal(chown(f->project, f->uid, f->gid), 0);
}

static void add(struct plan_builder *builder, struct plan_step step)
{
	plan_add(builder, &step);
}

/** /usr and what leads into it, whatever this distribution merged. */
static void add_system(struct plan_builder *builder)
{
	static const char *const dirs[] = {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char link[256];
		ssize_t n = readlink(dirs[i], link, sizeof(link) - 1);

		if (n > 0) {
			link[n] = '\0';
			add(builder,
			    (struct plan_step){.kind = PLAN_LINK, .path = dirs[i], .data = link});
			continue;
		}
		add(builder,
		    (struct plan_step){.kind = PLAN_BIND,
				       .path = dirs[i],
				       .source = dirs[i],
				       .flags = PLAN_RECURSIVE | PLAN_MAKE | PLAN_OPTIONAL});
	}
}

static void add_own(struct plan_builder *builder, const struct fixture *f)
{
	static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/tty"};

	add(builder, (struct plan_step){.kind = PLAN_TMPFS,
					.path = "/tmp",
					.flags = PLAN_MAKE,
					.mode = 01777,
					.size = 16U << 20});
	add(builder, (struct plan_step){.kind = PLAN_DIR, .path = "/dev", .mode = 0755});
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		add(builder, (struct plan_step){.kind = PLAN_BIND,
						.path = devices[i],
						.source = devices[i],
						.flags = PLAN_MAKE | PLAN_DEV | PLAN_RW});
	add(builder,
	    (struct plan_step){.kind = PLAN_DEVPTS, .path = "/dev/pts", .flags = PLAN_MAKE});
	add(builder,
	    (struct plan_step){.kind = PLAN_LINK, .path = "/dev/ptmx", .data = "pts/ptmx"});
	add(builder, (struct plan_step){
			     .kind = PLAN_PROC, .path = "/proc", .flags = PLAN_MAKE | PLAN_NOEXEC});
	add(builder, (struct plan_step){.kind = PLAN_SELF, .path = "/proc/sys"});
	add(builder, (struct plan_step){.kind = PLAN_DIR, .path = f->dir, .mode = 0755});
	add(builder, (struct plan_step){.kind = PLAN_BIND,
					.path = f->project,
					.source = f->project,
					.flags = PLAN_RW | PLAN_MAKE | PLAN_RECURSIVE});
}

static void add_confinement(struct plan_builder *builder, const struct fixture *f, unsigned without,
			    const struct buf *filter)
{
	static const char *const writable[] = {"/tmp", "/dev", "/proc"};

	if (!(without & WITHOUT_USERNS))
		add(builder, (struct plan_step){.kind = PLAN_SYSCTL,
						.path = "user/max_user_namespaces",
						.data = "0"});
	if (!(without & WITHOUT_LANDLOCK)) {
		add(builder, (struct plan_step){.kind = PLAN_LANDLOCK, .path = "/"});
		for (size_t i = 0; i < ARRAY_LEN(writable); i++)
			add(builder, (struct plan_step){.kind = PLAN_LANDLOCK,
							.path = writable[i],
							.flags = PLAN_RW});
		add(builder, (struct plan_step){
				     .kind = PLAN_LANDLOCK, .path = f->project, .flags = PLAN_RW});
	}
	if (!(without & WITHOUT_SECCOMP))
		add(builder, (struct plan_step){.kind = PLAN_SECCOMP,
						.data = filter->data,
						.data_len = filter->len});
	if (!(without & WITHOUT_SEAL))
		add(builder, (struct plan_step){.kind = PLAN_SEAL, .path = "/"});
	add(builder, (struct plan_step){.kind = PLAN_PIVOT});
}

static int make_plan(const struct fixture *f, const struct fixture_options *options)
{
	AUTO(plan_builder_free) struct plan_builder *builder = NULL;
	AUTO(buf_done) struct buf filter = {0};
	AUTO(buf_done) struct buf blob = {0};
	const struct filter_options families = {.families = FILTER_ALL, .setgid = geteuid() == 0};
	struct error err = {0};
	int fd = -1;

	assert_int_equal(plan_builder_new(&builder, &err), 0);
	assert_int_equal(filter_compile(&families, &filter, &err), 0);
	add(builder, (struct plan_step){.kind = PLAN_USER, .uid = f->uid, .gid = f->gid});
	add(builder, (struct plan_step){.kind = PLAN_HOSTNAME, .data = "world"});
	add(builder, (struct plan_step){.kind = PLAN_LOOPBACK});
	add_system(builder);
	add_own(builder, f);
	if (options->extra)
		options->extra(builder, f);
	add_confinement(builder, f, options->without, &filter);
	assert_int_equal(plan_build(builder, &blob, &err), 0);
	assert_int_equal(fd_sealed("plan", blob.data, blob.len, &fd, &err), 0);
	return fd;
}

const char *fixture_init(const struct fixture *f)
{
	if (access(fixture_path(f, "init"), X_OK) == 0)
		return fixture_path(f, "init");

	AUTO(fd_close)
	int out = open(fixture_path(f, "init"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char data[8192];
	off_t at = 0;
	ssize_t n;

	assert_true(out >= 0);
	for (; (n = pread(init_source, data, sizeof(data), at)) > 0; at += n)
		assert_int_equal(fd_write_full(out, data, (size_t)n), 0);
	out = fd_close(out); // else it could not be executed
	return fixture_path(f, "init");
}

static void cannot(const char *what)
{
	const char *must = getenv("SUBSTRATE_MUST_WORK");

	if (must && strcmp(must, "1") == 0)
		fail_msg("%s", what);
	print_message("skipped: %s\n", what);
	skip();
}

int fixture_try(struct fixture *f, const struct fixture_options *options, struct error *err)
{
	AUTO(fd_close) int plan = make_plan(f, options);
	const struct launch_request req = {
		.init_path = fixture_init(f),
		.plan_fd = plan,
		.harden_off = options->harden_off,
	};
	int r = launch_start(&req, &f->launch, err);

	if (r == -EPERM || r == -ENOSPC)
		cannot(err->msg);
	if (r < 0)
		return r;
	fixture_expect(f, CONTROL_END);
	if (f->packet.header.kind == CONTROL_FAILED) {
		memcpy(err, f->packet.data, sizeof(*err));
		return -err->code;
	}
	assert_int_equal(f->packet.header.kind, CONTROL_READY);
	f->stands = true;
	memcpy(&f->ready, f->packet.data, sizeof(f->ready));
	return 0;
}

void fixture_start(struct fixture *f, const struct fixture_options *options)
{
	struct error err = {0};

	fixture_dirs(f, options);
	if (fixture_try(f, options, &err) < 0)
		fail_msg("the world does not start: %s", err.msg);
}

static void remove_dir(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
}

void fixture_stop(struct fixture *f)
{
	siginfo_t info = {0};
	bool ready = f->launch.control_fd >= 0 && f->stands;

	f->launch.control_fd = fd_close(f->launch.control_fd);
	if (f->launch.pidfd >= 0)
		assert_int_equal(waitid(P_PIDFD, (id_t)f->launch.pidfd, &info, WEXITED), 0);
	if (ready && f->launch.pidfd >= 0 && info.si_status != 0)
		fail_msg("init ended with %d", info.si_status);
	f->launch.pidfd = fd_close(f->launch.pidfd);
	remove_dir(f->dir);
}

/* Talking to init ---------------------------------------------------------------------- */

/** The next packet; a gap is only counted. */
static void receive(struct fixture *f)
{
	struct error err = {0};

	for (;;) {
		struct pollfd wait = {.fd = f->launch.control_fd, .events = POLLIN};

		assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
		if (control_recv(f->launch.control_fd, &f->packet, &err) != 1)
			fail_msg("init is gone: %s", err.msg);
		if (f->packet.header.kind != CONTROL_GAP)
			return;
		f->gaps++;
		(void)snprintf(f->gap, sizeof(f->gap), "%.*s", (int)sizeof(f->gap) - 1,
			       f->packet.data);
	}
}

void fixture_expect(struct fixture *f, enum control_kind kind)
{
	receive(f);
	if (kind != CONTROL_END && f->packet.header.kind != (uint32_t)kind)
		fail_msg("packet of kind %u instead of %u", f->packet.header.kind, kind);
}

void fixture_send(struct fixture *f, enum control_kind kind, uint32_t seq, const void *body,
		  size_t size)
{
	const struct control_message msg = {
		.header = {.kind = (uint32_t)kind, .seq = seq},
		.body = body,
		.body_size = size,
	};
	struct error err = {0};

	if (control_send(f->launch.control_fd, &msg, &err) < 0)
		fail_msg("%s", err.msg);
}

void fixture_signal(struct fixture *f, uint32_t seq, int signo, enum control_target target)
{
	const struct control_signal body = {.signo = signo, .target = target};

	fixture_send(f, CONTROL_SIGNAL, seq, &body, sizeof(body));
}

struct control_exited fixture_wait_exit(struct fixture *f, uint32_t seq)
{
	struct control_exited exited;

	fixture_expect(f, CONTROL_EXITED);
	assert_int_equal(f->packet.header.seq, seq);
	memcpy(&exited, f->packet.data, sizeof(exited));
	return exited;
}

int fixture_setup(void **state)
{
	static struct fixture f;

	fixture_start(&f, &(struct fixture_options){0});
	*state = &f;
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_stop(*state);
	return 0;
}

struct control_checked fixture_check(struct fixture *f)
{
	struct control_checked checked;

	fixture_send(f, CONTROL_CHECK, 99, NULL, 0);
	fixture_expect(f, CONTROL_CHECKED);
	memcpy(&checked, f->packet.data, sizeof(checked));
	return checked;
}

static uint32_t add_strings(struct buf *payload, const char *const list[])
{
	uint32_t count = 0;

	for (; list[count]; count++)
		buf_add(payload, list[count], strlen(list[count]) + 1);
	return count;
}

static uint32_t send_spawn(struct fixture *f, struct control_spawn *body, const struct buf *payload,
			   const int *fds, size_t nfds)
{
	AUTO(fd_close) int memfd = -1;
	struct error err = {0};
	int all[4] = {-1, -1, -1, -1};

	body->payload = (uint32_t)payload->len;
	for (size_t i = 0; i < nfds; i++)
		all[i] = fds[i];

	struct control_message msg = {
		.header = {.kind = CONTROL_SPAWN, .seq = ++f->seq},
		.body = body,
		.body_size = sizeof(*body),
		.payload = payload->data,
		.payload_size = payload->len,
		.fds = all,
		.nfds = nfds,
	};

	if (payload->len > CONTROL_INLINE_MAX) {
		assert_int_equal(fd_sealed("payload", payload->data, payload->len, &memfd, &err),
				 0);
		all[nfds] = memfd;
		msg.nfds = nfds + 1;
		msg.payload_size = 0;
	}
	if (control_send(f->launch.control_fd, &msg, &err) < 0)
		fail_msg("%s", err.msg);
	return f->seq;
}

uint32_t fixture_spawn(struct fixture *f, const char *cwd, const char *const argv[],
		       const char *const envp[], const int fds[3])
{
	AUTO(buf_done) struct buf payload = {0};
	struct control_spawn body = {.umask = 022};

	buf_add(&payload, cwd, strlen(cwd) + 1);
	body.argc = add_strings(&payload, argv);
	body.envc = add_strings(&payload, envp);
	return send_spawn(f, &body, &payload, fds, 3);
}

uint32_t fixture_spawn_terminal(struct fixture *f, const char *script)
{
	AUTO(buf_done) struct buf payload = {0};
	struct control_spawn body = {
		.flags = CONTROL_SPAWN_TERMINAL, .umask = 022, .rows = 33, .cols = 77};

	buf_add(&payload, f->project, strlen(f->project) + 1);
	body.argc = add_strings(&payload, (const char *const[]){"sh", "-c", script, NULL});
	body.envc = add_strings(&payload, (const char *const[]){"PATH=/usr/bin:/bin", NULL});
	return send_spawn(f, &body, &payload, NULL, 0);
}

static void take_spawned(struct fixture *f, struct outcome *ret)
{
	struct control_spawned spawned;

	fixture_expect(f, CONTROL_SPAWNED);
	assert_int_equal(f->packet.header.seq, f->seq);
	memcpy(&spawned, f->packet.data, sizeof(spawned));
	ret->step = spawned.step;
	ret->error = spawned.error;
	assert_int_equal(spawned.pid > 0, spawned.step == CONTROL_STEP_NONE);
}

static void take_output(int fd, struct outcome *ret)
{
	ssize_t n = fd_read_full(fd, ret->out, sizeof(ret->out) - 1);

	assert_true(n >= 0);
	ret->out[n] = '\0';
}

void fixture_run(struct fixture *f, const char *const argv[], const char *const envp[],
		 struct outcome *ret)
{
	int pair[2];
	struct control_exited exited;
	AUTO(fd_close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	AUTO(fd_close) int reader = pair[0];
	AUTO(fd_close) int writer = pair[1];

	*ret = (struct outcome){0};
	(void)fixture_spawn(f, f->project, argv, envp, (int[]){null, writer, writer});
	writer = fd_close(writer);
	take_spawned(f, ret);
	if (ret->step != CONTROL_STEP_NONE)
		return;
	take_output(reader, ret);
	fixture_expect(f, CONTROL_EXITED);
	assert_int_equal(f->packet.header.seq, f->seq);
	memcpy(&exited, f->packet.data, sizeof(exited));
	ret->status = exited.status;
	ret->survivors = exited.survivors;
}

void fixture_sh(struct fixture *f, const char *script, struct outcome *ret)
{
	fixture_run(f, (const char *const[]){"sh", "-c", script, NULL}, search_path, ret);
}

const char *fixture_out(struct fixture *f, const char *script)
{
	static struct outcome outcome;

	fixture_sh(f, script, &outcome);
	if (outcome.step || outcome.status)
		fail_msg("'%s': step %u (%s), status %x: %s", script, outcome.step,
			 strerror(outcome.error), (unsigned)outcome.status, outcome.out);
	return outcome.out;
}

// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/control.h"
#include "sandbox/job_priv.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** A well-formed request: cwd, two arguments, two of the environment. */
#define PAYLOAD "/cwd\0prog\0arg\0A=1\0PATH=/x:/y"

static struct control_packet *make_packet(const struct control_spawn *spawn, const void *payload,
					  size_t size)
{
	struct control_packet *packet = calloc(1, sizeof(*packet));

	assert_non_null(packet);
	packet->header.seq = 7;
	packet->size = (uint32_t)(sizeof(*spawn) + size);
	memcpy(packet->data, spawn, sizeof(*spawn));
	memcpy(packet->data + sizeof(*spawn), payload, size);
	for (size_t i = 0; i < CONTROL_FDS_MAX; i++)
		packet->fds[i] = -1;
	for (; packet->nfds < 3; packet->nfds++)
		packet->fds[packet->nfds] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return packet;
}

static struct control_spawn good(void)
{
	return (struct control_spawn){
		.payload = sizeof(PAYLOAD), .argc = 2, .envc = 2, .umask = 022};
}

/** What job_new() says to a packet with this head and payload. */
static int judge(const struct control_spawn *spawn, const void *payload, size_t size)
{
	struct control_packet *packet = make_packet(spawn, payload, size);
	struct job *job = NULL;
	struct error err = {0};
	int r = job_new(packet, &job, &err);

	assert_true((r == 0) == (job != NULL));
	(void)job_free(job);
	control_packet_done(packet);
	free(packet);
	return r;
}

static void a_request_becomes_vectors(void **state)
{
	const struct control_spawn spawn = good();
	struct control_packet *packet = make_packet(&spawn, PAYLOAD, sizeof(PAYLOAD));
	struct job *job = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(job_new(packet, &job, &err), 0);
	assert_int_equal(job->seq, 7);
	assert_int_equal(job->umask, 022);
	assert_string_equal(job->cwd, "/cwd");
	assert_string_equal(job->argv[0], "prog");
	assert_string_equal(job->argv[1], "arg");
	assert_null(job->argv[2]);
	assert_string_equal(job->envp[0], "A=1");
	assert_string_equal(job->envp[1], "PATH=/x:/y");
	assert_null(job->envp[2]);
	assert_string_equal(job->search, "/x:/y");
	assert_int_equal(packet->fds[0], -1); // moved
	assert_true(job->fds[2] >= 0);
	(void)job_free(job);
	free(packet);
}

static void wrong_counts_and_sizes_are_refused(void **state)
{
	struct control_spawn spawn = good();

	(void)state;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), 0);
	spawn.argc = 3;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn.argc = 1;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn.argc = 0;
	spawn.envc = 4;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn = good();
	spawn.envc = UINT32_MAX - 1;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn = good();
	spawn.argc = UINT32_MAX;
	spawn.envc = UINT32_MAX;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn = good();
	spawn.payload--;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD) - 1), -EBADMSG); // no last NUL
	spawn = good();
	spawn.payload = 0;
	assert_int_equal(judge(&spawn, PAYLOAD, 0), -EBADMSG);
	spawn = good();
	spawn.payload = CONTROL_PAYLOAD_MAX + 1;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
}

static void unknown_fields_are_refused(void **state)
{
	struct control_spawn spawn = good();

	(void)state;
	spawn.flags = 2;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn = good();
	spawn.flags = CONTROL_SPAWN_TERMINAL; // brings no descriptors
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
	spawn = good();
	spawn.umask = 01000;
	assert_int_equal(judge(&spawn, PAYLOAD, sizeof(PAYLOAD)), -EBADMSG);
}

static void missing_descriptors_are_refused(void **state)
{
	const struct control_spawn spawn = good();
	struct control_packet *packet = make_packet(&spawn, PAYLOAD, sizeof(PAYLOAD));
	struct job *job = NULL;
	struct error err = {0};

	(void)state;
	packet->fds[2] = fd_close(packet->fds[2]);
	packet->nfds = 2;
	assert_int_equal(job_new(packet, &job, &err), -EBADMSG);
	control_packet_done(packet);
	free(packet);
}

/** A packet whose payload is in this descriptor. */
static int judge_fd(int fd)
{
	const struct control_spawn spawn = good();
	struct control_packet *packet = make_packet(&spawn, "", 0);
	struct job *job = NULL;
	struct error err = {0};

	packet->fds[packet->nfds++] = fd;

	int r = job_new(packet, &job, &err);

	if (r == 0)
		assert_string_equal(job->argv[1], "arg");
	(void)job_free(job);
	control_packet_done(packet);
	free(packet);
	return r;
}

static void a_payload_in_memory_must_be_sealed_and_of_its_size(void **state)
{
	int open_fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int small = -1;
	int sealed = -1;
	struct error err = {0};

	(void)state;
	assert_int_equal(fd_write_full(open_fd, PAYLOAD, sizeof(PAYLOAD)), 0);
	assert_int_equal(judge_fd(open_fd), -EBADMSG);
	assert_int_equal(judge_fd(open("/dev/null", O_RDONLY | O_CLOEXEC)), -EBADMSG);
	assert_int_equal(fd_sealed("test", PAYLOAD, sizeof(PAYLOAD) - 1, &small, &err), 0);
	assert_int_equal(judge_fd(small), -EBADMSG);
	assert_int_equal(fd_sealed("test", PAYLOAD, sizeof(PAYLOAD), &sealed, &err), 0);
	assert_int_equal(judge_fd(sealed), 0);
}

static void without_path_there_is_a_default(void **state)
{
	const struct control_spawn spawn = {.payload = 4, .argc = 1, .umask = 022};
	struct control_packet *packet = make_packet(&spawn, "/\0x", 4);
	struct job *job = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(job_new(packet, &job, &err), 0);
	assert_string_equal(job->search, "/usr/local/bin:/usr/bin:/bin");
	(void)job_free(job);
	free(packet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_becomes_vectors),
		cmocka_unit_test(wrong_counts_and_sizes_are_refused),
		cmocka_unit_test(unknown_fields_are_refused),
		cmocka_unit_test(missing_descriptors_are_refused),
		cmocka_unit_test(a_payload_in_memory_must_be_sealed_and_of_its_size),
		cmocka_unit_test(without_path_there_is_a_default),
	};

	return cmocka_run_group_tests_name("sandbox/job", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/control.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	int a, b;
	struct control_packet packet;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	if (!f || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	f->a = pair[0];
	f->b = pair[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)fd_close(f->a);
	(void)fd_close(f->b);
	free(f);
	return 0;
}

static void a_packet_arrives_whole(void **state)
{
	struct fixture *f = *state;
	const struct control_signal body = {.signo = 15, .target = CONTROL_TO_WORLD};
	const struct control_message msg = {
		.header = {.kind = CONTROL_SIGNAL, .seq = 42},
		.body = &body,
		.body_size = sizeof(body),
		.payload = "/path",
		.payload_size = 6,
	};
	struct error err = {0};

	assert_int_equal(control_send(f->a, &msg, &err), 0);
	assert_int_equal(control_recv(f->b, &f->packet, &err), 1);
	assert_int_equal(f->packet.header.kind, CONTROL_SIGNAL);
	assert_int_equal(f->packet.header.seq, 42);
	assert_int_equal(f->packet.size, sizeof(body) + 6);
	assert_memory_equal(f->packet.data, &body, sizeof(body));
	assert_string_equal(f->packet.data + sizeof(body), "/path");
	assert_int_equal(f->packet.nfds, 0);
}

static void nothing_to_receive_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_int_equal(control_recv(f->b, &f->packet, &err), 0);
	assert_int_equal(err.code, 0);
}

static void a_peer_that_is_gone_is_told(void **state)
{
	struct fixture *f = *state;
	const struct control_message msg = {.header = {.kind = CONTROL_LIST}};
	struct error err = {0};

	assert_int_equal(control_send(f->b, &msg, &err), 0); // unread: the end looks like a reset
	f->a = fd_close(f->a);
	assert_int_equal(control_recv(f->b, &f->packet, &err), -EPIPE);
	assert_int_equal(control_send(f->b, &msg, &err), -EPIPE);
}

static void descriptors_travel_and_close_on_exec(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int fds[] = {null, null, f->a};
	const struct control_message msg = {
		.header = {.kind = CONTROL_GO},
		.fds = fds,
		.nfds = 3,
	};
	struct stat sent, got;
	struct error err = {0};

	assert_int_equal(control_send(f->a, &msg, &err), 0);
	assert_int_equal(control_recv(f->b, &f->packet, &err), 1);
	assert_int_equal(f->packet.nfds, 3);
	assert_int_equal(fstat(null, &sent), 0);
	assert_int_equal(fstat(f->packet.fds[1], &got), 0);
	assert_int_equal(sent.st_rdev, got.st_rdev);
	assert_int_equal(fcntl(f->packet.fds[2], F_GETFD), FD_CLOEXEC);
	assert_int_equal(f->packet.fds[3], -1);

	int first = f->packet.fds[0];

	control_packet_done(&f->packet);
	assert_int_equal(f->packet.nfds, 0);
	assert_int_equal(fcntl(first, F_GETFD), -1);
}

static void too_many_descriptors_are_not_sent(void **state)
{
	struct fixture *f = *state;
	const int fds[CONTROL_FDS_MAX + 1] = {0};
	const struct control_message msg = {.fds = fds, .nfds = CONTROL_FDS_MAX + 1};
	struct error err = {0};

	assert_int_equal(control_send(f->a, &msg, &err), -EMSGSIZE);
}

static void the_largest_packet_passes_and_a_larger_does_not(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *data = calloc(1, CONTROL_PACKET_MAX + 1);
	struct control_message msg = {.payload = data, .payload_size = CONTROL_PACKET_MAX};
	struct error err = {0};

	assert_int_equal(control_send(f->a, &msg, &err), 0);
	assert_int_equal(control_recv(f->b, &f->packet, &err), 1);
	assert_int_equal(f->packet.size, CONTROL_PACKET_MAX);
	msg.payload_size++;
	assert_int_equal(control_send(f->a, &msg, &err), -EMSGSIZE);
}

static void a_cut_packet_is_refused_and_leaks_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *data = calloc(1, CONTROL_PACKET_MAX + 64);
	struct error err = {0};

	assert_int_equal(send(f->a, "abc", 3, 0), 3);
	assert_int_equal(control_recv(f->b, &f->packet, &err), -EBADMSG);
	assert_int_equal(send(f->a, data, CONTROL_PACKET_MAX + 64, 0), CONTROL_PACKET_MAX + 64);
	assert_int_equal(control_recv(f->b, &f->packet, &err), -EBADMSG);
	assert_int_equal(f->packet.nfds, 0);
}

static void a_peer_that_does_not_read_gives_eagain(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *data = calloc(1, 4096);
	const struct control_message msg = {.payload = data, .payload_size = 4096};
	struct error err = {0};
	int r = 0;

	for (int i = 0; i < 100000 && r == 0; i++)
		r = control_send(f->a, &msg, &err);
	assert_int_equal(r, -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_packet_arrives_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_receive_is_no_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_is_gone_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_travel_and_close_on_exec, setup,
						teardown),
		cmocka_unit_test_setup_teardown(too_many_descriptors_are_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_packet_passes_and_a_larger_does_not,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_cut_packet_is_refused_and_leaks_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_read_gives_eagain, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("sandbox/control", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/** The packets between daemon and init. */
#include "sandbox/control.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

/** Room for the descriptors of one packet. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
};

/** A pointer as struct iovec wants it; sendmsg() only reads. */
static void *writable(const void *data)
{
	void *ret;

	memcpy(&ret, &data, sizeof(ret));
	return ret;
}

static void attach_fds(struct msghdr *head, union ancillary *room, const int *fds, size_t nfds)
{
	if (nfds == 0)
		return;
	memset(room, 0, sizeof(*room));
	head->msg_control = room->bytes;
	head->msg_controllen = CMSG_SPACE(sizeof(int) * nfds);

	struct cmsghdr *cmsg = CMSG_FIRSTHDR(head);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
}

int control_send(int fd, const struct control_message *msg, struct error *err)
{
	struct control_header header = msg->header;
	union ancillary room;
	struct iovec parts[] = {
		{&header, sizeof(header)},
		{writable(msg->body), msg->body_size},
		{writable(msg->payload), msg->payload_size},
	};
	struct msghdr head = {.msg_iov = parts, .msg_iovlen = ARRAY_LEN(parts)};

	if (msg->nfds > CONTROL_FDS_MAX || msg->body_size > CONTROL_PACKET_MAX ||
	    msg->payload_size > CONTROL_PACKET_MAX - msg->body_size)
		return error_set(err, EMSGSIZE, "a control packet is too large");
	attach_fds(&head, &room, msg->fds, msg->nfds);

	ssize_t n;

	do
		n = sendmsg(fd, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "send to the control socket");
	return 0;
}

/** Take the descriptors of a received packet; too many of them, or cut off: false. */
static bool take_fds(struct msghdr *head, struct control_packet *packet)
{
	bool whole = !(head->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;

		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (packet->nfds < CONTROL_FDS_MAX)
				packet->fds[packet->nfds++] = fd;
			else
				whole = fd_close(fd) >= 0; // false
		}
	}
	return whole;
}

int control_recv(int fd, struct control_packet *packet, struct error *err)
{
	union ancillary room;
	struct iovec parts[] = {
		{&packet->header, sizeof(packet->header)},
		{packet->data, sizeof(packet->data)},
	};
	struct msghdr head = {
		.msg_iov = parts,
		.msg_iovlen = ARRAY_LEN(parts),
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	ssize_t n;

	packet->size = 0;
	packet->nfds = 0;
	for (size_t i = 0; i < CONTROL_FDS_MAX; i++)
		packet->fds[i] = -1;
	do
		n = recvmsg(fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	// A peer that ended with packets unread counts as a reset, which is no other thing.
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return error_set(err, EPIPE, "the other side of the control socket is gone");
	if (n < 0)
		return error_errno(err, "receive from the control socket");

	bool whole = take_fds(&head, packet);

	if (!whole || (head.msg_flags & MSG_TRUNC) || (size_t)n < sizeof(packet->header)) {
		control_packet_done(packet);
		return error_set(err, EBADMSG, "a control packet is cut off");
	}
	packet->size = (uint32_t)((size_t)n - sizeof(packet->header));
	return 1;
}

void control_packet_done(struct control_packet *packet)
{
	for (size_t i = 0; i < packet->nfds && i < CONTROL_FDS_MAX; i++)
		packet->fds[i] = fd_close(packet->fds[i]);
	packet->nfds = 0;
}

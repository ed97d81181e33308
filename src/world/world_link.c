// SPDX-License-Identifier: Apache-2.0
/** The control socket of a world: what does not fit waits here, in order. */
#include "world/world_link.h"

#include "base/error.h"
#include "base/fd.h"
#include "sandbox/control.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

/** So many packets may wait; beyond that init is taken for stuck. */
#define QUEUE_MAX 1024

struct world_link_packet {
	struct world_link_packet *next;
	struct control_header header;
	size_t body_size, payload_size;
	size_t nfds;
	int fds[CONTROL_FDS_MAX]; /**< Owned. */
	char data[];              /**< Body, then payload. */
};

static struct world_link_packet *packet_free(struct world_link_packet *packet)
{
	if (!packet)
		return NULL;
	for (size_t i = 0; i < packet->nfds; i++)
		packet->fds[i] = fd_close(packet->fds[i]);
	free(packet);
	return NULL;
}
DEFINE_AUTO(struct world_link_packet *, packet_free)

/** A copy of msg that owns duplicates of its descriptors. */
static int packet_new(const struct control_message *msg, struct world_link_packet **ret,
		      struct error *err)
{
	AUTO(packet_free)
	struct world_link_packet *packet =
		calloc(1, sizeof(*packet) + msg->body_size + msg->payload_size);

	if (!packet)
		return error_oom(err);
	if (msg->nfds > CONTROL_FDS_MAX)
		return error_set(err, EINVAL, "too many descriptors for one packet");
	packet->header = msg->header;
	packet->body_size = msg->body_size;
	packet->payload_size = msg->payload_size;
	if (msg->body_size > 0)
		memcpy(packet->data, msg->body, msg->body_size);
	if (msg->payload_size > 0)
		memcpy(packet->data + msg->body_size, msg->payload, msg->payload_size);
	for (size_t i = 0; i < msg->nfds; i++) {
		packet->fds[i] = fcntl(msg->fds[i], F_DUPFD_CLOEXEC, 3);
		if (packet->fds[i] < 0)
			return error_errno(err, "duplicate a descriptor");
		packet->nfds++;
	}
	*ret = TAKE_PTR(packet);
	return 0;
}

int world_link_open(struct world_link *link, struct loop *loop, int fd, loop_fn *fn,
		    struct error *err)
{
	int r = loop_add(loop, &link->source, fd, EPOLLIN, fn, err);

	if (r < 0)
		return r;
	link->fd = fd;
	link->tail = &link->first;
	return 0;
}

void world_link_close(struct world_link *link)
{
	loop_remove(&link->source);
	link->fd = -1;
	while (link->first) {
		struct world_link_packet *packet = link->first;

		link->first = packet->next;
		(void)packet_free(packet);
	}
	link->tail = &link->first;
	link->queued = 0;
}

static int enqueue(struct world_link *link, const struct control_message *msg, struct error *err)
{
	struct world_link_packet *packet = NULL;

	if (link->queued >= QUEUE_MAX)
		return error_set(err, ENOBUFS, "the world does not answer");

	int r = packet_new(msg, &packet, err);

	if (r < 0)
		return r;
	*link->tail = packet;
	link->tail = &packet->next;
	link->queued++;
	loop_modify(&link->source, EPOLLIN | EPOLLOUT);
	return 0;
}

int world_link_send(struct world_link *link, const struct control_message *msg, struct error *err)
{
	if (link->fd < 0)
		return error_set(err, EPIPE, "the world has ended");
	if (link->first)
		return enqueue(link, msg, err);

	int r = control_send(link->fd, msg, err);

	return r == -EAGAIN ? enqueue(link, msg, err) : r;
}

int world_link_flush(struct world_link *link, struct error *err)
{
	while (link->first) {
		struct world_link_packet *packet = link->first;
		const struct control_message msg = {
			.header = packet->header,
			.body = packet->data,
			.body_size = packet->body_size,
			.payload = packet->data + packet->body_size,
			.payload_size = packet->payload_size,
			.fds = packet->fds,
			.nfds = packet->nfds,
		};
		int r = control_send(link->fd, &msg, err);

		if (r == -EAGAIN)
			return 0;
		link->first = packet->next;
		if (!link->first)
			link->tail = &link->first;
		link->queued--;
		(void)packet_free(packet);
		if (r < 0)
			return r;
	}
	loop_modify(&link->source, EPOLLIN);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/** Sending to the daemon. */
#include "base/error.h"
#include "sandbox/init_priv.h"

#include <errno.h>
#include <poll.h>

int answering_send_with(struct init *init, const struct control_message *msg, struct error *err)
{
	for (;;) {
		int r = control_send(init->control, msg, err);

		if (r != -EAGAIN)
			return r;

		// A daemon that is stopped holds its worlds up; one that dies ends the wait.
		struct pollfd wait = {.fd = init->control, .events = POLLOUT};

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return error_errno(err, "wait for the daemon");
	}
}

int answering_send(struct init *init, enum control_kind kind, uint32_t seq,
		   const struct answering_body *body, struct error *err)
{
	const struct control_message msg = {
		.header = {.kind = (uint32_t)kind, .seq = seq},
		.body = body->data,
		.body_size = body->size,
	};

	return answering_send_with(init, &msg, err);
}

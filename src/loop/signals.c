// SPDX-License-Identifier: Apache-2.0
/** Signals as events.  One signal is read per callback, so fn may close or free everything. */
#include "loop/signals.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int on_signal(struct loop_source *src, uint32_t events, struct error *err)
{
	struct signals *signals = container_of(src, struct signals, source);
	struct signalfd_siginfo info;
	ssize_t n = read(signals->fd, &info, sizeof(info));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return error_errno(err, "read signalfd");
	if (n != (ssize_t)sizeof(info))
		return error_set(err, EPROTO, "signalfd returned %zd bytes", n);
	signals->fn(signals, (int)info.ssi_signo);
	return 0;
}

int signals_open(struct signals *signals, struct loop *loop, const sigset_t *set,
		 void (*fn)(struct signals *signals, int signo), struct error *err)
{
	// Blocked first: a signal that arrives in between stays pending for the signalfd.
	if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
		return error_errno(err, "sigprocmask");

	AUTO(fd_close) int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return error_errno(err, "signalfd");

	int r = loop_add(loop, &signals->source, fd, EPOLLIN, on_signal, err);

	if (r < 0)
		return r;
	signals->fd = TAKE_FD(fd);
	signals->fn = fn;
	return 0;
}

void signals_close(struct signals *signals)
{
	if (!signals->source.loop)
		return;
	loop_remove(&signals->source);
	signals->fd = fd_close(signals->fd);
}

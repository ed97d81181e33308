// SPDX-License-Identifier: Apache-2.0
/** A signalfd. */
#include "cli/forward.h"

#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
static const int of_terminals[] = {SIGWINCH, SIGCONT, SIGTSTP};

int forward_open(bool terminal, int *ret_fd, struct error *err)
{
	sigset_t set, blocked;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	for (size_t i = 0; terminal && i < ARRAY_LEN(of_terminals); i++)
		sigaddset(&set, of_terminals[i]);
	blocked = set;
	sigaddset(&blocked, SIGPIPE);
	sigaddset(&blocked, SIGTTIN);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
		return error_errno(err, "sigprocmask");

	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_errno(err, "signalfd");
	*ret_fd = fd;
	return 0;
}

/** Blocked signals are queued even when they are ignored, so the question is asked here. */
static bool is_ignored(int signo)
{
	struct sigaction action;

	return sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int forward_next(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (!is_ignored((int)info.ssi_signo))
			return (int)info.ssi_signo;
	}
	return 0;
}

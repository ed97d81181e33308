// SPDX-License-Identifier: Apache-2.0
/**
 * termios.  A process in the background that changes its terminal is stopped by SIGTTOU, or, with
 * that blocked, disturbs whoever is in the foreground: so it is asked first.
 */
#include "cli/window.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_DEFAULT 24
#define COLS_DEFAULT 80
#define SIZE_MAX_TAKEN 9999

bool window_has_all(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static unsigned bounded(unsigned value, unsigned fallback)
{
	return value == 0 ? fallback : value > SIZE_MAX_TAKEN ? SIZE_MAX_TAKEN : value;
}

void window_size(unsigned *ret_rows, unsigned *ret_cols)
{
	struct winsize size = {0};

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*ret_rows = bounded(size.ws_row, ROWS_DEFAULT);
	*ret_cols = bounded(size.ws_col, COLS_DEFAULT);
}

static bool in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void window_enter(struct window *window)
{
	struct termios raw;

	if (!in_foreground())
		return;
	if (!window->known && tcgetattr(STDIN_FILENO, &window->saved) < 0)
		return;
	window->known = true;
	raw = window->saved;
	cfmakeraw(&raw);
	window->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void window_leave(struct window *window)
{
	if (window->raw && in_foreground())
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &window->saved);
	window->raw = false;
}

void window_stop(struct window *window)
{
	sigset_t set;
	sigset_t old;

	window_leave(window);
	// The kernel drops a SIGTSTP where no shell could continue us.  It is blocked until here.
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	(void)kill(0, SIGTSTP);
	(void)sigprocmask(SIG_UNBLOCK, &set, &old);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

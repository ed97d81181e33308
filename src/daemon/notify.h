// SPDX-License-Identifier: Apache-2.0
/** Tell the starter that the daemon is ready: systemd's notification socket, or a pipe. */
#pragma once

/** Send "READY=1" (or another state) to $NOTIFY_SOCKET when there is one (sd_notify(3)). */
void notify_systemd(const char *state);

/** Write one line to the pipe that `--ready-fd` named and close it; -1 is fine. */
void notify_starter(int fd, const char *line);

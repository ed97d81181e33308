// SPDX-License-Identifier: Apache-2.0
#include <sys/epoll.h>

int ground_wait(void);

int ground_wait(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

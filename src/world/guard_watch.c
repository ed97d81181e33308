// SPDX-License-Identifier: Apache-2.0
/** inotify: one watch an inode, so subscribers of one directory share a node. */
#include "world/guard_watch.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#define BATCH_SIZE 8192
/** So many batches are read in one go; whoever makes more events has lost some of them. */
#define DRAIN_MAX 256

struct guard_watch_node {
	struct guard_watch_node *next;
	int wd; /**< -1: the kernel dropped it, the directory is gone. */
	uint32_t mask;
	struct guard_watch_sub *subs;
};

struct guard_watch {
	const struct guard_watch_ops *ops;
	void *owner;
	int fd;
	struct loop_source source;
	struct guard_watch_node *nodes;
};

static void tell_node(struct guard_watch_node *node, const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : "";

	for (struct guard_watch_sub *sub = node->subs; sub; sub = sub->next) {
		if (event->mask & (sub->mask | IN_IGNORED))
			sub->event(sub, event->mask, name);
	}
	if (event->mask & IN_IGNORED)
		node->wd = -1;
}

static void tell(struct guard_watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		watch->ops->overflow(watch->owner);
		return;
	}
	for (struct guard_watch_node *node = watch->nodes; node; node = node->next) {
		if (node->wd == event->wd) {
			tell_node(node, event);
			return;
		}
	}
}

/** Tell one batch.  False: there is none. */
static bool tell_batch(struct guard_watch *watch)
{
	alignas(struct inotify_event) char batch[BATCH_SIZE];
	ssize_t n = read(watch->fd, batch, sizeof(batch));

	for (char *at = batch; n > 0 && at < batch + n;) {
		const struct inotify_event *event = (const struct inotify_event *)(void *)at;

		tell(watch, event);
		at += sizeof(*event) + event->len;
	}
	return n > 0;
}

static int on_events(struct loop_source *src, uint32_t events, struct error *err)
{
	struct guard_watch *watch = container_of(src, struct guard_watch, source);

	(void)events;
	(void)err;
	if (tell_batch(watch))
		watch->ops->settled(watch->owner);
	return 0;
}

int guard_watch_new(struct loop *loop, const struct guard_watch_ops *ops, void *owner,
		    struct guard_watch **ret, struct error *err)
{
	struct guard_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return error_oom(err);
	watch->ops = ops;
	watch->owner = owner;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = watch->fd < 0 ? error_errno(err, "inotify_init1")
			  : loop_add(loop, &watch->source, watch->fd, EPOLLIN, on_events, err);
	if (r < 0) {
		(void)guard_watch_free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}

struct guard_watch *guard_watch_free(struct guard_watch *watch)
{
	if (!watch)
		return NULL;
	loop_remove(&watch->source);
	watch->fd = fd_close(watch->fd);
	while (watch->nodes) {
		struct guard_watch_node *node = watch->nodes;

		watch->nodes = node->next;
		free(node);
	}
	free(watch);
	return NULL;
}

static struct guard_watch_node *node_for(struct guard_watch *watch, int wd)
{
	struct guard_watch_node *node = watch->nodes;

	while (node && node->wd != wd)
		node = node->next;
	if (node)
		return node;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->wd = wd;
	node->next = watch->nodes;
	watch->nodes = node;
	return node;
}

int guard_watch_add(struct guard_watch *watch, struct guard_watch_sub *sub, int dirfd,
		    uint32_t mask,
		    void (*event)(struct guard_watch_sub *sub, uint32_t mask, const char *name),
		    struct error *err)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	// By descriptor: the name of the directory may lead elsewhere by this time.
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);

	int wd = inotify_add_watch(watch->fd, path,
				   mask | IN_ONLYDIR | IN_MASK_ADD | IN_EXCL_UNLINK);

	if (wd < 0)
		return error_errno(err, "watch a directory");

	struct guard_watch_node *node = node_for(watch, wd);

	if (!node)
		return error_oom(err);
	node->mask |= mask;
	sub->node = node;
	sub->mask = mask;
	sub->event = event;
	sub->next = node->subs;
	node->subs = sub;
	return 0;
}

void guard_watch_remove(struct guard_watch *watch, struct guard_watch_sub *sub)
{
	struct guard_watch_node *node = sub->node;

	if (!node)
		return;

	struct guard_watch_sub **link = &node->subs;

	while (*link != sub)
		link = &(*link)->next;
	*link = sub->next;
	sub->node = NULL;
	if (node->subs)
		return;
	if (node->wd >= 0)
		(void)inotify_rm_watch(watch->fd, node->wd);

	struct guard_watch_node **at = &watch->nodes;

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	free(node);
}

void guard_watch_drain(struct guard_watch *watch)
{
	int batches = 0;

	while (batches < DRAIN_MAX && tell_batch(watch))
		batches++;
	if (batches == DRAIN_MAX)
		watch->ops->overflow(watch->owner);
	if (batches > 0)
		watch->ops->settled(watch->owner);
}

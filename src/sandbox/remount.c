// SPDX-License-Identifier: Apache-2.0
/** CONTROL_CHECK and CONTROL_MOUNT: mounts in a living world. */
#include "base/compiler.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/init_priv.h"
#include "sandbox/mounting_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define MOUNT_FLAGS \
	(PLAN_RW | PLAN_RECURSIVE | PLAN_DEV | PLAN_NOEXEC | PLAN_WATCH | PLAN_OPTIONAL | PLAN_MAKE)

/** Where gaps are reported. */
struct gaps {
	struct init *init;
	struct error *err;
	int result; /**< Of sending. */
};

static void report_gap(const char *path, void *owner)
{
	struct gaps *gaps = owner;
	const struct control_message msg = {
		.header = {.kind = CONTROL_GAP},
		.payload = path,
		.payload_size = strlen(path) + 1,
	};

	if (gaps->result == 0)
		gaps->result = answering_send_with(gaps->init, &msg, gaps->err);
}

static int answer_checked(struct init *init, int code, uint32_t gaps, struct error *err)
{
	const struct control_checked body = {.error = code, .gaps = gaps};

	return answering_send(init, CONTROL_CHECKED, init->packet.header.seq,
			      &(struct answering_body){&body, sizeof(body)}, err);
}

int remount_check(struct init *init, struct error *err)
{
	struct gaps gaps = {.init = init, .err = err};
	struct watch_result result = watch_check(&init->watches, init->root, report_gap, &gaps);

	if (gaps.result < 0)
		return gaps.result;
	return answer_checked(init, result.code, result.gaps, err);
}

int remount_before_spawn(struct init *init, struct error *err)
{
	struct gaps gaps = {.init = init, .err = err};
	struct watch_result result = watch_check(&init->watches, init->root, report_gap, &gaps);

	return gaps.result < 0 ? gaps.result : result.code;
}

/** Take away what is mounted exactly at the path, when it is of the same type as the tree. */
static int detach_old(struct init *init, const char *path, int tree)
{
	AUTO(mem_free) char *parent_path = path_parent(path);
	struct statx old;
	struct stat new;

	if (!parent_path)
		return -ENOMEM;

	AUTO(fd_close) int fd = fd_open_beneath(init->root, path + 1, O_PATH, 0);

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &old) < 0 || fstat(tree, &new) < 0)
		return -errno;
	// Else it could not be attached, and the old one would be gone.
	if (S_ISDIR(old.stx_mode) != S_ISDIR(new.st_mode))
		return S_ISDIR(new.st_mode) ? -ENOTDIR : -EISDIR;
	if (!(old.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;

	const char *below = parent_path[1] ? parent_path + 1 : ".";
	AUTO(fd_close) int parent = fd_open_beneath(init->root, below, O_PATH | O_DIRECTORY, 0);

	return parent < 0 || mounting_detach(parent, path_base(path)) < 0 ? -errno : 0;
}

/** Replace the mount at path by `tree`.  0 or -errno. */
static int replace(struct init *init, const char *path, int tree, uint32_t flags)
{
	struct error ignored = {0};

	// While it is detached: it is never seen with more rights than it shall have.
	if (mounting_narrow(tree, mounting_attrs(flags), true) < 0)
		return -errno;

	int r = detach_old(init, path, tree);

	if (r < 0)
		return r;

	AUTO(fd_close) int target = fd_open_beneath(init->root, path + 1, O_PATH, 0);

	if (target < 0 || mounting_attach(tree, target) < 0)
		return -errno;
	return watch_replace(&init->watches, path, tree, &ignored);
}

int remount_tree(struct init *init, struct error *err)
{
	struct control_mount body;
	const struct control_packet *packet = &init->packet;
	const char *path = packet->data + sizeof(body);

	if (packet->size < sizeof(body) + 3 || packet->nfds != 1 ||
	    packet->data[packet->size - 1] != '\0')
		return error_set(err, EBADMSG, "a mount packet has a wrong size");
	memcpy(&body, packet->data, sizeof(body));
	if (body.zero || body.flags & ~(uint32_t)MOUNT_FLAGS || strlen(path) >= PATH_MAX ||
	    !path_is_clean(path) || path[1] == '\0')
		return error_set(err, EBADMSG, "a mount packet has wrong flags or a wrong path");
	return answer_checked(init, -replace(init, path, packet->fds[0], body.flags), 0, err);
}

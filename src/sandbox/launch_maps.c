// SPDX-License-Identifier: Apache-2.0
/**
 * The id maps of a world: always identity, so a file has the owner it looks like.
 *
 * How it works: root maps every range that its own namespace has.  Anybody else may map only
 * themselves, and must give up setgroups() for the group.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "sandbox/launch_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAP_BYTES_MAX 65536U /**< The kernel takes 340 lines at most. */

static int write_proc(int proc, const char *name, const char *text, size_t len, struct error *err)
{
	AUTO(fd_close) int fd = openat(proc, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return error_errno(err, "open %s of substrate-init", name);
	// The kernel takes a map in one write or not at all.
	if (write(fd, text, len) != (ssize_t)len)
		return error_errno(err, "write %s of substrate-init", name);
	return 0;
}

/** The ranges of our own map as an identity map: "inside inside count" a line. */
static int own_ranges(const char *path, struct buf *ret, struct error *err)
{
	AUTO(mem_free) char *text = NULL;
	size_t len = 0;
	int r = fd_read_file(AT_FDCWD, path, MAP_BYTES_MAX, &text, &len, err);

	if (r < 0)
		return r;
	for (char *line = text; line && *line;) {
		unsigned long inside, outside, count;
		char *end = strchr(line, '\n');

		// NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers.
		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) != 3)
			return error_set(err, EPROTO, "%s cannot be read", path);
		buf_addf(ret, "%lu %lu %lu\n", inside, inside, count);
		line = end ? end + 1 : NULL;
	}
	return ret->failed ? error_oom(err) : 0;
}

static int map_ranges(int proc, struct error *err)
{
	AUTO(buf_done) struct buf uids = {0};
	AUTO(buf_done) struct buf gids = {0};
	int r = own_ranges("/proc/self/uid_map", &uids, err);

	if (r == 0)
		r = own_ranges("/proc/self/gid_map", &gids, err);
	if (r == 0)
		r = write_proc(proc, "gid_map", gids.data, gids.len, err);
	return r < 0 ? r : write_proc(proc, "uid_map", uids.data, uids.len, err);
}

static int map_self(int proc, struct error *err)
{
	char uids[64];
	char gids[64];
	int uid_len = snprintf(uids, sizeof(uids), "%u %u 1", geteuid(), geteuid());
	int gid_len = snprintf(gids, sizeof(gids), "%u %u 1", getegid(), getegid());
	int r = write_proc(proc, "setgroups", "deny", 4, err);

	if (r == 0)
		r = write_proc(proc, "gid_map", gids, (size_t)gid_len, err);
	return r < 0 ? r : write_proc(proc, "uid_map", uids, (size_t)uid_len, err);
}

int launch_maps_write(pid_t pid, struct error *err)
{
	char path[32];
	int r = -EPERM;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);

	AUTO(fd_close) int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return error_errno(err, "open %s", path);
	// Root without CAP_SETUID, as some containers have it, can map only itself.
	if (geteuid() == 0)
		r = map_ranges(proc, err);
	return r == -EPERM ? map_self(proc, err) : r;
}

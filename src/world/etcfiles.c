// SPDX-License-Identifier: Apache-2.0
/**
 * A file of the world's own cannot be made in a tree that is bound, so it is made in /run and
 * bound over the host's.  When the host's is a symlink into /run, which is the world's own, it
 * is made where the link points.
 */
#include "world/etcfiles.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "world/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64u << 10)
#define STORE "/run/substrate/etc"

static const struct {
	const char *name, *text;
} generated[] = {
	{"resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\n"},
	{"hosts", "127.0.0.1 localhost " OWN_HOSTNAME "\n::1 localhost ip6-localhost\n"},
	{"nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
			  "networks: files\nprotocols: files\nservices: files\nethers: files\n"
			  "rpc: files\n"},
};

static void add_file(struct view *view, const char *path, const void *data, size_t len)
{
	plan_add(view->plan, &(struct plan_step){
				     .kind = PLAN_FILE,
				     .path = path,
				     .data = data,
				     .data_len = len,
				     .mode = 0644,
			     });
}

/** Where a symlink in /etc points, when that is in /run.  Caller frees. */
static char *target_in_run(const char *path)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	char *clean;

	if (n <= 0)
		return NULL;
	text[n] = '\0';

	AUTO(mem_free) char *parent = path_parent(path);
	AUTO(mem_free) char *joined = parent ? path_join(parent, text) : NULL;

	clean = joined ? path_clean(joined) : NULL;
	if (clean && path_below(clean, "/run"))
		return clean;
	free(clean);
	return NULL;
}

/** Put one file over the host's `path`. */
static int cover(struct view *view, const char *path, const void *data, size_t len,
		 struct error *err)
{
	AUTO(mem_free) char *target = target_in_run(path);
	AUTO(mem_free) char *made = str_format("%s%s", STORE, path);
	AUTO(mem_free) char *parent = made ? path_parent(target ? target : made) : NULL;
	struct stat st;
	int r = parent ? view_make_dirs(view, "/run", parent, err) : error_oom(err);

	if (r < 0)
		return r;
	add_file(view, target ? target : made, data, len);
	if (target || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	plan_add(view->plan, &(struct plan_step){
				     .kind = PLAN_BIND,
				     .flags = PLAN_INSIDE | PLAN_WATCH | PLAN_OPTIONAL,
				     .path = path,
				     .source = made,
			     });
	return 0;
}

/** ssh refuses system configuration that belongs to nobody, as all of it does in a user world. */
static int cover_copy(struct view *view, const char *path, struct error *err)
{
	AUTO(mem_free) char *text = NULL;
	struct error ignored = {0};
	size_t len = 0;

	if (fd_read_file(AT_FDCWD, path, FILE_MAX, &text, &len, &ignored) < 0 || len == 0)
		return 0;
	return cover(view, path, text, len, err);
}

static int cover_ssh(struct view *view, struct error *err)
{
	const char *const drop_ins = "/etc/ssh/ssh_config.d";
	int r = cover_copy(view, "/etc/ssh/ssh_config", err);
	DIR *dir = opendir(drop_ins);
	const struct dirent *entry;

	while (r == 0 && dir && (entry = readdir(dir))) {
		AUTO(mem_free) char *path = path_join(drop_ins, entry->d_name);

		if (str_ends(entry->d_name, ".conf"))
			r = path ? cover_copy(view, path, err) : error_oom(err);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

int etcfiles_emit(struct view *view, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(generated); i++) {
		AUTO(mem_free) char *path = path_join("/etc", generated[i].name);

		r = path ? cover(view, path, generated[i].text, strlen(generated[i].text), err)
			 : error_oom(err);
	}
	if (r == 0 && view->spec->user.uid != 0)
		r = cover_ssh(view, err);
	return r;
}

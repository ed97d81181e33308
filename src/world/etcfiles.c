// SPDX-License-Identifier: Apache-2.0
/**
 * How it works.  In a world of root's, /etc is made file by file, so these are just other files.
 * In a user's world /etc is one bind: the file is made in /run/substrate/etc and bound over the
 * host's, which init re-checks, because such a mount is lost when the host replaces the file.
 *
 * The host's name may be a symlink.  One that leads into /run, as /etc/resolv.conf often does,
 * finds the file made there; another one is followed, and the bind lies over its target.
 */
#include "world/etcfiles.h"

#include "base/error.h"
#include "base/path.h"
#include "world/making.h"
#include "world/own.h"

#include <errno.h>

#define SSH_BYTES_MAX (64u << 10)
#define SSH_FILES_MAX 64

static const struct {
	const char *path, *text;
} generated[] = {
	{"/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\n"},
	{"/etc/hosts", "127.0.0.1\tlocalhost " MAKING_HOSTNAME "\n"
		       "::1\tlocalhost ip6-localhost ip6-loopback\n"},
	{"/etc/nsswitch.conf", "passwd:\tfiles\ngroup:\tfiles\nshadow:\tfiles\ngshadow:\tfiles\n"
			       "hosts:\tfiles dns\nnetworks:\tfiles\nprotocols:\tfiles\n"
			       "services:\tfiles\nethers:\tfiles\nrpc:\tfiles\n"},
};

/** In a world of root's /etc has copies, and the host's files are left out. */
static bool is_made(const struct making *m)
{
	const struct mark *etc = marks_find(m->marks, "/etc");

	return etc && (etc->bits & MARK_COPY);
}

int etcfiles_mark(struct making *m, struct error *err)
{
	struct stat st;

	if (m->spec->user.uid != 0)
		return 0;
	// Without the directory there is nothing to copy.
	if (hostfs_stat(m->host, "/etc", &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (!marks_add(m->marks, "/etc", MARK_COPY))
		return error_oom(err);
	for (size_t i = 0; i < ARRAY_LEN(generated); i++) {
		if (!marks_add(m->marks, generated[i].path, MARK_KEEP))
			return error_oom(err);
	}
	return 0;
}

static void emit_file(struct making *m, const char *path, const char *data, size_t len)
{
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_FILE,
				  .path = path,
				  .data = data,
				  .data_len = len,
				  .mode = 0644,
			  });
}

/** Where a link at path leads when that is below /run; NULL: elsewhere.  Caller frees. */
static char *run_target(const struct making *m, const char *path)
{
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *parent = path_parent(path);

	if (!parent || !making_has(m, PLAN_GUARD_TMP) || hostfs_link(m->host, path, &text) < 0)
		return NULL;

	AUTO(mem_free) char *joined = path_join(parent, text);
	AUTO(mem_free) char *clean = joined ? path_clean(joined) : NULL;

	if (clean && path_below(clean, "/var/run"))
		return strdup(clean + strlen("/var"));
	return clean && path_below(clean, "/run") ? TAKE_PTR(clean) : NULL;
}

/** Bind a file of the store over `path`, which is real. */
static int cover(struct making *m, const char *path, const char *data, size_t len,
		 struct error *err)
{
	AUTO(mem_free) char *made = path_join(MAKING_STORE, path + 1);
	AUTO(mem_free) char *parent = made ? path_parent(made) : NULL;
	int r = parent ? own_dirs(m, MAKING_STORE, parent, err) : error_oom(err);

	if (r < 0)
		return r;
	emit_file(m, made, data, len);
	plan_add(m->plan, &(struct plan_step){
				  .kind = PLAN_BIND,
				  .flags = PLAN_INSIDE | PLAN_WATCH | PLAN_OPTIONAL,
				  .path = path,
				  .source = made,
			  });
	return 0;
}

/** The file at `path` of the host's shall hold this. */
static int replace(struct making *m, const char *path, const char *data, size_t len,
		   struct error *err)
{
	AUTO(mem_free) char *target = run_target(m, path);
	AUTO(mem_free) char *parent = target ? path_parent(target) : NULL;
	AUTO(mem_free) char *real = NULL;
	int r;

	if (target && !parent)
		return error_oom(err);
	if (parent) {
		r = own_dirs(m, "/run", parent, err);
		emit_file(m, target, data, len);
		return r;
	}
	r = hostfs_real(m->host, path, &real);
	if (r == -ENOMEM)
		return error_oom(err);
	// Nothing to bind over: the host does without this file, and so does the world.
	return r < 0 || marks_state(m->marks, real) != 0 ? 0 : cover(m, real, data, len, err);
}

static int emit_generated(struct making *m, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(generated); i++) {
		const char *text = generated[i].text;

		if (is_made(m))
			emit_file(m, generated[i].path, text, strlen(text));
		else
			r = replace(m, generated[i].path, text, strlen(text), err);
	}
	return r;
}

/** A copy that belongs to the world's user: ssh refuses settings that are nobody's. */
static int copy_ssh(struct making *m, const char *path, struct error *err)
{
	AUTO(mem_free) char *text = NULL;
	AUTO(mem_free) char *real = NULL;
	size_t len;

	if (hostfs_real(m->host, path, &real) < 0 ||
	    hostfs_read(m->host, real, SSH_BYTES_MAX, &text, &len) < 0)
		return 0;
	return marks_state(m->marks, real) != 0 ? 0 : cover(m, real, text, len, err);
}

static int emit_ssh(struct making *m, struct error *err)
{
	static const char drop_ins[] = "/etc/ssh/ssh_config.d";
	AUTO(hostfs_dir_done) struct hostfs_dir list = {0};
	int r = copy_ssh(m, "/etc/ssh/ssh_config", err);

	if (r < 0 || hostfs_list(m->host, drop_ins, SSH_FILES_MAX, &list) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		AUTO(mem_free) char *path = path_join(drop_ins, list.entries[i].name);

		if (str_ends(list.entries[i].name, ".conf"))
			r = path ? copy_ssh(m, path, err) : error_oom(err);
	}
	return r;
}

int etcfiles_emit(struct making *m, struct error *err)
{
	int r = emit_generated(m, err);

	return r == 0 && m->squash ? emit_ssh(m, err) : r;
}

void etcfiles_seal(struct making *m)
{
	// The marker file that says "this is a world" is the world's to see, not to change.
	plan_add(m->plan, &(struct plan_step){.kind = PLAN_SELF, .path = MAKING_STORE});
}

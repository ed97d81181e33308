// SPDX-License-Identifier: Apache-2.0
/**
 * Git configuration that is put back.
 *
 * Must: open without following a symlink or waiting for a FIFO; read a bounded, regular file;
 * write a temporary file of our own in the pinned directory and rename it into place, so that a
 * process which holds the old file open or mapped writes to what nobody reads any more.
 */
#include "world/guard_config.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/random.h"
#include "git/gitconfig.h"
#include "world/aside_tree.h"
#include "world/guard_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#define CONFIG_MASK \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_MODIFY | IN_CLOSE_WRITE)
/** How often a place that does not hold still is cleared. */
#define WRITE_TRIES 3
/** Names of keys in one record. */
#define NAMES_MAX 160
/** Entries that are compared one by one. */
#define ENTRIES_MAX 512U

static void state_done(struct guard_config_state *state)
{
	free(state->text);
	*state = (struct guard_config_state){0};
}

static void state_donep(struct guard_config_state *state)
{
	state_done(state);
}

/* Reading ------------------------------------------------------------------------------ */

static void read_link(int dirfd, const char *name, struct guard_config_state *ret)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	ret->kind = GUARD_CONFIG_STRANGE;
	if (n < 0)
		return;
	target[n] = '\0';
	ret->text = strdup(target);
	ret->len = (size_t)n;
	if (ret->text)
		ret->kind = GUARD_CONFIG_LINK;
}

static void read_text(int dirfd, const char *name, struct guard_config_state *ret)
{
	struct error ignored = {0};

	ret->kind = GUARD_CONFIG_STRANGE;
	if (fd_read_file(dirfd, name, GITCONFIG_SIZE_MAX, &ret->text, &ret->len, &ignored) == 0)
		ret->kind = GUARD_CONFIG_TEXT;
	else if (ignored.code == ENOENT)
		ret->kind = GUARD_CONFIG_ABSENT;
}

/** Note which version of the file was looked at. */
static void note_seen(struct guard_config *config)
{
	struct stat st = {0};

	(void)fstatat(config->dirfd, config->name, &st, AT_SYMLINK_NOFOLLOW);
	config->seen_ino = st.st_ino;
	config->seen_mtime = st.st_mtim;
	config->seen_ctime = st.st_ctim;
}

static bool time_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool was_seen(const struct guard_config *config)
{
	struct stat st = {0};

	(void)fstatat(config->dirfd, config->name, &st, AT_SYMLINK_NOFOLLOW);
	return st.st_ino == config->seen_ino && time_same(&st.st_mtim, &config->seen_mtime) &&
	       time_same(&st.st_ctim, &config->seen_ctime);
}

static void read_state(const struct guard_config *config, struct guard_config_state *ret)
{
	struct stat st;

	if (fstatat(config->dirfd, config->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		ret->kind = errno == ENOENT ? GUARD_CONFIG_ABSENT : GUARD_CONFIG_STRANGE;
		return;
	}
	ret->mode = st.st_mode & 0777U;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	if (S_ISREG(st.st_mode))
		read_text(config->dirfd, config->name, ret);
	else if (S_ISLNK(st.st_mode))
		read_link(config->dirfd, config->name, ret);
	else
		ret->kind = GUARD_CONFIG_STRANGE;
}

static bool state_same(const struct guard_config_state *a, const struct guard_config_state *b)
{
	return a->kind == b->kind && a->kind != GUARD_CONFIG_STRANGE && a->len == b->len &&
	       (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

static void take_state(struct guard_config *config, struct guard_config_state *state)
{
	state_done(&config->before);
	config->before = *state;
	*state = (struct guard_config_state){0};
}

/* Writing ------------------------------------------------------------------------------ */

/** Make the file or link that belongs there, under a temporary name. */
static int make_temp(const struct guard_config *config, const struct guard_config_state *state,
		     const char *temp, struct error *err)
{
	if (state->kind == GUARD_CONFIG_LINK) {
		if (symlinkat(state->text, config->dirfd, temp) < 0)
			return error_errno(err, "make a link beside %s", config->path);
		return 0;
	}

	AUTO(fd_close)
	int fd = openat(config->dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return error_errno(err, "make a file beside %s", config->path);
	// Only root can and need give it to another owner.
	if (geteuid() == 0 && fchown(fd, state->uid, state->gid) < 0)
		return error_errno(err, "chown %s", config->path);
	if (fd_write_full(fd, state->text, state->len) < 0 || fchmod(fd, state->mode) < 0)
		return error_errno(err, "write %s", config->path);
	return 0;
}

/** Clear the place and rename into it; whoever puts a directory there meanwhile loses it too. */
static int replace(struct guard_config *config, struct guard *writer, const char *temp,
		   struct error *err)
{
	for (int i = 0; i < WRITE_TRIES; i++) {
		if (renameat(config->dirfd, temp, config->dirfd, config->name) == 0)
			return 0;
		if (errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			break;
		(void)guard_set_aside(writer, config->dirfd, config->name, config->path,
				      "it stands where git configuration belongs");
	}
	return error_errno(err, "rename to %s", config->path);
}

static int write_state(struct guard_config *config, struct guard *writer,
		       const struct guard_config_state *state, struct error *err)
{
	char temp[48];
	uint64_t number;

	random_fill(&number, sizeof(number));
	(void)snprintf(temp, sizeof(temp), ".substrate-config-%016llx", (unsigned long long)number);

	int mode = aside_tree_unlock(config->dirfd);
	int r = make_temp(config, state, temp, err);

	if (r == 0)
		r = replace(config, writer, temp, err);
	if (r < 0)
		(void)unlinkat(config->dirfd, temp, 0);
	if (mode >= 0 && (mode & 0700) != 0700)
		(void)aside_tree_chmod(config->dirfd, (mode_t)mode);
	return r;
}

/* Judging ------------------------------------------------------------------------------ */

/** "core.fsmonitor, alias.x and 3 more", escaped. */
static char *names_text(const char *verb, const struct strv *names)
{
	AUTO(buf_done) struct buf text = {0};
	size_t i = 0;

	buf_addf(&text, "%s: ", verb);
	for (; i < names->count && text.len < NAMES_MAX; i++) {
		AUTO(mem_free)
		char *name = str_escape(names->items[i], strlen(names->items[i]), NAMES_MAX);

		buf_addf(&text, "%s%s", i > 0 ? ", " : "", name ? name : "?");
	}
	if (i < names->count)
		buf_addf(&text, " and %zu more", names->count - i);
	return buf_take(&text);
}

/** Keep what the world wrote, write what belongs there, tell. */
static void put_back(struct guard_config *config, struct guard *writer,
		     const struct guard_config_state *now, struct guard_config_state *right,
		     const char *what)
{
	AUTO(aside_result_done) struct aside_result kept = {0};
	const struct aside_bytes bytes = {.name = config->name, .data = now->text, .len = now->len};
	struct error err = {0};
	int r;

	if (now->kind == GUARD_CONFIG_TEXT)
		(void)aside_keep(writer->aside, guard_span(writer), &bytes, &kept, &err);
	r = write_state(config, writer, right, &err);
	if (r < 0) {
		if (!config->failed)
			guard_tell(writer, config->path, &kept, err.msg);
		config->failed = true;
		return;
	}
	guard_tell(writer, config->path, &kept, what);
	config->failed = false;
	take_state(config, right);
}

/** True when `entry` has the value that the `nth` entry of its name has in the list. */
static bool has_entry(const struct gitconfig *list, const struct gitconfig_entry *entry, size_t nth)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->entries[i].name, entry->name) == 0 && nth-- == 0)
			return str_same(list->entries[i].value, entry->value);
	}
	return false;
}

/** True when two texts say the same; long ones count as different. */
static bool says_same(const struct guard_config_state *a, const struct buf *b)
{
	AUTO(gitconfig_done) struct gitconfig x = {0};
	AUTO(gitconfig_done) struct gitconfig y = {0};
	struct error ignored = {0};

	if (a->kind != GUARD_CONFIG_TEXT || gitconfig_parse(a->text, a->len, &x, &ignored) < 0 ||
	    gitconfig_parse(b->data ? b->data : "", b->len, &y, &ignored) < 0 ||
	    x.count != y.count || x.count > ENTRIES_MAX)
		return false;
	for (size_t i = 0; i < x.count; i++) {
		size_t nth = 0;

		for (size_t j = 0; j < i; j++)
			nth += strcmp(x.entries[j].name, x.entries[i].name) == 0;
		if (!has_entry(&y, &x.entries[i], nth))
			return false;
	}
	return true;
}

/** What the file should hold; *ret_what is set when it has to be written, NULL when all is well. */
static int judge_text(const struct guard_config *config, const struct guard_config_state *now,
		      struct guard_config_state *right, char **ret_what, struct error *err)
{
	AUTO(strv_done) struct strv names = {0};
	AUTO(buf_done) struct buf text = {0};
	const char *after = now->text ? now->text : "";
	const char *before = config->before.text ? config->before.text : "";
	int r = config->made ? gitconfig_defuse(after, now->len, &text, &names, err)
			     : gitconfig_restore(before, config->before.len, after, now->len, &text,
						 &names, err);

	if (r < 0 || names.count == 0) {
		*ret_what = NULL;
		return r;
	}
	if (!config->made && says_same(&config->before, &text)) {
		// The host's own text, with its comments.
		text.len = 0;
		buf_add(&text, before, config->before.len);
	}
	*right = now->kind == GUARD_CONFIG_TEXT ? *now : config->before;
	right->kind = GUARD_CONFIG_TEXT;
	if (right->mode == 0)
		right->mode = 0644;
	right->mode |= 0600U;
	right->len = text.len;
	right->text = buf_take(&text);
	*ret_what = names_text(config->made ? "taken out" : "put back", &names);
	return right->text && *ret_what ? 0 : error_oom(err);
}

static void check_text(struct guard_config *config, struct guard *writer,
		       struct guard_config_state *now)
{
	AUTO(state_done) struct guard_config_state right = {0};
	AUTO(mem_free) char *what = NULL;
	struct error err = {0};
	int r = judge_text(config, now, &right, &what, &err);

	if (r < 0) {
		guard_tell(writer, config->path, NULL, err.msg);
		return;
	}
	if (what)
		put_back(config, writer, now, &right, what);
	else
		take_state(config, now); // all that differs is harmless
}

/** The world put something there that is no file, or where the host has a link. */
static void check_strange(struct guard_config *config, struct guard *writer)
{
	struct error err = {0};

	if (guard_set_aside(writer, config->dirfd, config->name, config->path,
			    config->failed ? NULL : "it stands where git configuration belongs") <
	    0) {
		config->failed = true;
		return;
	}
	if (config->before.kind != GUARD_CONFIG_TEXT && config->before.kind != GUARD_CONFIG_LINK)
		return;
	if (write_state(config, writer, &config->before, &err) < 0)
		guard_tell(writer, config->path, NULL, err.msg);
}

/** Open its directory.  False: it is not there any more, and so is no configuration. */
static bool hold(struct guard_config *config)
{
	config->dirty = false;
	if (config->dirfd < 0)
		config->dirfd = guard_path_open_same(config->hub, config->dir, &config->identity);
	else
		guard_path_unlock(config->dirfd);
	return config->dirfd >= 0;
}

static void release(struct guard_config *config)
{
	if (!config->keep)
		config->dirfd = fd_close(config->dirfd);
}

void guard_config_keep(struct guard_config *config)
{
	if (!config->keep)
		config->keep = guard_path_keep(config->hub);
}

static void check(struct guard_config *config, struct guard *writer)
{
	AUTO(state_done) struct guard_config_state now = {0};

	read_state(config, &now);
	if (state_same(&now, &config->before))
		return;
	if (now.kind == GUARD_CONFIG_STRANGE || now.kind == GUARD_CONFIG_LINK ||
	    config->before.kind == GUARD_CONFIG_LINK)
		check_strange(config, writer);
	else
		check_text(config, writer, &now);
	note_seen(config);
}

void guard_config_check(struct guard_config *config)
{
	struct guard *writer = guard_writer(config->hub, config->path);

	if (!writer) {
		guard_config_accept(config);
		return;
	}
	if (hold(config))
		check(config, writer);
	release(config);
}

static void accept_state(struct guard_config *config)
{
	AUTO(state_done) struct guard_config_state now = {0};

	if (was_seen(config))
		return;
	note_seen(config);
	read_state(config, &now);
	take_state(config, &now);
	config->made = false; // the host wrote to it, so from here on it is the host's
}

void guard_config_accept(struct guard_config *config)
{
	config->dirty = false;
	if (config->failed)
		return;
	if (hold(config))
		accept_state(config);
	release(config);
}

/* The list ----------------------------------------------------------------------------- */

static void on_event(struct guard_watch_sub *sub, uint32_t mask, const char *name)
{
	struct guard_config *config = container_of(sub, struct guard_config, sub);

	(void)mask;
	if (strcmp(name, config->name) == 0)
		config->dirty = true;
}

static struct guard_config *config_free(struct guard_config *config)
{
	if (!config)
		return NULL;
	guard_watch_remove(config->hub->watch, &config->sub);
	config->hub->kept -= config->keep;
	config->dirfd = fd_close(config->dirfd);
	state_done(&config->before);
	free(config->path);
	free(config->name);
	free(config->dir);
	free(config);
	return NULL;
}
DEFINE_AUTO(struct guard_config *, config_free)

int guard_config_add(struct guard_hub *hub, int dirfd, const char *path, bool made,
		     struct guard_config **ret, struct error *err)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return error_errno(err, "%s", path);
	for (struct guard_config *have = hub->configs; have; have = have->next) {
		if (strcmp(have->path, path) == 0 && have->identity.dev == st.st_dev &&
		    have->identity.ino == st.st_ino) {
			have->refs++;
			*ret = have;
			return 0;
		}
	}

	AUTO(config_free) struct guard_config *config = calloc(1, sizeof(*config));

	if (!config)
		return error_oom(err);
	config->hub = hub;
	config->made = made;
	config->dirfd = -1;
	config->identity =
		(struct guard_identity){.exists = true, .dev = st.st_dev, .ino = st.st_ino};
	config->path = strdup(path);
	config->name = strdup(path_base(path));
	config->dir = path_parent(path);
	if (!config->path || !config->name || !config->dir)
		return error_oom(err);

	int r = guard_watch_add(hub->watch, &config->sub, dirfd, CONFIG_MASK, on_event, err);

	if (r < 0)
		return error_wrap(err, r, "%s", path);
	if (!made && fstatat(dirfd, config->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		config->made = guard_touched(hub, path, &st.st_ctim);
	if (!config->made && hold(config)) {
		note_seen(config);
		read_state(config, &config->before);
	}
	release(config);
	config->refs = 1;
	config->next = hub->configs;
	hub->configs = config;
	*ret = TAKE_PTR(config);
	return 0;
}

void guard_config_drop(struct guard_config *config)
{
	if (!config || --config->refs > 0)
		return;

	struct guard_config **link = &config->hub->configs;

	while (*link != config)
		link = &(*link)->next;
	*link = config->next;
	(void)config_free(config);
}

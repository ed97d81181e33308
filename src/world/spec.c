// SPDX-License-Identifier: Apache-2.0
/** The built-in specification of a world. */
#include "world/spec.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/path.h"
#include "filter/filter.h"
#include "hash/sha256.h"
#include "world/project.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <unistd.h>

#define TMP_BYTES (4ull << 30)

void spec_user_done(struct spec_user *user)
{
	free(user->name);
	free(user->home);
	free(user->shell);
	*user = (struct spec_user){0};
}

/** The home as the kernel sees it; "/" when there is none. */
static char *real_home(const char *home)
{
	struct error ignored = {0};
	char *real = NULL;

	if (home && home[0] == '/' && path_real(home, &real, &ignored) == 0)
		return real;
	return strdup("/");
}

int spec_user_find(uid_t uid, struct spec_user *ret, struct error *err)
{
	const struct passwd *entry = getpwuid(uid);
	struct spec_user user = {
		.uid = uid,
		.gid = entry ? entry->pw_gid : (uid == getuid() ? getgid() : (gid_t)uid),
		.name = entry ? strdup(entry->pw_name) : str_format("%u", uid),
		.home = real_home(entry ? entry->pw_dir : NULL),
		.shell = strdup(entry && entry->pw_shell[0] == '/' ? entry->pw_shell : "/bin/sh"),
	};

	if (!user.name || !user.home || !user.shell) {
		spec_user_done(&user);
		return error_oom(err);
	}
	// An unprivileged daemon maps its own group and no other.
	if (getuid() != 0)
		user.gid = getgid();
	*ret = user;
	return 0;
}

/** $HOME of the daemon when it is another place than passwd's. */
static char *other_home(const struct spec_user *user)
{
	const char *home = user->uid == getuid() ? getenv("HOME") : NULL;
	char *real = home ? real_home(home) : NULL;

	if (real && (strcmp(real, user->home) == 0 || strcmp(real, "/") == 0)) {
		free(real);
		return NULL;
	}
	return real;
}

/** A root daemon works for the owner of a project: as that user, not as root. */
static int find_user_and_project(const char *cwd, struct spec *spec, struct error *err)
{
	int r = spec_user_find(getuid(), &spec->user, err);

	if (r < 0)
		return r;
	spec->env_home = other_home(&spec->user);
	r = project_find(cwd, &spec->user, spec->env_home, spec->substrate_home, &spec->project,
			 err);
	if (r < 0 || getuid() != 0 || spec->project.uid == 0 || spec->project.read_only)
		return r;

	uid_t owner = spec->project.uid;

	spec_user_done(&spec->user);
	free(spec->env_home);
	spec->env_home = NULL;
	project_done(&spec->project);
	r = spec_user_find(owner, &spec->user, err);
	return r < 0 ? r
		     : project_find(cwd, &spec->user, NULL, spec->substrate_home, &spec->project,
				    err);
}

int spec_default(const char *substrate_home, const char *cwd, const char *profile,
		 const char *agent, struct spec *ret, struct error *err)
{
	AUTO(spec_done)
	struct spec spec = {
		.profile = strdup(profile),
		.agent = strdup(agent),
		.caches = SPEC_CACHES_PRIVATE,
		.tmp_bytes = TMP_BYTES,
		.filter_families = FILTER_ALL,
	};

	if (!spec.profile || !spec.agent)
		return error_oom(err);

	// A name that is not the real one would hide the wrong place.
	int r = path_real(substrate_home, &spec.substrate_home, err);

	if (r == 0)
		r = find_user_and_project(cwd, &spec, err);
	if (r < 0)
		return r;
	*ret = spec;
	spec = (struct spec){0};
	return 0;
}

/** A member with its length before it, so that no text can pass for two; NULL is like no other. */
static void add_text(struct buf *out, const char *name, const char *text)
{
	if (text)
		buf_addf(out, "%s %zu:%s\n", name, strlen(text), text);
	else
		buf_addf(out, "%s -\n", name);
}

static void add_number(struct buf *out, const char *name, uint64_t value)
{
	buf_addf(out, "%s %" PRIu64 "\n", name, value);
}

int spec_hash(const struct spec *spec, char ret[static 65])
{
	const struct spec_user *user = &spec->user;
	const struct spec_project *project = &spec->project;
	AUTO(buf_done) struct buf text = {0};

	add_text(&text, "substrate_home", spec->substrate_home);
	add_text(&text, "profile", spec->profile);
	add_text(&text, "agent", spec->agent);
	add_text(&text, "env_home", spec->env_home);
	add_number(&text, "user.uid", user->uid);
	add_number(&text, "user.gid", user->gid);
	add_text(&text, "user.name", user->name);
	add_text(&text, "user.home", user->home);
	add_text(&text, "user.shell", user->shell);
	add_text(&text, "project.root", project->root);
	add_text(&text, "project.git_dir", project->git_dir);
	add_text(&text, "project.common_dir", project->common_dir);
	add_number(&text, "project.git_file", project->git_file);
	add_number(&text, "project.read_only", project->read_only);
	add_text(&text, "project.reason", project->reason);
	add_number(&text, "project.uid", project->uid);
	add_number(&text, "project.gid", project->gid);
	for (size_t i = 0; i < spec->write.count; i++)
		add_text(&text, "write", spec->write.items[i]);
	add_number(&text, "caches", spec->caches);
	add_number(&text, "tmp_bytes", spec->tmp_bytes);
	add_number(&text, "filter_families", spec->filter_families);
	add_number(&text, "guards_off", spec->guards_off);
	add_number(&text, "harden_off", spec->harden_off);
	return text.failed ? -ENOMEM : sha256_hex(text.data, text.len, ret);
}

void spec_done(struct spec *spec)
{
	free(spec->substrate_home);
	free(spec->profile);
	free(spec->agent);
	free(spec->env_home);
	spec_user_done(&spec->user);
	project_done(&spec->project);
	strv_done(&spec->write);
	*spec = (struct spec){0};
}

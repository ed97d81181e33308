// SPDX-License-Identifier: Apache-2.0
/** Entries that the host replaced: which are mounted again, and which never. */
#include "guard_fixture.h"

#include "sandbox/plan.h"
#include "world/rebind.h"

struct mounts {
	unsigned count;
	char source[256], path[256];
	uint32_t flags;
	int result;
};

static int on_mount(const char *source, const char *path, uint32_t flags, void *owner,
		    struct error *err)
{
	struct mounts *mounts = owner;

	mounts->count++;
	(void)snprintf(mounts->source, sizeof(mounts->source), "%s", source);
	(void)snprintf(mounts->path, sizeof(mounts->path), "%s", path);
	mounts->flags = flags;
	return mounts->result < 0 ? error_set(err, -mounts->result, "no") : 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	open_fixture(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_fixture(f);
	free(f);
	return 0;
}

/** Names in the home, NULL-terminated, bound at /h/NAME. */
static void build_plan(const struct fixture *f, const char *const *names, struct buf *ret)
{
	AUTO(plan_builder_free) struct plan_builder *builder = NULL;
	struct error err = {0};

	assert_int_equal(plan_builder_new(&builder, &err), 0);
	for (; *names; names++) {
		AUTO(mem_free) char *source = path_join(f->home, *names);
		AUTO(mem_free) char *path = path_join("/h", *names);

		plan_add(builder, &(struct plan_step){
					  .kind = PLAN_BIND,
					  .guard = PLAN_GUARD_READONLY,
					  .flags = PLAN_RECURSIVE | PLAN_OPTIONAL | PLAN_MAKE,
					  .path = path,
					  .source = source,
				  });
	}
	if (plan_build(builder, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static struct rebind *make_rebind(struct fixture *f, const char *const *names, const char *project,
				  struct mounts *mounts)
{
	AUTO(image_done) struct image image = {0};
	struct error err = {0};
	struct rebind *rebind = NULL;
	AUTO(mem_free) char *root = strdup(project);
	const struct spec spec = {.project = {.root = root}};
	const struct rebind_options options = {
		.watch = guard_hub_watch(f->hub),
		.spec = &spec,
		.image = &image,
		.mount = on_mount,
		.owner = mounts,
	};

	build_plan(f, names, &image.plan);
	assert_int_equal(strv_add(&image.skeletons, f->home), 0);
	if (rebind_new(&options, &rebind, &err) < 0)
		fail_msg("%s", err.msg);
	return rebind;
}

static void put_home(const struct fixture *f, const char *name, const char *text)
{
	AUTO(mem_free) char *path = path_join(f->home, name);
	AUTO(mem_free) char *temp = path_join(f->home, "temp");

	write_text(temp, text);
	must(rename(temp, path));
}

/** What world_run() does: take in events, then mount. */
static void run(struct fixture *f, struct rebind *rebind)
{
	enter(f->guard, "spn_one");
	rebind_run(rebind);
	guard_leave(f->guard, "spn_one", 0);
}

static const char *const gitconfig[] = {".gitconfig", NULL};
static const struct facts nothing = {0};

static void a_replaced_file_is_mounted_once(void **state)
{
	struct fixture *f = *state;
	struct mounts mounts = {0};

	put_home(f, ".gitconfig", "one");
	f->guard = make_guard(f, &nothing);

	AUTO(rebind_free) struct rebind *rebind = make_rebind(f, gitconfig, f->project, &mounts);

	run(f, rebind);
	assert_int_equal(mounts.count, 0);
	put_home(f, ".gitconfig", "two");
	run(f, rebind);
	assert_int_equal(mounts.count, 1);
	assert_string_equal(mounts.path, "/h/.gitconfig");
	assert_true(str_ends(mounts.source, "/home/.gitconfig"));
	assert_int_equal(mounts.flags, PLAN_RECURSIVE);
	run(f, rebind);
	assert_int_equal(mounts.count, 1);
}

static void other_names_are_not_mounted(void **state)
{
	struct fixture *f = *state;
	struct mounts mounts = {0};

	put_home(f, ".gitconfig", "one");
	f->guard = make_guard(f, &nothing);

	AUTO(rebind_free) struct rebind *rebind = make_rebind(f, gitconfig, f->project, &mounts);

	put_home(f, ".netrc", "secret");
	run(f, rebind);
	assert_int_equal(mounts.count, 0);
}

static void another_type_is_not_mounted(void **state)
{
	struct fixture *f = *state;
	struct mounts mounts = {0};
	AUTO(mem_free) char *path = path_join(f->home, ".gitconfig");

	put_home(f, ".gitconfig", "one");
	f->guard = make_guard(f, &nothing);

	AUTO(rebind_free) struct rebind *rebind = make_rebind(f, gitconfig, f->project, &mounts);

	must(unlink(path));
	must(symlink(".ssh", path));
	run(f, rebind);
	must(unlink(path));
	must(mkdir(path, 0755));
	run(f, rebind);
	assert_int_equal(mounts.count, 0);
}

/** What a world can write must not choose what is mounted. */
static void a_skeleton_in_the_project_is_not_watched(void **state)
{
	struct fixture *f = *state;
	struct mounts mounts = {0};

	put_home(f, ".gitconfig", "one");
	f->guard = make_guard(f, &nothing);

	AUTO(rebind_free) struct rebind *rebind = make_rebind(f, gitconfig, f->top, &mounts);

	put_home(f, ".gitconfig", "two");
	run(f, rebind);
	assert_int_equal(mounts.count, 0);
}

static void a_bound_number_is_mounted_at_a_time(void **state)
{
	static const char *const names[] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",
					    "7",  "8",  "9",  "10", "11", "12", "13",
					    "14", "15", "16", "17", "18", "19", NULL};
	struct fixture *f = *state;
	struct mounts mounts = {0};

	for (size_t i = 0; names[i]; i++)
		put_home(f, names[i], "one");
	f->guard = make_guard(f, &nothing);

	AUTO(rebind_free) struct rebind *rebind = make_rebind(f, names, f->project, &mounts);

	for (size_t i = 0; names[i]; i++)
		put_home(f, names[i], "two");
	run(f, rebind);
	assert_int_equal(mounts.count, 16);
	run(f, rebind);
	assert_int_equal(mounts.count, 20);
}

static void a_failure_keeps_the_old_one(void **state)
{
	struct fixture *f = *state;
	struct mounts mounts = {.result = -EPERM};

	put_home(f, ".gitconfig", "one");
	f->guard = make_guard(f, &nothing);

	AUTO(rebind_free) struct rebind *rebind = make_rebind(f, gitconfig, f->project, &mounts);

	put_home(f, ".gitconfig", "two");
	run(f, rebind);
	run(f, rebind);
	assert_int_equal(mounts.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_replaced_file_is_mounted_once),
		TEST(other_names_are_not_mounted),
		TEST(another_type_is_not_mounted),
		TEST(a_skeleton_in_the_project_is_not_watched),
		TEST(a_bound_number_is_mounted_at_a_time),
		TEST(a_failure_keeps_the_old_one),
	};

	unit_needs_host();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

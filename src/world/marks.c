// SPDX-License-Identifier: Apache-2.0
/** The tree of marked paths. */
#include "world/marks.h"

#include "base/buf.h"

#include <errno.h>
#include <limits.h>

struct mark *marks_new(void)
{
	struct mark *root = calloc(1, sizeof(*root));

	if (root)
		root->name = strdup("");
	if (root && !root->name)
		return marks_free(root);
	return root;
}

/** The next mark in an order that visits what is below a mark before the mark itself. */
static struct mark *deepest(struct mark *mark)
{
	while (mark->first)
		mark = mark->first;
	return mark;
}

struct mark *marks_free(struct mark *root)
{
	struct mark *mark = root ? deepest(root) : NULL;

	while (mark) {
		struct mark *parent = mark == root ? NULL : mark->parent;

		if (parent)
			parent->first = mark->next;
		free(mark->name);
		strv_done(&mark->hide_globs);
		free(mark);
		mark = parent ? deepest(parent) : NULL;
	}
	return NULL;
}

/** Compare a mark's name with `len` bytes of text. */
static int compare(const struct mark *mark, const char *name, size_t len)
{
	int order = strncmp(mark->name, name, len);

	return order ? order : mark->name[len] != '\0';
}

static struct mark *make_child(struct mark *mark, const char *name, size_t len)
{
	struct mark **at = &mark->first;
	int order = -1;

	while (*at && (order = compare(*at, name, len)) < 0)
		at = &(*at)->next;
	if (*at && order == 0)
		return *at;

	struct mark *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	child->name = strndup(name, len);
	if (!child->name) {
		free(child);
		return NULL;
	}
	child->parent = mark;
	child->next = *at;
	*at = child;
	return child;
}

struct mark *marks_add(struct mark *root, const char *path, unsigned bits)
{
	struct mark *mark = root;

	for (path += strspn(path, "/"); mark && *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		mark = make_child(mark, path, len);
		path += len;
	}
	if (mark)
		mark->bits |= bits;
	return mark;
}

int marks_add_glob(struct mark *root, const char *dir, const char *glob)
{
	struct mark *mark = marks_add(root, dir, 0);

	if (!mark)
		return -ENOMEM;
	return strv_has(&mark->hide_globs, glob) ? 0 : strv_add(&mark->hide_globs, glob);
}

static const struct mark *child_of(const struct mark *mark, const char *name, size_t len)
{
	const struct mark *child = mark ? mark->first : NULL;

	while (child && compare(child, name, len) != 0)
		child = child->next;
	return child;
}

const struct mark *marks_child(const struct mark *mark, const char *name)
{
	return child_of(mark, name, strlen(name));
}

const struct mark *marks_find(const struct mark *root, const char *path)
{
	const struct mark *mark = root;

	for (path += strspn(path, "/"); mark && *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		mark = child_of(mark, path, len);
		path += len;
	}
	return mark;
}

bool marks_matches(const char *glob, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name) {
		if (*glob == '*') {
			star = glob++;
			retry = name;
		} else if (*glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star + 1;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

bool marks_hides(const struct mark *mark, const char *name)
{
	const struct mark *child = marks_child(mark, name);

	if (child && (child->bits & MARK_HIDE))
		return true;
	if (!mark || (child && (child->bits & (MARK_SHOW | MARK_EXCEPT))))
		return false;
	for (size_t i = 0; i < mark->hide_globs.count; i++) {
		if (marks_matches(mark->hide_globs.items[i], name))
			return true;
	}
	return false;
}

/** The mark after this one, parents first, below `top`; NULL at the end. */
static const struct mark *next_below(const struct mark *top, const struct mark *mark, bool enter)
{
	if (enter && mark->first)
		return mark->first;
	while (mark != top && !mark->next)
		mark = mark->parent;
	return mark == top ? NULL : mark->next;
}

bool marks_splits(const struct mark *mark)
{
	const unsigned here = MARK_SPLIT | MARK_COPY, below = here | MARK_HIDE | MARK_OWN;

	if (!mark)
		return false;
	for (const struct mark *at = mark; at; at = next_below(mark, at, true)) {
		if ((at->bits & (at == mark ? here : below)) || at->hide_globs.count > 0)
			return true;
	}
	return false;
}

static bool has_below(const struct mark *mark, unsigned bits)
{
	for (const struct mark *at = mark; at; at = next_below(mark, at, true)) {
		if (at->bits & bits)
			return true;
	}
	return false;
}

bool marks_keeps(const struct mark *mark)
{
	return has_below(mark, MARK_KEEP | MARK_SHOW);
}

bool marks_wants(const struct mark *mark)
{
	for (const struct mark *at = mark; at; at = next_below(mark, at, !(at->bits & MARK_HIDE))) {
		if (at->bits & (MARK_KEEP | MARK_OWN))
			return true;
		if ((at->bits & MARK_HIDE) && marks_keeps(at))
			return true;
	}
	return false;
}

/** What holds at an entry when `state` holds at its directory. */
static unsigned step(const struct mark *dir, const char *name, unsigned state)
{
	const struct mark *mark = marks_child(dir, name);

	if (mark && (mark->bits & MARK_KEEP))
		return MARK_KEEP;
	if (marks_hides(dir, name))
		return MARK_HIDE;
	if (mark && (mark->bits & MARK_OWN))
		return MARK_OWN;
	return mark && (mark->bits & MARK_SHOW) ? 0 : state;
}

unsigned marks_state(const struct mark *root, const char *path)
{
	const struct mark *mark = root;
	unsigned state = 0;

	for (path += strspn(path, "/"); mark && *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");
		char name[NAME_MAX + 1];

		if (len > NAME_MAX)
			return state;
		memcpy(name, path, len);
		name[len] = '\0';
		state = step(mark, name, state);
		mark = marks_child(mark, name);
		path += len;
	}
	return state;
}

char *marks_path(const struct mark *mark)
{
	AUTO(buf_done) struct buf path = {0};

	if (!mark->parent)
		return strdup("/");
	for (const struct mark *at = mark; at->parent; at = at->parent) {
		AUTO(buf_done) struct buf longer = {0};

		buf_addf(&longer, "/%s", at->name);
		buf_adds(&longer, path.data ? path.data : "");

		struct buf swap = path;

		path = longer;
		longer = swap;
	}
	return buf_take(&path);
}

char *marks_hidden_below(const struct mark *root, const char *path)
{
	const struct mark *top = marks_find(root, path);

	for (const struct mark *at = top; at; at = next_below(top, at, true)) {
		AUTO(mem_free) char *text = marks_path(at);

		if (text && at != top && (at->bits & MARK_HIDE))
			return TAKE_PTR(text);
		if (text && at->hide_globs.count > 0)
			return str_format("%s/%s", text, at->hide_globs.items[0]);
	}
	return NULL;
}

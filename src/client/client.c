// SPDX-License-Identifier: Apache-2.0
/** One connection to the daemon: open it, make requests. */
#include "client/client_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "client/autostart.h"
#include "client/dial.h"
#include "httphead/head.h"
#include "json/decode.h"
#include "json/encode.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#define START_TIMEOUT_MS 10000U
#define ROUND_MS 20 // between two attempts while another daemon comes or goes
#define BODY_MAX (256U << 20)

/* Home --------------------------------------------------------------------------------- */

/** The passwd entry's home.  Without the name service, which a static program does not have. */
static int passwd_home(char **ret, struct error *err)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry = NULL;
	int r = 0;

	if (!file)
		return error_errno(err, "/etc/passwd");
	while ((entry = fgetpwent(file)) && entry->pw_uid != getuid())
		;
	if (!entry || entry->pw_dir[0] != '/')
		r = error_set(err, ENOENT,
			      "neither SUBSTRATE_HOME nor HOME is set, and uid %u is not "
			      "in /etc/passwd",
			      (unsigned)getuid());
	else
		*ret = strdup(entry->pw_dir);
	(void)fclose(file);
	return r;
}

int client_home(char **ret, struct error *err)
{
	const char *set = getenv("SUBSTRATE_HOME");
	const char *home = getenv("HOME");
	AUTO(mem_free) char *base = NULL;
	AUTO(mem_free) char *joined = NULL;

	if (set && set[0] != '\0') {
		if (set[0] != '/')
			return error_set(err, EINVAL, "SUBSTRATE_HOME '%s' is not absolute", set);
		*ret = path_clean(set);
		return *ret ? 0 : error_oom(err);
	}
	if (!home || home[0] != '/') {
		int r = passwd_home(&base, err);

		if (r < 0)
			return r;
		home = base;
	}
	joined = home ? path_join(home, ".substrate") : NULL;

	char *clean = joined ? path_clean(joined) : NULL;

	if (!clean)
		return error_oom(err);
	*ret = clean;
	return 0;
}

/* Connection --------------------------------------------------------------------------- */

/** True when an attempt failed because nobody listens. */
static bool nobody_listens(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

/** Start a daemon and connect, until one of ours or of another client stays. */
static int deaf_daemon(const char *home, long holder, struct error *err)
{
	if (holder > 0)
		return error_set(err, ETIMEDOUT,
				 "the daemon with pid %ld has the lock of %s, but does not listen: "
				 "end it (kill %ld) and try again",
				 holder, home, holder);
	return error_set(err, ETIMEDOUT, "a daemon has the lock of %s, but does not listen", home);
}

static int start_and_dial(const char *home, int *ret, struct error *err)
{
	uint64_t due_ns = clock_mono_ns() + START_TIMEOUT_MS * (uint64_t)1000000U;
	long holder = 0;
	int r;

	do {
		r = autostart_daemon(home, START_TIMEOUT_MS, &holder, err);
		if (r < 0)
			return r;
		// "Running" may mean that the other one is about to listen, or about to end.
		if (r == AUTOSTART_RUNNING)
			(void)poll(NULL, 0, ROUND_MS);
		r = dial_daemon(home, ret, err);
	} while (nobody_listens(r) && clock_mono_ns() < due_ns);
	return nobody_listens(r) ? deaf_daemon(home, holder, err) : r;
}

int client_dial(const char *home, bool start, int *ret, struct error *err)
{
	int r = dial_daemon(home, ret, err);

	if (!nobody_listens(r))
		return r;
	if (start)
		return start_and_dial(home, ret, err);
	return error_set(err, ENOENT, "no daemon runs for %s", home);
}

/**
 * Give jansson its seed: by itself it opens and reads /dev/urandom.  The kernel has left 16 random
 * bytes in our memory; libc uses the first half.  Without effect once there is an object.
 */
static void seed_json(void)
{
	// NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the kernel tells an address.
	const char *random = (const char *)getauxval(AT_RANDOM);
	size_t seed;

	if (!random)
		return;
	memcpy(&seed, random + 8, sizeof(seed));
	json_object_seed(seed);
}

int client_open(const struct client_options *options, struct client **ret, struct error *err)
{
	AUTO(client_close) struct client *client = calloc(1, sizeof(*client));

	seed_json();
	if (!client)
		return error_oom(err);
	client->fd = -1;
	client->start = options->start;
	client->home = strdup(options->home);
	if (!client->home)
		return error_oom(err);

	int r = client_dial(client->home, client->start, &client->fd, err);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(client);
	return 0;
}

struct client *client_close(struct client *client)
{
	if (!client)
		return NULL;
	(void)fd_close(client->fd);
	free(client->home);
	free(client);
	return NULL;
}

int client_write(int fd, const struct buf *text, struct error *err)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = send(fd, text->data + done, text->len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "write to the daemon");
		done += (size_t)n;
	}
	return 0;
}

ssize_t client_read(int fd, struct buf *in, int flags, struct error *err)
{
	char *room = buf_room(in, CLIENT_READ_SIZE);
	ssize_t n;

	if (!room)
		return error_oom(err);
	do {
		n = recv(fd, room, CLIENT_READ_SIZE, flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "read from the daemon");
	buf_advance(in, (size_t)n);
	return n;
}

/* Requests ----------------------------------------------------------------------------- */

/** A path goes into the request line as it is: printable ASCII without blanks. */
static bool path_is_good(const char *path)
{
	for (const char *c = path; *c; c++) {
		if (*c <= ' ' || *c > '~')
			return false;
	}
	return path[0] == '/';
}

static int print_request(const char *method, const char *path, const json_t *body, struct buf *ret,
			 struct error *err)
{
	AUTO(buf_done) struct buf text = {0};

	if (!path_is_good(path))
		return error_set(err, EINVAL, "'%s' is no path of the API", path);
	if (body)
		encode_print(body, &text);
	buf_addf(ret, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);
	if (body)
		buf_adds(ret, "Content-Type: application/json\r\n");
	buf_addf(ret, "Content-Length: %zu\r\n\r\n", text.len);
	buf_add(ret, text.data, text.len);
	return text.failed || ret->failed ? error_oom(err) : 0;
}

/** Read until the head is whole.  -ECONNRESET with `in` empty: the daemon has seen nothing. */
static int read_head(int fd, struct buf *in, struct head *ret, struct error *err)
{
	for (;;) {
		int r = in->len > 0 ? head_parse(in->data, in->len, ret, err) : HEAD_MORE;

		if (r != HEAD_MORE)
			return r;

		ssize_t n = client_read(fd, in, 0, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return error_set(err, ECONNRESET, "the daemon closed the connection");
	}
}

/** Read an answer; *in keeps its bytes. */
static int read_answer(int fd, struct buf *in, struct client_answer *ret, struct error *err)
{
	struct head head = {0};
	int r = read_head(fd, in, &head, err);

	if (r < 0)
		return r;
	if (!head.has_length || head.length > BODY_MAX)
		return error_set(err, EPROTO, "the daemon's answer has no length, or is too long");

	int status = head.status;
	size_t start = head.size;
	size_t length = (size_t)head.length;
	json_t *body = NULL;

	// Reading on moves the buffer, and with it all that `head` points to.
	while (in->len < start + length) {
		ssize_t n = client_read(fd, in, 0, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return error_set(err, EPROTO, "the daemon's answer was cut off");
	}
	if (length > 0)
		r = decode_text(in->data + start, length, BODY_MAX, &body, err);
	if (r < 0)
		return error_wrap(err, r, "the daemon's answer");
	*ret = (struct client_answer){status, body};
	return 0;
}

/** One request and its answer on the connection that is there. */
static int exchange_once(int fd, const struct buf *request, struct buf *in,
			 struct client_answer *ret, struct error *err)
{
	int r = client_write(fd, request, err);

	// A daemon that refuses may close before it has read all; its answer says why.
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	return read_answer(fd, in, ret, err);
}

int client_call(struct client *client, const char *method, const char *path, const json_t *body,
		struct client_answer *ret, struct error *err)
{
	AUTO(buf_done) struct buf request = {0};
	AUTO(buf_done) struct buf in = {0};
	int r = print_request(method, path, body, &request, err);

	if (r == 0 && client->fd < 0)
		r = client_dial(client->home, client->start, &client->fd, err);
	if (r < 0)
		return r;
	r = exchange_once(client->fd, &request, &in, ret, err);
	if (r == -ECONNRESET && in.len == 0 && strcmp(method, "GET") == 0) {
		// It was about to end, or closed an idle connection.
		client->fd = fd_close(client->fd);
		r = client_dial(client->home, client->start, &client->fd, err);
		if (r == 0)
			r = exchange_once(client->fd, &request, &in, ret, err);
	}
	// After a failure nobody knows where the next answer begins, and a refusal closes.
	if (r < 0 || ret->status >= 400)
		client->fd = fd_close(client->fd);
	return r;
}

/* Problems ----------------------------------------------------------------------------- */

static const struct {
	int status;
	int code;
} codes[] = {
	{400, EINVAL}, {401, EACCES}, {403, EACCES}, {404, ENOENT}, {405, EINVAL}, {409, EBUSY},
	{413, E2BIG},  {426, EPROTO}, {429, EAGAIN}, {500, EIO},    {503, EAGAIN},
};

int client_problem(const struct client_answer *answer, struct error *err)
{
	const char *detail = json_string_value(json_object_get(answer->body, "detail"));
	const char *title = json_string_value(json_object_get(answer->body, "title"));
	int code = EPROTO;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].status == answer->status)
			code = codes[i].code;
	}
	if (detail || title)
		return error_set(err, code, "%s", detail ? detail : title);
	return error_set(err, code, "the daemon answered with status %d", answer->status);
}

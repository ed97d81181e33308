// SPDX-License-Identifier: Apache-2.0
/** Unpacking CONTROL_SPAWN: cwd, arguments and environment as vectors into the payload. */
#include "sandbox/job_priv.h"

#include "base/compiler.h"
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/control.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DEFAULT_SEARCH "/usr/local/bin:/usr/bin:/bin"
#define UMASK_BITS 0777U
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

DEFINE_AUTO(struct job *, job_free)

struct job *job_free(struct job *job)
{
	if (!job)
		return NULL;
	for (size_t i = 0; i < JOB_FDS; i++)
		job->fds[i] = fd_close(job->fds[i]);
	job->master = fd_close(job->master);
	if (job->mapped)
		(void)munmap(job->payload, job->payload_size);
	else
		free(job->payload);
	free(job->argv);
	free(job);
	return NULL;
}

/** Map a sealed memfd: it cannot change after it was checked. */
static int map_payload(struct job *job, int fd, struct error *err)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return error_set(err, EBADMSG, "a spawn payload is not sealed");
	if (fstat(fd, &st) < 0 || st.st_size != (off_t)job->payload_size)
		return error_set(err, EBADMSG, "a spawn payload has a wrong size");

	void *data = mmap(NULL, job->payload_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);

	if (data == MAP_FAILED)
		return error_errno(err, "map a spawn payload");
	job->payload = data;
	job->mapped = true;
	return 0;
}

static int take_payload(struct job *job, const struct control_packet *packet, struct error *err)
{
	size_t inline_size = packet->size - sizeof(struct control_spawn);
	size_t nfds = job->terminal ? 0 : JOB_FDS;

	if (packet->nfds == nfds + 1 && inline_size == 0)
		return map_payload(job, packet->fds[nfds], err);
	if (packet->nfds != nfds || inline_size != job->payload_size)
		return error_set(err, EBADMSG, "a spawn packet has a wrong size");
	job->payload = malloc(inline_size);
	if (!job->payload)
		return error_oom(err);
	memcpy(job->payload, packet->data + sizeof(struct control_spawn), inline_size);
	return 0;
}

/** Point `count` entries of a vector at the strings from *at on; false when they do not fit. */
static bool point(char **vector, uint32_t count, char **at, const char *end)
{
	for (uint32_t i = 0; i < count; i++) {
		char *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;

		if (!nul)
			return false;
		vector[i] = *at;
		*at = nul + 1;
	}
	return true;
}

static const char *find_search(char *const *envp)
{
	for (; *envp; envp++) {
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	}
	return DEFAULT_SEARCH;
}

static int make_vectors(struct job *job, const struct control_spawn *spawn, struct error *err)
{
	char *at = job->payload;
	const char *end = at + job->payload_size;
	char *cwd = NULL;

	// Each string takes a byte at least, so the counts are bounded by the payload.
	if (spawn->argc == 0 || spawn->argc > spawn->payload ||
	    spawn->envc > spawn->payload - spawn->argc)
		return error_set(err, EBADMSG, "a spawn packet has wrong counts");
	job->argv = calloc((size_t)spawn->argc + spawn->envc + 2, sizeof(*job->argv));
	if (!job->argv)
		return error_oom(err);
	job->envp = job->argv + spawn->argc + 1;
	if (!point(&cwd, 1, &at, end) || !point(job->argv, spawn->argc, &at, end) ||
	    !point(job->envp, spawn->envc, &at, end) || at != end)
		return error_set(err, EBADMSG, "a spawn payload does not hold what it says");
	job->cwd = cwd;
	job->search = find_search(job->envp);
	return 0;
}

int job_new(struct control_packet *packet, struct job **ret, struct error *err)
{
	struct control_spawn spawn;
	AUTO(job_free) struct job *job = malloc(sizeof(*job));

	if (!job)
		return error_oom(err);
	// All but `path`, whose pages a lookup touches when it needs them.
	memset(job, 0, offsetof(struct job, path));
	for (size_t i = 0; i < JOB_FDS; i++)
		job->fds[i] = -1;
	job->master = -1;
	if (packet->size < sizeof(spawn))
		return error_set(err, EBADMSG, "a spawn packet is too short");
	memcpy(&spawn, packet->data, sizeof(spawn));
	job->terminal = spawn.flags & CONTROL_SPAWN_TERMINAL;
	if (spawn.flags & ~(uint32_t)CONTROL_SPAWN_TERMINAL || spawn.umask & ~UMASK_BITS ||
	    spawn.payload == 0 || spawn.payload > CONTROL_PAYLOAD_MAX)
		return error_set(err, EBADMSG, "a spawn packet has unknown flags or sizes");
	job->seq = packet->header.seq;
	job->umask = spawn.umask;
	job->rows = spawn.rows;
	job->cols = spawn.cols;
	job->payload_size = spawn.payload;

	int r = take_payload(job, packet, err);

	if (r == 0)
		r = make_vectors(job, &spawn, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < JOB_FDS && !job->terminal; i++)
		job->fds[i] = TAKE_FD(packet->fds[i]);
	*ret = TAKE_PTR(job);
	return 0;
}

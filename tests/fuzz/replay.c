// SPDX-License-Identifier: Apache-2.0
/**
 * Runs a fuzz target over the files named on the command line and over all files of the folders
 * named there.  A folder that is not there or holds nothing is an error: a test that
 * replays nothing would always pass.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Replay one open file; `fd` stays the caller's.  Returns 0 or -1. */
static int replay_fd(int fd, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	size_t have = 0;

	if (!data)
		return -1;
	while (have < size) {
		ssize_t n = read(fd, data + have, size - have);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (have == size)
		(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return have == size ? 0 : -1;
}

/** Replay the file, or the files of the folder, `name` below `dirfd`.  Returns a count or -1. */
static int replay_path(int dirfd, const char *name, int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int count = -1;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(name);
	} else if (S_ISREG(st.st_mode)) {
		count = replay_fd(fd, (size_t)st.st_size) < 0 ? -1 : 1;
	} else if (S_ISDIR(st.st_mode) && depth == 0) {
		DIR *dir = fdopendir(dup(fd));

		count = dir ? 0 : -1;
		for (struct dirent *entry; count >= 0 && (entry = readdir(dir));) {
			int n = entry->d_name[0] == '.' ? 0 : replay_path(fd, entry->d_name, 1);

			count = n < 0 ? -1 : count + n;
		}
		if (dir)
			closedir(dir);
	}
	if (fd >= 0)
		close(fd);
	return count;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay_path(AT_FDCWD, argv[i], 0);

		if (n <= 0) {
			fprintf(stderr, "%s: nothing could be replayed\n", argv[i]);
			return 1;
		}
		total += n;
	}
	printf("%d inputs replayed\n", total);
	return total > 0 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Landlock by raw system calls.
 *
 * Only rights to files are handled: a handled right without a rule is refused everywhere, and
 * the network namespace already bounds TCP.  Older headers lack the later rights, so the
 * numbers are here.
 */
#include "sandbox/landlock_priv.h"

#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RIGHT_REFER (1ULL << 13)        /**< ABI 2. */
#define RIGHT_TRUNCATE (1ULL << 14)     /**< ABI 3. */
#define RIGHT_IOCTL_DEV (1ULL << 15)    /**< ABI 5. */
#define RIGHT_RESOLVE_UNIX (1ULL << 16) /**< ABI 9. */
#define RIGHTS_ABI_1 (RIGHT_REFER - 1)

#define RIGHTS_READ \
	((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_READ_DIR)

/** Rights that mean something for what is no directory; others are refused in its rule. */
#define RIGHTS_FILE \
	((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV)

/**
 * Handled, and allowed nowhere: connecting to a socket in the file system that was made outside
 * of the domain, such as one that the host makes later in a directory that is bound.
 */
#define RIGHTS_NEVER RIGHT_RESOLVE_UNIX

/** Abstract UNIX sockets and signals (ABI 6). */
#define SCOPES (1ULL << 0 | 1ULL << 1)

/** The kernel's struct landlock_ruleset_attr, as of ABI 6. */
struct ruleset_attr {
	uint64_t handled_fs, handled_net, scoped;
};

static uint64_t known_rights(int abi)
{
	uint64_t rights = RIGHTS_ABI_1;

	if (abi >= 2)
		rights |= RIGHT_REFER;
	if (abi >= 3)
		rights |= RIGHT_TRUNCATE;
	if (abi >= 5)
		rights |= RIGHT_IOCTL_DEV;
	if (abi >= 9)
		rights |= RIGHT_RESOLVE_UNIX;
	return rights;
}

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

int landlock_new(int abi)
{
	struct ruleset_attr attr = {.handled_fs = known_rights(abi)};
	size_t size = sizeof(attr.handled_fs);

	if (abi >= 6) {
		attr.scoped = SCOPES;
		size = sizeof(attr);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

int landlock_allow(int ruleset, int abi, int fd, bool writable)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = (writable ? ~RIGHTS_NEVER : RIGHTS_READ) & known_rights(abi),
		.parent_fd = fd,
	};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= RIGHTS_FILE;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int landlock_enter(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

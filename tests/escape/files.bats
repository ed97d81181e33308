#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Writes outside of the project, the kernel's settings, and what is left in the project for others.

load ../lib/common
load escape

setup() { setup_escape; }
teardown() { teardown_escape; }

@test "nothing is written outside of the project" {
	home=$(home_dir)
	echo mine >"$home/file"
	in_world sh -c "echo evil >'$home/file'; echo evil >'$home/new'; rm -f '$home/file';
		mv '$home' '$home.away'; ln -f '$home/file' link; chmod 0777 '$home/file';
		touch -d 2000-01-01 '$home/file'; truncate -s 0 '$home/file'"
	[ "$(cat "$home/file")" = mine ]
	[ "$(stat -c %a "$home/file")" != 777 ]
	[ "$(stat -c %Y "$home/file")" -gt 1000000000 ]
	gone "$home/new" "$home.away" link
}

@test "companion: without read-only binds and Landlock a home is written to" {
	home=$(home_dir)
	echo mine >"$home/file"
	without readonly,landlock
	substrate run -- sh -c "echo evil >'$home/file'; echo evil >'$home/new'"
	[ "$(cat "$home/file")" = evil ]
	[ -e "$home/new" ]
}

@test "read-only binds and Landlock each hold alone" {
	[ "${SUBSTRATE_WITHOUT:-}" != landlock ] || skip "one of them is left out of the whole run"
	home=$(home_dir)
	for guard in readonly landlock; do
		without "$guard"
		in_world sh -c "echo evil >'$home/$guard'"
		[ "$status" -ne 0 ]
		gone "$home/$guard"
	done
}

# Open only: nothing is written to the kernel of the host.
@test "the kernel's settings cannot be opened for writing" {
	for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger \
		/proc/sys/vm/overcommit_memory /proc/sys/fs/binfmt_misc/register \
		/proc/sys/user/max_user_namespaces /proc/irq/default_smp_affinity; do
		held_back open-write "$file"
	done
	for file in /proc/kcore /proc/kmsg /proc/keys; do
		in_world cat "$file"
		[ "$output" = "" ] || [ "$status" -ne 0 ]
	done
	in_world sh -c 'ls -d /sys/kernel /sys/fs /sys/module /sys/class 2>/dev/null'
	[ "$output" = "" ]
}

@test "companion: without read-only /proc root opens the kernel's settings for writing" {
	root_only
	without proc
	breaks_out open-write /proc/sys/kernel/core_pattern
	[ ! -e /proc/sysrq-trigger ] || breaks_out open-write /proc/sysrq-trigger
	in_world cat /proc/keys
	[ "$status" -eq 0 ]
	[ -n "$output" ] || [ -z "$(cat /proc/keys)" ]
}

@test "the password file of the host is not read in a root world" {
	root_only
	in_world cat /etc/shadow /etc/shadow- /etc/gshadow /etc/sudoers
	[[ "$output" != *root:* ]]
	in_world sh -c 'ls /etc/shadow* /etc/gshadow* /etc/sudoers*'
	[ "$status" -ne 0 ]
	[[ "$(substrate run -- ls -A /etc)" != *shadow* ]]
	without hide # the companion
	substrate run -- cat /etc/shadow | grep -q '^root:'
}

methods="chmod fchmod fchmodat fchmodat2 high-bits open openat openat2 creat tmpfile mknod"

@test "no set-user-id file is left in the project" {
	umask 0
	for method in $methods; do
		in_world ./attack "setid-$method" "left-$method"
		[ "$status" -ne 2 ]
	done
	in_world sh -c 'cp /usr/bin/id left-cp; chmod u+s left-cp; chmod 6755 left-cp; install -m 4755 /usr/bin/id left-install;
		cp -p /usr/bin/su left-su; ln /usr/bin/su left-link'
	[ "$(find . -perm /4000)" = "" ]
}

@test "companion: without the filter set-user-id files are left by each call" {
	umask 0
	without seccomp:setuid
	for method in $methods; do
		[ "$method" != openat2 ] || continue # not a refused call but an unknown one
		in_world ./attack "setid-$method" "left-$method"
		[[ "$output" != *"not implemented"* ]] || continue # an older kernel
		[ -n "$(find . -name "left-$method" -perm -4000)" ]
	done
	without seccomp
	breaks_out setid-openat2 left-openat2
	[ -n "$(find . -name left-openat2 -perm -4000)" ]
}

@test "no set-group-id file of a group of the host is left" {
	root_only
	held_back setgid left
	[ "$(find . -perm /2000)" = "" ]
	without seccomp:setuid # the companion
	breaks_out setgid left
	[ -n "$(find . -name left -perm -2000)" ]
}

@test "no file with capabilities and no device is left in the project" {
	held_back file-capability left
	held_back null-device device
	[ ! -c device ]
	run python3 -c 'import os; print(os.listxattr("left"))'
	[[ "$output" != *security.capability* ]]
}

@test "companion: with capabilities, and on the host, these are left" {
	root_only
	without caps
	breaks_out file-capability left
	python3 -c 'import os; assert "security.capability" in os.listxattr("left")'
	./attack null-device device
	[ -c device ]
}

@test "the host's devices are not there" {
	for device in /dev/kmsg /dev/mem /dev/vda /dev/sda /dev/loop-control /dev/kvm /dev/fuse \
		/dev/net/tun /dev/console /dev/tty0 /dev/vhost-vsock /dev/vsock; do
		in_world test -e "$device"
		[ "$status" -ne 0 ]
	done
	[ "$(substrate run -- find /dev -type b)" = "" ]
}

@test "companion: without an own /dev the host's devices are there" {
	[ -e /dev/kmsg ] || skip "this host has no /dev/kmsg"
	without dev
	substrate run -- test -e /dev/kmsg
}

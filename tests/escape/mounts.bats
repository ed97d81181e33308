#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mounts, namespaces and privileges.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() { setup_escape; }
teardown() { teardown_escape; }

mounts_of_host() {
	grep -c ' - tmpfs escape ' /proc/self/mountinfo
}

@test "nothing is mounted, by the old calls or by the new ones" {
	mkdir a b
	held_back mount-old "$PWD/a"
	held_back mount-new "$PWD/a"
	held_back mount-bind /usr "$PWD/a"
	held_back mount-tree /usr "$PWD/a"
	held_back chroot /usr
	run substrate run -- sh -c "mount -t tmpfs escape a; touch a/made; mount --bind a b"
	[ -e a/made ] && gone b/made
}

@test "companion: with capabilities and without the filter all of these mount, for the world alone" {
	caps_only
	mkdir a b c d
	without caps,seccomp:mount,landlock
	breaks_out mount-old "$PWD/a"
	breaks_out mount-new "$PWD/b"
	breaks_out mount-bind /usr "$PWD/c"
	breaks_out mount-tree /usr "$PWD/d"
	breaks_out chroot /usr
	substrate run -- touch a/made
	gone a/made
	[ "$(substrate run -- grep -c escape /proc/self/mountinfo)" -ge 1 ]
	run mounts_of_host
	[ "$output" = 0 ]
}

@test "mounts of the world are not taken away or made writable" {
	mkdir .vscode
	echo mine >.vscode/tasks.json
	substrate run -- cat /proc/self/mountinfo >before
	for path in /proc/sys /usr /tmp "$PWD/.vscode" "$PWD"; do
		held_back unmount "$path"
		held_back remount-old "$path"
		held_back remount-new "$path"
	done
	run substrate run -- sh -c 'echo evil >.vscode/tasks.json'
	[ "$(cat .vscode/tasks.json)" = mine ]
	substrate run -- cat /proc/self/mountinfo >after
	diff before after
}

@test "companion: with capabilities and without the filter a protecting mount is taken away" {
	caps_only
	mkdir .vscode
	echo mine >.vscode/tasks.json
	without caps,seccomp:mount,landlock
	breaks_out unmount "$PWD/.vscode"
	in_world bash -c './attack unmount "$PWD/.vscode" && echo evil >.vscode/tasks.json'
	[ "$(cat .vscode/tasks.json)" = evil ]
	mkdir .claude
	echo mine >.claude/settings.json
	substrate world restart
	breaks_out remount-new "$PWD/.claude"
	in_world bash -c './attack remount-old "$PWD/.claude" && echo evil >.claude/settings.json'
	[ "$(cat .claude/settings.json)" = evil ]
}

@test "no namespace is made" {
	held_back clone-user
	held_back clone3-user
	held_back unshare-user
	held_back unshare-mount
	for program in "unshare -r" "unshare -Ur" "unshare -m" "unshare -Urmn" "unshare -n" "unshare -Tr"; do
		# shellcheck disable=SC2086 # a program and its options
		in_world $program touch made
		[ "$status" -ne 0 ]
		gone made
	done
}

@test "companion: without the filter and the limit all of these are made" {
	without seccomp:namespace,userns
	breaks_out clone-user
	breaks_out unshare-user
	in_world unshare -U touch made
	[ -e made ]
	# clone3 is no refused call but an unknown one, so the whole filter is left out.
	without seccomp,userns
	breaks_out clone3-user
}

@test "the limit of user namespaces and the filter each hold alone" {
	without seccomp
	held_back clone-user
	held_back clone3-user
	held_back unshare-user
	without userns
	held_back clone-user
	held_back clone3-user
	held_back unshare-user
}

@test "no namespace is entered" {
	for kind in mnt pid net user; do
		held_back setns "/proc/1/ns/$kind"
		held_back setns "/proc/self/ns/$kind"
	done
	in_world nsenter -t 1 -a touch made
	gone made
	in_world nsenter -t 1 -m touch made
	gone made
}

@test "companion: with capabilities and without the filter a namespace is entered" {
	caps_only
	without caps,seccomp:namespace,landlock
	breaks_out setns /proc/self/ns/mnt
	in_world nsenter -t 1 -m touch "$PWD/made"
	[ -e made ]
}

@test "a world's namespaces are not the host's" {
	for kind in user mnt pid net ipc uts cgroup; do
		[ "$(substrate run -- readlink "/proc/self/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ]
	done
}

@test "mounts made on the host later are not seen in a world" {
	mkdir later
	# The companion is a namespace that follows the host's.
	in_throwaway '
		unshare --mount --propagation slave sh -c "
			touch started; until [ -e mounted ]; do sleep 0.05; done; cat later/file >followed" &
		follower=$!
		wait_until test -e started
		substrate run -- test -d later
		mount -t tmpfs later "$PWD/later"
		echo secret >later/file
		touch mounted
		wait "$follower"
		[ "$(cat followed)" = secret ]
		status=0; substrate run -- test -e later/file || status=$?
		[ "$status" -eq 1 ]'
}

@test "mounts made in a world are not seen on the host, even where mounts are shared" {
	mkdir later
	in_throwaway '
		start_daemon_without caps,seccomp:mount,landlock
		substrate run -- ./attack mount-old "$PWD/later"
		substrate run -- grep -q escape /proc/self/mountinfo
		status=0; grep -q " - tmpfs escape " /proc/self/mountinfo || status=$?
		[ "$status" -eq 1 ]
		./attack mount-old "$PWD/later" # the companion: a process that has no namespace of its own
		grep -q " - tmpfs escape " /proc/self/mountinfo'
}

@test "set-id programs give nothing" {
	is_root || skip "only root can make a set-id program of root"
	set_id=$(mktemp /usr/local/bin/substrate-escape.XXXXXX)
	cp /usr/bin/id "$set_id"
	chmod 4755 "$set_id"
	user=$(user_dir)
	as_user git -C "$user" init -q
	mkdir -m 0700 "$user/.home"
	chown "$SUBSTRATE_TEST_USER" "$user/.home"
	as_user sh -c "cd '$user' && SUBSTRATE_HOME='$user/.home' '$SUBSTRATE_BIN/substrate' run -- '$set_id' -u" >inside
	as_user "$set_id" -u >outside # the companion
	rm "$set_id"
	SUBSTRATE_HOME="$user/.home" stop_daemon "$user/.home"
	remove_user_dirs
	[ "$(cat outside)" = 0 ]
	[ "$(cat inside)" = "$(id -u "$SUBSTRATE_TEST_USER")" ]
}

@test "sudo gives no capability" {
	need sudo
	in_world sudo -n grep CapEff /proc/self/status
	[[ "$output" != *CapEff:* ]] || [[ "$output" == *0000000000000000* ]]
}

@test "companion: sudo gives capabilities on the host" {
	need sudo
	is_root || skip "this user may not use sudo"
	run sudo -n grep CapEff /proc/self/status
	[[ "$output" == *CapEff:* && "$output" != *0000000000000000* ]]
}

@test "a command has no capability and cannot get one" {
	none='^Cap(Inh|Prm|Eff|Bnd|Amb):[[:space:]]*0000000000000000$'
	[ "$(substrate run -- grep -cE "$none" /proc/self/status)" = 5 ]
	[ "$(substrate run -- grep -c '^NoNewPrivs:.*1$' /proc/self/status)" = 1 ]
	without nnp # each holds alone
	[ "$(substrate run -- grep -cE "$none" /proc/self/status)" = 5 ]
}

@test "companion: capabilities are there when they are not dropped" {
	without caps
	[ "$(substrate run -- grep -c '^CapBnd:.*[1-9a-f]' /proc/self/status)" = 1 ]
	caps_only
	[ "$(substrate run -- grep -c '^CapEff:.*[1-9a-f]' /proc/self/status)" = 1 ]
}

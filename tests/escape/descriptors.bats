#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Descriptors and variables of who starts a command.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() { setup_escape; }
teardown() { teardown_escape; }

@test "a file that is stdin cannot be opened again for writing" {
	home=$(home_dir)
	echo mine >"$home/file"
	again='cat; echo evil >>/proc/self/fd/0; echo evil >/dev/stdin'
	run substrate run -- sh -c "$again" <"$home/file"
	[[ "$output" == *mine* ]]
	[ "$(cat "$home/file")" = mine ]
	run sh -c "$again" <"$home/file" # the companion
	[ "$(cat "$home/file")" = evil ]
}

@test "a file that is stdout or stderr cannot be read or cut" {
	home=$(home_dir)
	echo mine >"$home/file"
	echo other >"$home/other"
	again='exec 8>&1 9>&2; for fd in 8 9; do dd if=/proc/self/fd/$fd iflag=nonblock; done >seen
		true >/proc/self/fd/8; true >/proc/self/fd/9; true'
	substrate run -- sh -c "$again" 1>>"$home/file" 2>>"$home/other"
	[ "$(head -n 1 "$home/file")" = mine ]
	[ "$(head -n 1 "$home/other")" = other ]
	[ ! -s seen ]
	sh -c "$again" 1>>"$home/file" 2>>"$home/other" # the companion
	grep -q mine seen
	[ ! -s "$home/file" ]
}

@test "a directory that is stdin does not lead to the host" {
	home=$(home_dir)
	echo secret >"$home/file"
	again='ls /proc/self/fd/0/; cat /proc/self/fd/0/file; cd /proc/self/fd/0 && cat file ../../etc/shadow; true'
	run substrate run -- sh -c "$again" <"$home"
	[[ "$output" != *secret* && "$output" != *root:* ]]
	run sh -c "$again" <"$home" # the companion
	[[ "$output" == *secret* ]]
}

@test "other descriptors of the client do not get in" {
	home=$(home_dir)
	echo secret >"$home/file"
	again='cat <&7; cat /proc/self/fd/8/file; ls -l /proc/self/fd'
	run substrate run -- sh -c "$again" 7<"$home/file" 8<"$home"
	[[ "$output" != *secret* && "$output" != *"$home"* ]]
	run sh -c "$again" 7<"$home/file" 8<"$home" # the companion
	[[ "$output" == *secret* ]]
}

@test "descriptors of the daemon's start do not get in" {
	home=$(home_dir)
	echo secret >"$home/file"
	again='cat <&7; for fd in /proc/self/fd/*; do cat "$fd/file"; done; ls -l /proc/self/fd'
	stop_daemon
	run substrate run -- sh -c "$again" 7<"$home/file" 8<"$home"
	[[ "$output" != *secret* && "$output" != *"$home"* ]]
}

@test "descriptors of init do not get in" {
	count='ls /proc/self/fd | wc -l' # the last is the directory's own
	[ "$(substrate run -- sh -c "$count")" = 4 ]
	without fds
	[ "$(substrate run -- sh -c "$count")" -gt 4 ]
}

@test "pipes of a command lead nowhere but to their own command" {
	substrate run -- sh -c 'touch started; until [ -e end ]; do sleep 0.05; done; echo own' >own 3>&- &
	runs=$!
	wait_until test -e started
	substrate run -- sh -c 'for fd in /proc/[0-9]*/fd/[0-9]*; do
		[ "${fd%%/fd*}" = "/proc/$$" ] || readlink "$fd"; done' >seen
	touch end
	wait "$runs"
	[ "$(cat own)" = own ]
	run grep -vE '^(/|pipe:|socket:|anon_inode:)' seen
	[ "$output" = "" ]
	[ "$(grep -cE "^$SUBSTRATE_HOME|^$HOME/" seen)" = 0 ]
}

@test "secrets in the environment stay outside" {
	export AWS_SECRET_ACCESS_KEY=hunter2 GITHUB_TOKEN=hunter2 SSH_AUTH_SOCK=/tmp/hunter2 LD_PRELOAD_X=hunter2
	export DBUS_SESSION_BUS_ADDRESS=unix:path=/hunter2 DATABASE_URL=hunter2 GIT_ASKPASS=hunter2 BASH_ENV=hunter2
	stop_daemon
	[ -z "${SUBSTRATE_WITHOUT:-}" ] || start_daemon_without "" # with these variables, too
	in_world sh -c 'env; cat /proc/*/environ | tr "\0" "\n"; cat /proc/*/cmdline | tr "\0" "\n"'
	[[ "$output" != *hunter2* ]]
	[[ "$output" == *HOME=* ]]
	run substrate run --env AWS_SECRET_ACCESS_KEY=hunter2 -- env # the companion: what is named gets in
	[[ "$output" == *AWS_SECRET_ACCESS_KEY=hunter2* ]]
	in_world env # for that command alone
	[[ "$output" != *hunter2* ]]
}

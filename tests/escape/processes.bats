#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The processes of the host, and those that hold a world together.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() { setup_escape; }
teardown() { teardown_escape; }

# A host process, $victim, whose arguments tell it from others; it gets no descriptor of ours.
start_victim() {
	mark="substrate-victim-$BATS_TEST_NUMBER-$$"
	exec_sleep() { exec -a "$mark" sleep 300; }
	exec_sleep </dev/null >/dev/null 2>&1 3>&- &
	victim=$!
	wait_until grep -q "$mark" "/proc/$victim/cmdline"
}

end_victim() {
	kill -KILL "$victim"
	wait_until pid_gone "$victim"
}

# In a world and on the host: is there a process with these arguments?
find_by_mark='for file in /proc/[0-9]*/cmdline; do
	tr "\0" " " <"$file" 2>/dev/null | grep -q "^$1 " && echo seen
done; true'

is_seen() {
	[[ "$(sh -c "$find_by_mark" sh "$mark")" == *seen* ]]
}

is_gone() {
	[[ "$(sh -c "$find_by_mark" sh "$mark")" != *seen* ]]
}

@test "host processes are not seen" {
	start_victim
	in_world sh -c "$find_by_mark" sh "$mark"
	[[ "$output" != *seen* ]]
	in_world sh -c 'ls -d /proc/[0-9]*'
	[ "${#lines[@]}" -lt 10 ]
	is_seen # the companion
	end_victim
}

@test "host processes are not signalled, by pid or all at once" {
	start_victim
	in_world sh -c "kill -KILL $victim; kill -KILL -1"
	in_world true
	kill -0 "$victim"
	[ -n "$(daemon_pid)" ]
	end_victim # the companion: the same signal works on the host
}

@test "host processes are not traced, nor are their descriptors taken" {
	start_victim
	held_back ptrace "$victim"
	held_back pidfd-getfd "$victim" 0
	held_back limit "$victim"
	./attack ptrace "$victim" # the companions
	./attack pidfd-getfd "$victim" 0
	./attack limit "$victim"
	end_victim
}

@test "a second procfs on the host does not show its processes" {
	home=$(home_dir)
	# shellcheck disable=SC2154 # in_throwaway gives it
	in_throwaway '
		mkdir "$2/proc"
		mount --rbind /proc "$2/proc"
		run() { substrate run -- test -e "$1/proc/self"; }
		status=0; run "$2" || status=$?
		[ "$status" -eq 1 ]
		start_daemon_without hide # the companion
		run "$2"' "$home"
}

look_into_init='readlink /proc/1/fd/* /proc/1/root /proc/1/exe; cat /proc/1/environ; : 3<>/proc/1/mem'

@test "init cannot be traced, killed, looked into or limited" {
	held_back ptrace 1
	held_back limit 1
	held_back pidfd-getfd 1 3
	run substrate run -- bash -c "$look_into_init" 2>/dev/null
	[ "$status" -ne 0 ]
	[[ "$output" != *socket:* ]]
	before=$(init_pids)
	in_world sh -c 'kill -KILL 1; kill -STOP 1; kill -SEGV 1; kill -KILL -1'
	[ "$(substrate run -- sh -c 'echo alive')" = alive ]
	[ "$(init_pids)" = "$before" ]
}

@test "companion: without guards init can be limited" {
	without seccomp:kernel,landlock
	breaks_out limit 1
}

@test "companion: without guards init can be looked into" {
	caps_only
	without caps,landlock
	[[ "$(substrate run -- bash -c "$look_into_init")" == *socket:* ]]
	breaks_out ptrace 1
}

@test "descriptors of another process of the same world are not taken" {
	peer='sleep 60 & ./attack pidfd-getfd $! 0; status=$?; kill $!; exit $status'
	in_world sh -c "$peer"
	[ "$status" -eq 1 ]
	without seccomp:fd
	in_world sh -c "$peer"
	[ "$status" -eq 0 ]
}

@test "what an ephemeral world leaves running dies with it" {
	mark="substrate-survivor-$BATS_TEST_NUMBER-$$"
	leave='setsid bash -c "exec -a \$0 sleep 300" "$1" </dev/null >/dev/null 2>&1 &
		until grep -q "$1" /proc/$!/cmdline; do :; done'
	substrate run --ephemeral -- sh -c "$leave" sh "$mark"
	wait_until is_gone
	substrate run -- sh -c "$leave" sh "$mark" # the companion: it does run
	is_seen
	substrate world stop
	wait_until is_gone
}

@test "nothing outlives the daemon" {
	mark="substrate-survivor-$BATS_TEST_NUMBER-$$"
	substrate run -- bash -c '(exec -a "$0" sleep 300 </dev/null >/dev/null 2>&1 &)' "$mark"
	wait_until is_seen
	kill -KILL "$(daemon_pid)"
	wait_until is_gone
}

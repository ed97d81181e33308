#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job: a command runs in a world, and says how it went.

bats_require_minimum_version 1.5.0
load ../lib/common

setup() { setup_home; }
teardown() { teardown_home; }

@test "a command runs in a world, with its own output, error output and status" {
	run substrate run -- sh -c 'echo out; echo err >&2; exit 3'
	[ "$status" -eq 3 ]
	[[ "$output" == *out* && "$output" == *err* ]]
	substrate run -- sh -c 'echo out; echo err >&2' >out 2>err
	[ "$(cat out)" = out ]
	[ "$(cat err)" = err ]
}

@test "stdin reaches the command byte for byte, and its end too" {
	head -c 300000 /dev/urandom >in
	substrate run -- cat <in >out
	cmp in out
}

@test "the second command reuses the world" {
	substrate run -- true
	run substrate run --json -- true
	[ "$(jq .world_reused <<<"$output")" = true ]
}

@test "the project can be written, the system can not" {
	dir=$(make_project)
	cd "$dir"
	substrate run -- sh -c 'echo x >made'
	[ "$(cat made)" = x ]
	run substrate run -- touch /usr/made
	[ "$status" -ne 0 ]
	[ ! -e /usr/made ]
}

@test "statuses: not found, a directory, a signal, a time-out, no such directory, usage" {
	run -127 substrate run -- no-such-program-here
	[ "$status" -eq 127 ]
	run substrate run -- /usr
	[ "$status" -eq 126 ]
	run substrate run -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	run substrate run --timeout 0.2 -- sleep 60
	[ "$status" -eq 124 ]
	run substrate run --cwd /no/such/place -- true
	[ "$status" -eq 2 ]
	run substrate frobnicate
	[ "$status" -eq 2 ]
}

@test "the trace has a start and an end of each command, and its chain is whole" {
	run substrate run --json -- sh -c 'exit 7'
	span=$(jq -r .span_id <<<"$output")
	run substrate trace --json "$span"
	[ "$status" -eq 0 ]
	[ "$(jq -r '.events[0].event_type' <<<"$output")" = command_start ]
	[ "$(jq -r '.events[1].exit' <<<"$output")" = 7 ]
	substrate trace verify
}

@test "execute wants an agent_id, and says so" {
	substrate run -- true
	run curl -s -m 20 --unix-socket "$SUBSTRATE_HOME/sock/agent.sock" \
		http://localhost/v1/execute -d '{"cmd": "echo hi"}'
	[[ "$output" == *agent_id* ]]
	[ "$(jq .status <<<"$output")" = 400 ]
}

@test "execute answers with the output and the status" {
	substrate run -- true
	run curl -s -m 20 --unix-socket "$SUBSTRATE_HOME/sock/agent.sock" \
		http://localhost/v1/execute -d '{"cmd": "echo hi; exit 4", "agent_id": "claude"}'
	[ "$(jq .exit <<<"$output")" = 4 ]
	[ "$(jq -r .stdout_b64 <<<"$output" | base64 -d)" = hi ]
}

@test "two clients at once start one daemon" {
	substrate run -- true &
	first=$!
	substrate run -- true
	wait "$first"
	[ "$(substrate world list --json | jq '.worlds | length')" = 1 ]
}

@test "a signal reaches a command that does not read its stdin" {
	mkfifo full
	timeout 60 yes >full 3>&- &
	substrate run --status-fd 4 -- sleep 50 <full 4>status 3>&- &
	client=$!
	wait_until grep -q started status
	sleep 0.5 # let every queue between the two fill up
	kill -TERM "$client"
	status=0
	wait "$client" || status=$?
	[ "$status" -eq 143 ]
}

# shellcheck disable=SC2016 # the world's shell expands
@test "inside a world run executes in place, and what needs the daemon is refused" {
	cp "$SUBSTRATE_BIN/substrate" inner
	[ "$(substrate run -- ./inner run -- sh -c 'echo "$0" in place' x)" = "x in place" ]
	[ "$(substrate run -- ./inner -c 'echo $$; exec ./inner run -- sh -c "echo \$\$"' | sort -u | wc -l)" -eq 1 ]
	in_world ./inner run --json -- true
	[ "$status" -eq 2 ]
	for command in doctor trace "trace list" "world list" "world warm" "world status" "serve --stop"; do
		# shellcheck disable=SC2086 # words
		run substrate run -- ./inner $command
		echo "$command: $status: $output"
		[ "$status" -eq 125 ]
		[[ "$output" == *"this is a world"* ]]
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Attempts to get out of a world, judged by effect.  Each has a companion on the host, or in a
# world with the guard left out, that shows that the attempt itself works.

load ../lib/common

setup() {
	setup_home
	dir=$(make_project)
	cd "$dir"
}

teardown() { teardown_home; }

# without GUARDS: serve this home by a daemon that leaves the guards out.
without() {
	start_daemon_without "$1"
}

@test "a host process cannot be signalled" {
	sleep 300 3>&- &
	victim=$!
	in_world sh -c "kill -9 $victim"
	kill -0 "$victim"
	kill -9 "$victim" # the companion: on the host it works
}

@test "a protected path stays what it was" {
	mkdir -p .vscode
	echo mine >.vscode/tasks.json
	in_world sh -c 'echo evil >.vscode/tasks.json'
	[ "$(cat .vscode/tasks.json)" = mine ]
	in_world sh -c 'mv .vscode away'
	[ -d .vscode ]
}

@test "companion: without protection it can be changed" {
	mkdir -p .vscode
	echo mine >.vscode/tasks.json
	without protect
	substrate run -- sh -c 'echo evil >.vscode/tasks.json'
	[ "$(cat .vscode/tasks.json)" = evil ]
}

@test "git hooks cannot be planted in a repository" {
	in_world sh -c 'echo "touch pwned" >.git/hooks/pre-commit'
	[ ! -e .git/hooks/pre-commit ]
	in_world sh -c 'mv .git .git2'
	[ -d .git ]
}

@test "companion: without protection a hook can be planted" {
	without protect
	substrate run -- sh -c 'echo true >.git/hooks/pre-commit'
	[ -e .git/hooks/pre-commit ]
}

@test "mounting and new user namespaces are refused" {
	in_world mount -t tmpfs none /tmp
	[ "$status" -ne 0 ]
	in_world unshare -Ur true
	[ "$status" -ne 0 ]
}

@test "the host's SUBSTRATE_HOME and its socket are not there" {
	echo secret-content >"$SUBSTRATE_HOME/secret"
	in_world cat "$SUBSTRATE_HOME/secret"
	[[ "$output" != *secret-content* ]]
	[ "$status" -ne 0 ]
	in_world test -e "$SUBSTRATE_HOME/sock/agent.sock"
	[ "$status" -ne 0 ]
}

@test "secrets of the environment stay outside" {
	export AWS_SECRET_ACCESS_KEY=hunter2
	in_world env
	[[ "$output" != *hunter2* ]]
	run substrate run --env AWS_SECRET_ACCESS_KEY=hunter2 -- env # the companion
	[[ "$output" == *hunter2* ]]
}

@test "a command has no capability and cannot get one" {
	in_world grep CapEff /proc/self/status
	[[ "$output" == *0000000000000000 ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Protected paths of a project: what the host would run or trust.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() {
	setup_escape
	mkdir -p .vscode .claude/hooks
	echo mine >.vscode/tasks.json
	echo mine >.claude/hooks/start
	echo mine >.envrc
}

teardown() { teardown_escape; }

unchanged() {
	local file
	for file in .vscode/tasks.json .claude/hooks/start .envrc; do
		if [ ! -f "$file" ] || [ "$(cat "$file")" != mine ]; then
			printf '%s was changed\n' "$file" >&2
			return 1
		fi
	done
	[ "$(find .vscode .claude .envrc | wc -l)" = 6 ]
}

# Every way to change what is there.
change='
	echo evil >.vscode/tasks.json; echo evil >>.envrc; echo evil >new; mv -f new .envrc
	rm -rf .vscode .claude .envrc; mv .vscode away; mv .claude/hooks .claude/h; mv .envrc e
	mkdir -p .vscode .claude/hooks other; echo evil >other/tasks.json
	echo evil >.vscode/tasks.json; echo evil >.vscode/new.json; echo evil >.claude/hooks/start
	ln -sf "$PWD/attack" .vscode/tasks.json; ln -f .envrc hard && echo evil >hard
	chmod 0777 .vscode/tasks.json && echo evil >.vscode/tasks.json
	cd .vscode && mv ../.vscode ../away; echo evil >tasks.json; truncate -s 0 tasks.json
	python3 - <<-END
		import ctypes, os
		libc = ctypes.CDLL(None)
		for new in (b"other", b"attack"):
		    for flag in (2,):  # RENAME_EXCHANGE
		        libc.renameat2(-100, b"../.vscode", -100, b"../" + new, flag)
		        libc.renameat2(-100, b"../.envrc", -100, b"../" + new, flag)
	END
	true'

@test "protected paths are not changed by any way" {
	in_world sh -c "$change"
	unchanged
	in_world sh -c 'cat .vscode/tasks.json .claude/hooks/start .envrc' # but they can be read
	[ "$output" = "$(printf 'mine\nmine\nmine')" ]
}

@test "companion: without protection they are changed" {
	without protect
	in_world sh -c "$change"
	run unchanged
	[ "$status" -ne 0 ]
}

@test "ancestors of protected paths are not renamed away" {
	git worktree add -q ../side
	mv ../side .
	git worktree repair side
	in_world sh -c 'mv .git g2; mv .git/worktrees .git/w2; mv .git/worktrees/side .git/worktrees/s2
		mv .git/hooks .git/h2; true'
	gone g2 .git/w2 .git/worktrees/s2 .git/h2
	[ -d .git/worktrees/side ]
	[ -d .git/hooks ]
	git rev-parse --verify -q HEAD
	without protect # the companion
	substrate run -- sh -c 'mv .git/worktrees .git/w2; mv .git g2'
	[ -d g2/w2 ]
}

@test "the project itself is not renamed away" {
	in_world sh -c 'cd .. && mv project p2; mv "$0" "$0.away"' "$PWD"
	[ -d "$PWD/.vscode" ]
	gone "$PWD.away" "${PWD%/*}/p2"
}

@test "protected paths that do not exist are set aside when a command makes them" {
	rm -r .vscode .claude .envrc
	in_world sh -c 'mkdir -p .vscode .claude .codex .cursor .substrate
		for d in .vscode .claude .codex .cursor .substrate; do echo evil >$d/evil; done
		echo evil >.envrc; echo evil >.mcp.json; echo evil >.substrate-profile; true'
	gone .vscode .claude .codex .cursor .substrate .envrc .mcp.json .substrate-profile
	grep -qr evil "$SUBSTRATE_HOME/aside"
}

@test "what is renamed, linked or exchanged to a protected name is set aside too" {
	rm -r .vscode .claude .envrc
	in_world sh -c 'mkdir evil; echo evil >evil/tasks.json; mv evil .vscode; ln -s ../evil .claude
		echo evil >file; ln file .envrc; mkfifo .mcp.json; ln -s nowhere .cursor'
	gone .vscode .claude .envrc .mcp.json .cursor
}

@test "companion: without protection all of these stay" {
	rm -r .vscode .claude .envrc
	without protect
	in_world sh -c 'mkdir evil; echo evil >evil/tasks.json; mv evil .vscode; ln -s ../evil .claude; echo evil >.envrc'
	[ "$(cat .vscode/tasks.json .envrc)" = "$(printf 'evil\nevil')" ]
	[ -L .claude ]
}

@test "what a command makes while it runs on is set aside, too" {
	rm .envrc
	substrate run -- sh -c 'echo evil >.envrc; while [ ! -e end ]; do sleep 0.05; done' 3>&- &
	runs=$!
	is_aside() { [ ! -e .envrc ] && grep -qrs evil "$SUBSTRATE_HOME/aside"; }
	wait_until is_aside
	touch end
	wait "$runs"
	gone .envrc
}

@test "what the last process of a world makes is set aside, too" {
	rm .envrc
	substrate run -- sh -c 'setsid sh -c "until [ -e go ]; do sleep 0.05; done; echo evil >.envrc; touch ended" \
		</dev/null >/dev/null 2>&1 &'
	touch go
	wait_until test -e ended
	is_gone() { [ ! -e .envrc ]; }
	wait_until is_gone
}

# An editor on the host writes a new file and renames it over the old one, which takes the mount away.
@test "a protected file that the host replaces is protected again, before the next command" {
	substrate run -- true
	echo mine >new
	mv new .envrc
	echo mine >new
	mv new .vscode/tasks.json
	in_world sh -c "$change"
	unchanged
}

@test "a protected directory that the host replaces is protected again" {
	substrate run -- true
	mv .vscode old
	mkdir .vscode
	echo mine >.vscode/tasks.json
	rm -r old
	in_world sh -c "$change"
	unchanged
}

@test "a protected file that the host replaces is protected again while a command runs" {
	substrate run -- sh -c 'touch started; until [ -e go ]; do sleep 0.05; done
		while echo evil 2>/dev/null >>.envrc; do sleep 0.05; done' 3>&- &
	runs=$!
	wait_until test -e started
	echo mine >new
	mv new .envrc
	touch go
	wait_until pid_gone "$runs"
	in_world sh -c 'echo evil >.envrc; echo evil >.vscode/tasks.json'
	[ "$(cat .vscode/tasks.json)" = mine ]
	[ "$(head -c 4 .envrc)" = mine ]
}

@test "companion: without protection the host's new file is changed" {
	without protect
	substrate run -- true
	echo mine >new
	mv new .envrc
	substrate run -- sh -c 'echo evil >.envrc'
	[ "$(cat .envrc)" = evil ]
}

@test "what the host makes while the world stands is protected" {
	rm -r .vscode
	substrate run -- true
	mkdir .vscode
	echo mine >.vscode/tasks.json
	in_world sh -c "$change"
	unchanged
}

# Links where the plan would mount: nothing is mounted or made where they lead.
@test "planted links are not followed when a world starts" {
	mkdir ../victim
	echo mine >../victim/tasks.json
	rm -r .vscode .claude .envrc
	in_world sh -c 'mkdir -p .git/worktrees; ln -s ../../victim .git/worktrees/evil; ln -s .. build
		ln -s ../../.. .git/modules; ln -s ../victim sub; ln -s ../../victim .git/info.d'
	ln -s ../victim .vscode # as a commit of somebody else's would
	ln -s ../victim/tasks.json .envrc
	ln -s .. .claude
	substrate world restart
	in_world sh -c 'touch "$0/started"; echo evil >.vscode/tasks.json; echo evil >.envrc
		touch build/new .claude/new sub/new .git/worktrees/evil/commondir' "$PWD"
	[ -e started ]
	[ "$(cat ../victim/tasks.json)" = mine ]
	[ "$(ls -A ../victim)" = tasks.json ]
	gone ../new
	without readonly,landlock,tmp,protect # the companion: a link is followed where nothing holds it
	in_world sh -c 'echo evil >.vscode/tasks.json'
	[ "$(cat ../victim/tasks.json)" = evil ]
}

@test "a protected path that is a link cannot be made a directory" {
	rm -r .vscode
	ln -s .claude .vscode
	in_world sh -c 'rm .vscode; mkdir .vscode; echo evil >.vscode/tasks.json'
	[ ! -e .vscode/tasks.json ]
	without protect # the companion
	in_world sh -c 'rm -f .vscode; mkdir .vscode; echo evil >.vscode/tasks.json'
	[ -e .vscode/tasks.json ]
}

# Links at the place where things are set aside, and in what is set aside.
@test "setting aside follows no link" {
	mkdir ../victim
	echo mine >../victim/file
	rm -r .vscode .claude .envrc
	in_world sh -c 'mkdir -p .vscode/deep; ln -s ../../victim .vscode/link; ln -s ../../../victim .vscode/deep/link
		ln -s ../victim .claude; ln -s ../victim/file .envrc'
	gone .vscode .claude .envrc
	[ "$(cat ../victim/file)" = mine ]
	[ "$(ls -A ../victim)" = file ]
}

@test "a linked worktree cannot be led elsewhere" {
	git worktree add -q -b side ../side
	cd ../side
	cp ../project/attack .
	before=$(cat .git)
	in_world sh -c 'echo "gitdir: $PWD/evil" >.git; rm -f .git; mv .git g; mkdir .git
		common=$(git rev-parse --git-common-dir); own=$(git rev-parse --git-dir)
		echo evil >"$common/hooks/pre-commit"; echo evil >"$own/commondir"; echo evil >"$own/gitdir"
		echo evil >"$own/config.worktree"; mv "$own" "$own.away"; mv "$common/hooks" "$common/h"; true'
	[ "$(cat .git)" = "$before" ]
	git rev-parse --verify -q HEAD
	gone ../project/.git/hooks/pre-commit ../project/.git/h ../project/.git/worktrees/side.away
	gone ../project/.git/worktrees/side/config.worktree
	[ "$(cat ../project/.git/worktrees/side/commondir)" = ../.. ]
	without protect # the companion
	substrate run -- sh -c 'echo evil >"$(git rev-parse --git-common-dir)/hooks/pre-commit"; rm .git'
	[ -e ../project/.git/hooks/pre-commit ]
	gone .git
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Places where a project may lie, and places that a world has of its own.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() { setup_escape; }
teardown() { teardown_escape; }

# in_place DIR: work in a new project there.
in_place() {
	make_project "$1" >/dev/null
	cp attack "$1"
	cd "$1"
}

@test "a project that is \$HOME can be read but for what is hidden, and not be written" {
	use_home
	mkdir "$HOME/.ssh"
	echo secret >"$HOME/.ssh/id_ed25519"
	in_place "$HOME"
	echo mine >file
	in_world sh -c 'cat file; cat .ssh/*; echo evil >file; echo evil >new; echo evil >.bashrc; mv .ssh s; touch .git/x'
	[[ "$output" == *mine* && "$output" != *secret* ]]
	[ "$(cat file)" = mine ]
	gone new .bashrc s .git/x
}

@test "companion: without these guards such a project is written and read" {
	use_home
	mkdir "$HOME/.ssh"
	echo secret >"$HOME/.ssh/id_ed25519"
	in_place "$HOME"
	without readonly,landlock,hide,cache
	in_world sh -c 'cat .ssh/*; echo evil >new'
	[[ "$output" == *secret* ]]
	[ -e new ]
}

@test "the real home as a project is not written either" {
	real=$(getent passwd "$(id -u)" | cut -d: -f6)
	home=$(home_dir) # something in it to look at
	cp attack "$home"
	cd "$real"
	run substrate run -- sh -c 'echo evil >"$1/new"; touch substrate-escape.new' sh "$home"
	[ "$status" -ne 0 ]
	gone "$home/new" substrate-escape.new
	run substrate run -- "$home/attack" io-uring
	[ "$status" -eq 1 ] # it does run
}

@test "a project below the home leaves the home alone" {
	use_home
	echo mine >"$HOME/file"
	in_place "$HOME/project"
	in_world sh -c 'echo evil >../file; echo evil >../.bashrc; touch made; mv ../project ../p; rm -rf ../file'
	[ "$(cat ../file)" = mine ]
	[ -e made ]
	gone ../.bashrc ../p
}

@test "a project below root's home leaves the rest of it alone, for root and for others" {
	root_only
	home=$(home_dir) # it lies in /root
	[[ "$home" == /root/* ]] || skip "root's home is elsewhere"
	echo secret >"$home/file"
	in_place "$home/a/project"
	in_world sh -c 'echo evil >../../file; touch ../new made; mv ../../a ../../b'
	gone ../new ../../b
	[ -e made ]
	[ "$(cat ../../file)" = secret ]
	# A project of somebody else: that user's world, which sees nothing of root's home but it.
	chown -R "$SUBSTRATE_TEST_USER" .
	in_world sh -c 'id -u; cat ../../file; ls -A /root ../..; touch theirs'
	[[ "$output" == "$(id -u "$SUBSTRATE_TEST_USER")"* ]]
	[[ "$output" != *secret* && "$output" != *.bashrc* ]]
	[ "$(stat -c %U theirs)" = "$SUBSTRATE_TEST_USER" ]
}

@test "a project below /tmp: of /tmp nothing else is seen, written or renamed" {
	beside=$(mktemp -d "/tmp/substrate-beside.XXXXXX")
	mkdir -p "$BATS_TEST_TMPDIR/made"
	ln -s "$beside" "$BATS_TEST_TMPDIR/made/beside" # for teardown
	echo secret >"$beside/file"
	in_place "$beside/p/project"
	echo secret >../file
	in_world sh -c 'cat "$0/file" ../file; touch "$0/new" ../new made; ls -A ..; mv ../../p ../../p2
		rm -f "$0/file" ../file; mv ../project ../p3; true' "$beside"
	[[ "$output" != *secret* ]]
	[ -e made ]
	[ -d "$beside/p/project" ]
	gone "$beside/new" ../new ../../p2 ../p3
	[ "$(cat "$beside/file" ../file)" = "$(printf 'secret\nsecret')" ]
	without tmp,landlock # the companion
	in_world sh -c 'cat "$0/file"; touch "$0/new"' "$beside"
	[[ "$output" == *secret* ]]
	[ -e "$beside/new" ]
}

@test "/tmp, /var/tmp, /run and /dev/shm are the world's own" {
	for place in /tmp /var/tmp /dev/shm; do
		name="$place/substrate-escape.$$"
		echo secret >"$name"
		run substrate run -- sh -c 'cat "$0"; echo evil >"$0"; echo evil >"$0.new"; true' "$name"
		[[ "$output" != *secret* ]]
		content=$(cat "$name")
		rm "$name"
		[ "$content" = secret ]
		gone "$name.new"
	done
	[ "$(substrate run -- ls -A /run | sort | tr '\n' ' ')" = "lock substrate user " ]
}

@test "companion: without an own /tmp it is the host's" {
	name="/tmp/substrate-escape.$$"
	echo secret >"$name"
	without tmp,landlock
	run substrate run -- sh -c 'cat "$0"; echo evil >"$0"' "$name"
	content=$(cat "$name")
	rm "$name"
	[ "$output" = secret ]
	[ "$content" = evil ]
}

@test "an ephemeral world has nothing of the session's, and leaves nothing to it" {
	substrate run -- sh -c 'echo of the session >/tmp/file; sleep 300 </dev/null >/dev/null 2>&1 &'
	[ "$(substrate run -- cat /tmp/file)" = "of the session" ] # the companion: the session's world has it
	run substrate run --ephemeral -- sh -c 'cat /tmp/file; cat /proc/[0-9]*/cmdline | tr "\0" " "; echo evil >/tmp/ephemeral'
	[[ "$output" != *"of the session"* && "$output" != *"sleep 300"* ]]
	run substrate run -- cat /tmp/ephemeral
	[ "$status" -eq 1 ]
}

@test "worlds of two agents have nothing in common but the project and its caches" {
	substrate run --agent one -- sh -c 'echo secret >/tmp/file; echo secret >/dev/shm/file; ipcmk -Q >/dev/null
		python3 -c "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(\"\\0one\"); s.listen(); time.sleep(300)" \
			</dev/null >/dev/null 2>&1 &
		until grep -q @one /proc/net/unix; do :; done'
	look='cat /tmp/file /dev/shm/file /proc/net/unix; ipcs -q; cat /proc/[0-9]*/cmdline | tr "\0" " "'
	run substrate run --agent one -- sh -c "$look" # the companion
	[[ "$output" == *secret* && "$output" == *@one* && "$output" == *0x* ]]
	run substrate run --agent two -- sh -c "$look"
	[[ "$output" != *secret* && "$output" != *@one* && "$output" != *"0x"* && "$output" != *socket* ]]
}

@test "caches of a world are not the host's" {
	use_home
	mkdir -p "$HOME/.cache/tool" "$HOME/.npm"
	echo secret >"$HOME/.cache/tool/file"
	in_world sh -c 'cat "$0/.cache/tool/file"; mkdir -p "$0/.cache/tool"; echo evil >"$0/.cache/tool/file"
		echo evil >"$0/.npm/new"' "$HOME"
	[[ "$output" != *secret* ]]
	[ "$(cat "$HOME/.cache/tool/file")" = secret ]
	gone "$HOME/.npm/new"
	without cache # the companion
	in_world cat "$HOME/.cache/tool/file"
	[[ "$output" == *secret* ]]
}

@test "system directories, / and SUBSTRATE_HOME are no projects to write to" {
	for place in / /etc /usr /var /tmp; do
		cd "$place"
		run substrate run -- sh -c 'touch substrate-escape.new; touch ./etc/substrate-escape.new'
		[ "$status" -ne 0 ]
		gone "$place/substrate-escape.new" /etc/substrate-escape.new
	done
	cd "$SUBSTRATE_HOME"
	run substrate run -- true
	[ "$status" -ne 0 ]
}

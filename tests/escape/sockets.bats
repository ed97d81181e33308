#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sockets that a world may not make, and sockets of the host.

load ../lib/common
load escape

setup() { setup_escape; }

teardown() {
	end_servers
	[ ! -f "$BATS_TEST_TMPDIR/other" ] || stop_daemon "$(cat "$BATS_TEST_TMPDIR/other")"
	teardown_escape
}

# serve ADDRESS: a server on the host, which touches $PWD/reached when somebody connects, and ends.
serve() {
	rm -f ready reached
	./attack serve "$1" ready reached </dev/null >/dev/null 2>&1 3>&- &
	echo "$!" >>"$BATS_TEST_TMPDIR/servers"
	wait_until test -e ready
}

end_servers() {
	local pid
	[ -f "$BATS_TEST_TMPDIR/servers" ] || return 0
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null || true
	done <"$BATS_TEST_TMPDIR/servers"
	rm "$BATS_TEST_TMPDIR/servers"
}

# reaches ADDRESS: the companion of an attack on a server: connecting to it works.
reaches() {
	./attack connect "$1"
	wait_until test -e reached
}

# out_of_reach ADDRESS: a world cannot connect, and nobody has.
out_of_reach() {
	held_back connect "$1" && gone reached
}

# Sockets as numbers: family, type, protocol.
raw4="2 3 1" raw6="10 3 58" ping="2 2 1" packet="17 3 768" vsock="40 1 0" alg="38 5 0" sctp="2 1 132"
audit="16 3 9" bluetooth="31 3 1" can="29 3 1" xdp="44 3 0" uevent="16 3 15" netfilter="16 3 12"

# shellcheck disable=SC2086 # three numbers each
@test "raw, packet, vsock, alg and other unusual sockets are not made" {
	for kind in "$raw4" "$raw6" "$ping" "$packet" "$vsock" "$alg" "$sctp" "$audit" "$bluetooth" \
		"$can" "$xdp" "$uevent" "$netfilter"; do
		held_back socket $kind
	done
	breaks_out socket 1 1 0
	breaks_out socket 2 1 0
	breaks_out socket 10 2 0
	breaks_out socket 16 3 0
}

# Without capabilities: vsock and netlink take none, which is why the filter counts.
# shellcheck disable=SC2086
@test "companion: without the filter vsock and netlink sockets are made" {
	without seccomp:socket
	breaks_out socket $audit
	breaks_out socket $uevent
	run substrate run -- ./attack socket $vsock
	[[ "$output" != *"not supported by protocol"* ]] || skip "this kernel has no vsock"
	[ "$status" -eq 0 ]
}

# shellcheck disable=SC2086
@test "companion: without the filter alg sockets are made" {
	without seccomp:socket
	run substrate run -- ./attack socket $alg
	[[ "$output" != *"not supported by protocol"* ]] || skip "this kernel has no alg sockets"
	[ "$status" -eq 0 ]
}

# shellcheck disable=SC2086
@test "companion: with capabilities and without the filter raw and packet sockets are made" {
	caps_only
	without seccomp:socket,caps
	breaks_out socket $raw4
	breaks_out socket $packet
}

@test "a server on the host's loopback is out of reach" {
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	serve "tcp:$port"
	out_of_reach "tcp:$port"
	reaches "tcp:$port"
}

@test "an abstract socket of the host is out of reach" {
	serve "abstract:substrate-escape-$$"
	out_of_reach "abstract:substrate-escape-$$"
	reaches "abstract:substrate-escape-$$"
}

@test "the daemon's socket is out of reach" {
	substrate run -- true
	cd "$SUBSTRATE_HOME/sock"
	"$OLDPWD/attack" connect unix:agent.sock # the companion
	cd "$OLDPWD"
	in_world sh -c "cd '$SUBSTRATE_HOME/sock' && '$PWD/attack' connect unix:agent.sock"
	[ "$status" -ne 0 ]
	in_world test -e "$SUBSTRATE_HOME/sock/agent.sock"
	[ "$status" -ne 0 ]
}

# another_daemon: serve another home, below that of who runs the suite, and set `other` to it.
another_daemon() {
	other=$(home_dir)/other
	echo "$other" >"$BATS_TEST_TMPDIR/other"
	SUBSTRATE_HOME=$other substrate run -- true
	substrate world restart
}

@test "the socket of another daemon is out of reach of worlds that started later" {
	another_daemon
	./attack connect "unix:$other/sock/agent.sock" # the companion
	held_back connect "unix:$other/sock/agent.sock"
}

@test "companion: without hiding the socket of another daemon is in reach" {
	without hide
	another_daemon
	breaks_out connect "unix:$other/sock/agent.sock"
}

@test "companion: without hiding and an own /tmp the daemon's socket is in reach" {
	without hide,tmp
	substrate run -- sh -c "cd '$SUBSTRATE_HOME/sock' && '$PWD/attack' connect unix:agent.sock"
}

@test "a socket that the host made before the start is out of reach" {
	home=$(home_dir)
	mkdir "$home/app"
	for place in "$home/app/socket" "$home/socket" "$PWD/socket"; do
		serve "unix:$place"
		substrate world restart
		out_of_reach "unix:$place"
		reaches "unix:$place"
	done
}

@test "companion: without hiding such a socket is in reach" {
	home=$(home_dir)
	mkdir "$home/app"
	serve "unix:$home/app/socket"
	without hide
	breaks_out connect "unix:$home/app/socket"
	wait_until test -e reached
}

@test "a later socket is out of reach where a skeleton stands" {
	use_home # a home is a skeleton, as it holds hidden paths
	mkdir "$HOME/.aws"
	substrate run -- true
	for place in "$HOME/socket" "$HOME/.aws/socket" "/tmp/substrate-escape-$$"; do
		serve "unix:$place"
		out_of_reach "unix:$place"
		reaches "unix:$place"
		rm "$place"
	done
}

# The limit that SECURITY.md names; a kernel whose Landlock knows sockets closes it.
@test "a later socket in a tree that is bound whole can be reached: a known limit" {
	home=$(home_dir)
	mkdir "$home/app"
	substrate run -- true
	serve "unix:$home/app/socket"
	abi=$(substrate world list --json | grep -o '"landlock_abi":[0-9]*')
	if [ "${abi#*:}" -ge 9 ]; then
		out_of_reach "unix:$home/app/socket"
	else
		breaks_out connect "unix:$home/app/socket"
	fi
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The daemon's life: it is started on demand, once, by whom it belongs to; it leaves when it is idle;
# its worlds end with it; and what ran is known afterwards.

# Scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

bats_require_minimum_version 1.5.0
load ../lib/common

setup() { setup_home; }

teardown() {
	teardown_home
	remove_user_dirs
}

# daemons: the pids of all daemons of this test's programs that serve its SUBSTRATE_HOME.
daemons() {
	local proc
	for proc in /proc/[0-9]*; do
		[ "$(readlink "$proc/exe" 2>/dev/null)" = "$SUBSTRATE_BIN/substrated" ] || continue
		tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -qxF "SUBSTRATE_HOME=$SUBSTRATE_HOME" ||
			continue
		printf '%s\n' "${proc#/proc/}"
	done
}

# running MARK: true while a process that is no zombie has MARK as a word of its command line.
running() {
	local proc
	for proc in /proc/[0-9]*; do
		tr '\0' '\n' 2>/dev/null <"$proc/cmdline" | grep -qxF -- "$1" && return 0
	done
	return 1
}

not_running() {
	! running "$1"
}

# new_mark: print a number of seconds, for sleep, that nobody else sleeps.
new_mark() {
	echo "1$RANDOM$RANDOM.$$"
}

# background [OPTION...] -- COMMAND...: `substrate run` in the background.  Its pid is in $client;
# what it says on --status-fd is in ./messages.
background() {
	: >messages
	"$SUBSTRATE_BIN/substrate" run --status-fd 9 "$@" 9>messages </dev/null >out 2>err 3>&- &
	client=$!
	wait_until started
}

# client_ends STATUS: the client of background ends, with this status.
client_ends() {
	local status=0
	wait "$client" || status=$?
	echo "the client ended with status $status"
	[ "$status" -eq "$1" ]
}

started() {
	grep -q '"type":"started"' messages
}

# message FIELD: a member of the first message.
message() {
	head -n 1 messages | jq -r "$1"
}

# survivor MARK: leave a process running in the world; print its command's span.
survivor() {
	substrate run --json -- sh -c "sleep $1 </dev/null >/dev/null 2>&1 &" | jq -r .span_id
}

status_json() {
	substrate world status --json
}

# Starting -------------------------------------------------------------------------------------

@test "clients that start at once get one daemon" {
	clients=()
	for i in 1 2 3 4 5 6; do
		"$SUBSTRATE_BIN/substrate" run --json -- true >"out$i" 3>&- &
		clients+=($!)
	done
	for i in "${clients[@]}"; do
		wait "$i"
	done
	[ "$(daemons | wc -l)" -eq 1 ]
	[ "$(daemons)" = "$(daemon_pid)" ]
	# All of them ran in one world.
	[ "$(cat out? | jq -r .world_id | sort -u | wc -l)" -eq 1 ]
	substrate trace verify
}

@test "a stale socket is replaced, after a crash and when it is something else" {
	substrate run -- true
	first=$(daemon_pid)
	kill -KILL "$first"
	wait_until pid_gone "$first"
	[ -S "$SUBSTRATE_HOME/sock/agent.sock" ]
	substrate run -- true
	second=$(daemon_pid)
	[ -n "$second" ]
	[ "$second" != "$first" ]
	stop_daemon
	# Bound by a program that has gone: connecting is refused.
	python3 -c 'import os, socket, sys
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind("agent.sock")' "$SUBSTRATE_HOME/sock"
	substrate run -- true
	stop_daemon
	echo "no socket" >"$SUBSTRATE_HOME/sock/agent.sock"
	substrate run -- true
	[ -S "$SUBSTRATE_HOME/sock/agent.sock" ]
}

@test "a live socket is never replaced, even when its daemon does not answer" {
	substrate run -- true
	pid=$(daemon_pid)
	socket=$(stat -c %i "$SUBSTRATE_HOME/sock/agent.sock")
	run substrate serve
	echo "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *"another daemon (pid $pid) serves $SUBSTRATE_HOME"* ]]
	kill -STOP "$pid"
	run substrate serve
	[ "$status" -ne 0 ]
	"$SUBSTRATE_BIN/substrate" run -- touch ran 3>&- &
	client=$!
	[ "$(stat -c %i "$SUBSTRATE_HOME/sock/agent.sock")" = "$socket" ]
	[ "$(daemons)" = "$pid" ]
	kill -CONT "$pid"
	wait "$client"
	[ -e ran ]
	[ "$(daemon_pid)" = "$pid" ]
	[ "$(stat -c %i "$SUBSTRATE_HOME/sock/agent.sock")" = "$socket" ]
}

@test "a second daemon that is started by a client's rule steps back" {
	substrate run -- true
	pid=$(daemon_pid)
	run "$SUBSTRATE_BIN/substrated" --ready-fd 9 9>said
	[ "$status" -eq 0 ]
	[ "$(cat said)" = "running $pid" ]
	[ "$(daemon_pid)" = "$pid" ]
}

# refused_home HOME TEXT: no daemon starts there, and the client says TEXT.
refused_home() {
	run env SUBSTRATE_HOME="$1" "$SUBSTRATE_BIN/substrate" run -- true
	printf '%s\n' "$output"
	[ "$status" -eq 125 ] || return 1
	[[ "$output" == *"$2"* ]] || return 1
	[ -z "$(daemon_pid "$1")" ] || return 1
	[ ! -e "$1/sock" ] || return 1
	[ ! -e "$1/trace.jsonl" ]
}

@test "SUBSTRATE_HOME and its socket are private; a home that is open is refused" {
	chmod 0755 "$SUBSTRATE_HOME"
	refused_home "$SUBSTRATE_HOME" "use chmod 700 $SUBSTRATE_HOME"
	[ "$(stat -c %a "$SUBSTRATE_HOME")" = 755 ]
	rm -r "$SUBSTRATE_HOME"
	umask 0
	substrate run -- true
	[ "$(stat -c %a "$SUBSTRATE_HOME")" = 700 ]
	[ "$(stat -c %a "$SUBSTRATE_HOME/sock")" = 700 ]
	[ "$(stat -c %a "$SUBSTRATE_HOME/sock/agent.sock")" = 600 ]
	[ -z "$(find "$SUBSTRATE_HOME" -maxdepth 1 -type f -perm /077)" ]
}

@test "SUBSTRATE_HOME of another owner is refused" {
	if is_root; then
		home=$(user_dir)
	else
		home=/usr/share
	fi
	refused_home "$home" "belongs to uid"
	# The owner of the directory above could put another one in its place.
	if is_root; then
		mkdir -m 0700 "$home/mine"
		refused_home "$home/mine" "belongs to uid"
	fi
	ln -s "$home" link
	refused_home "$PWD/link" "belongs to uid"
}

@test "SUBSTRATE_HOME below a directory that others can write is refused" {
	mkdir -p open/home/below
	chmod 0700 open/home/below
	chmod 0777 open
	refused_home "$PWD/open/home/below" "can be written by others"
	chmod 0775 open
	refused_home "$PWD/open/home/below" "can be written by others"
	ln -s "$PWD/open/home/below" link
	refused_home "$PWD/link" "can be written by others"
	# In a sticky directory nobody else can rename it.
	chmod 1777 open
	SUBSTRATE_HOME="$PWD/open/home/below"
	substrate run -- true
}

@test "a home with a long path, and one that is relative" {
	long="$PWD/$(printf 'x%.0s' {1..120})/home"
	mkdir -p "${long%/*}"
	SUBSTRATE_HOME=relative run -2 substrate run -- true
	[[ "$output" == *"not absolute"* ]]
	SUBSTRATE_HOME="$long"
	substrate run -- true
	[ -n "$(daemon_pid)" ]
}

# Ending ---------------------------------------------------------------------------------------

@test "SUBSTRATE_IDLE_EXIT: an idle daemon leaves, and the next client starts another" {
	export SUBSTRATE_IDLE_EXIT=1
	substrate run -- true
	pid=$(daemon_pid)
	wait_until pid_gone "$pid"
	[ ! -e "$SUBSTRATE_HOME/sock/agent.sock" ]
	substrate run -- true
	substrate trace verify
	[ "$(substrate trace list --json | jq '.spans | length')" -eq 2 ]
}

@test "SUBSTRATE_IDLE_EXIT: a command and what it left running keep the daemon" {
	export SUBSTRATE_IDLE_EXIT=1
	substrate run -- sleep 3
	# If the daemon left before, the survivor would end without writing.
	substrate run -- sh -c '(sleep 3; echo done >ended) </dev/null >/dev/null 2>&1 &'
	pid=$(daemon_pid)
	wait_until test -s ended
	wait_until pid_gone "$pid"
}

@test "SUBSTRATE_IDLE_EXIT that is no number: 125, and it is said" {
	SUBSTRATE_IDLE_EXIT=soon run substrate run -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *SUBSTRATE_IDLE_EXIT* ]]
}

@test "SIGTERM ends the daemon and all that runs in its worlds" {
	mark=$(new_mark)
	survivor "$mark"
	running "$mark"
	stop_daemon
	wait_until not_running "$mark"
	[ ! -e "$SUBSTRATE_HOME/sock/agent.sock" ]
}

@test "kill -9 of the daemon leaves nothing of its worlds" {
	mark=$(new_mark)
	survivor "$mark"
	background -- sleep "$mark"
	init=$(status_json | jq '.worlds[0].init_pid')
	kill -0 "$init"
	pid=$(daemon_pid)
	kill -KILL "$pid"
	wait_until pid_gone "$init"
	wait_until not_running "$mark"
	client_ends 125
	[[ "$(cat err)" == "substrate: "* ]]
	# No process of the daemon's is left, whatever it was.
	[ -z "$(daemons)" ]
	[ -z "$(pgrep -P "$pid")" ]
}

@test "a command that was open when the daemon died is marked lost by the next one" {
	substrate run -- true
	background -- sleep "$(new_mark)"
	span=$(message .span_id)
	pid=$(daemon_pid)
	kill -KILL "$pid"
	wait_until pid_gone "$pid"
	client_ends 125
	run substrate trace --json "$span"
	echo "$output"
	[ "$(jq -r '.events[0].event_type' <<<"$output")" = command_start ]
	[ "$(jq -r '.events[-1].event_type' <<<"$output")" = command_complete ]
	[ "$(jq -r '.events[-1].status' <<<"$output")" = lost ]
	[ "$(substrate trace list --status lost --json | jq -r '.spans[].span_id')" = "$span" ]
	run substrate trace list --status bogus
	[ "$status" -eq 2 ]
	[[ "$output" == *"not_found"* ]]
	# It is closed once.
	stop_daemon
	[ "$(substrate trace --json "$span" | jq '.events | length')" -eq 2 ]
	substrate trace verify
}

@test "kill -9 of a world's init: its command is lost, the next one gets a new world" {
	mark=$(new_mark)
	background -- sleep "$mark"
	first=$(message .world_id)
	kill -KILL "$(status_json | jq '.worlds[0].init_pid')"
	client_ends 125
	wait_until not_running "$mark"
	run substrate run --json -- true
	[ "$(jq -r .status <<<"$output")" = ok ]
	[ "$(jq -r .world_id <<<"$output")" != "$first" ]
	[ "$(substrate trace list --status lost --json | jq '.spans | length')" -eq 1 ]
}

@test "a client that is killed takes its command with it" {
	mark=$(new_mark)
	background -- sleep "$mark"
	running "$mark"
	kill -KILL "$client"
	wait_until not_running "$mark"
}

# In the foreground ----------------------------------------------------------------------------

# notified NAME: listen at the socket NAME for what a service says; each message is a line of
# ./notified.
notified() {
	python3 - "$1" >notified 3>&- <<-'PY' &
		import socket, sys
		sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		name = sys.argv[1]
		sock.bind("\0" + name[1:] if name[0] == "@" else name)
		sock.settimeout(60)
		print("listening", flush=True)
		text = ""
		while "STOPPING=1" not in text:
		    text = sock.recv(4096).decode()
		    print(text, flush=True)
	PY
	listener=$!
	wait_until grep -q listening notified
}

@test "serve: in the foreground, says that it is ready and that it stops" {
	for name in "$BATS_TEST_TMPDIR/notify" "@substrate-test-$$-$RANDOM"; do
		notified "$name"
		NOTIFY_SOCKET="$name" "$SUBSTRATE_BIN/substrate" serve </dev/null >log 2>&1 3>&- &
		service=$!
		wait_until grep -qx READY=1 notified
		# Whoever was told may connect at once, and it is the process itself that serves.
		[ "$(daemon_pid)" = "$service" ]
		substrate run -- true
		[ "$(daemon_pid)" = "$service" ]
		kill -TERM "$service"
		wait "$service"
		wait "$listener"
		grep -qx STOPPING=1 notified
	done
}

@test "serve --stop: ends the daemon, and is content when there is none" {
	[ "$(substrate serve --stop)" = "no daemon runs" ]
	[ -z "$(daemon_pid)" ]
	substrate run -- true
	pid=$(daemon_pid)
	[ "$(substrate serve --stop --json)" = '{"stopping":true}' ]
	wait_until pid_gone "$pid"
	[ "$(substrate serve --stop --json)" = '{"stopping":false}' ]
}

# Worlds ---------------------------------------------------------------------------------------

@test "world warm: starts a world once" {
	[ "$(substrate world list)" = "no worlds" ]
	run substrate world warm --json
	[ "$(jq .world_reused <<<"$output")" = false ]
	world=$(jq -r .world_id <<<"$output")
	run substrate world warm --json
	[ "$(jq .world_reused <<<"$output")" = true ]
	[ "$(jq -r .world_id <<<"$output")" = "$world" ]
	run substrate run --json -- true
	[ "$(jq -r .world_id <<<"$output")" = "$world" ]
	[ "$(jq .world_reused <<<"$output")" = true ]
	[[ "$(substrate world warm)" == "$world is ready" ]]
}

@test "world list and status: all worlds, and those of this project with what runs in them" {
	mkdir one two
	substrate run --cwd one --agent bee -- true
	cd two
	background -- sleep "$(new_mark)"
	run substrate world list
	[ "${#lines[@]}" -eq 3 ]
	[[ "$output" == *bee*"$BATS_TEST_TMPDIR/work/one"* ]]
	[ "$(substrate world list --json | jq '.worlds | length')" -eq 2 ]
	run substrate world status --json
	[ "$(jq -r '.worlds[].project' <<<"$output")" = "$PWD" ]
	[ "$(jq -r '.worlds[0].state' <<<"$output")" = ready ]
	[ "$(jq -r '.worlds[0].commands[0].span_id' <<<"$output")" = "$(message .span_id)" ]
	[ "$(jq -r '.worlds[0].commands[0].argv[0]' <<<"$output")" = sleep ]
	[ "$(jq -r '.worlds[0].processes[0].survivor' <<<"$output")" = false ]
	[ "$(substrate world status --cwd ../one --json | jq -r '.worlds[].agent_id')" = bee ]
	[ "$(substrate world status --cwd ../one --agent cat)" = "no world stands for this project" ]
	[[ "$(substrate world status)" == *"command"*"sleep"* ]]
	kill -TERM "$client"
	client_ends 143
	[ "$(status_json | jq '.worlds[0].commands | length')" -eq 0 ]
}

@test "survivors are listed and killed, by their command" {
	first=$(new_mark)
	second=$(new_mark)
	span=$(survivor "$first")
	other=$(survivor "$second")
	run substrate world status --json
	[ "$(jq '.worlds[0].processes | length' <<<"$output")" -eq 2 ]
	[ "$(jq -r --arg span "$span" '.worlds[0].processes[] | select(.span_id == $span) |
		"\(.comm) \(.survivor)"' <<<"$output")" = "sleep true" ]
	[[ "$(substrate world status)" == *"left over"*sleep*"$span"* ]]
	[ "$(substrate world kill "$span")" = killed ]
	wait_until not_running "$first"
	running "$second"
	[ "$(status_json | jq -r '.worlds[0].processes[].span_id')" = "$other" ]
	substrate world kill --json "$other"
	wait_until not_running "$second"
	[ "$(status_json | jq '.worlds[0].processes | length')" -eq 0 ]
}

@test "world kill ends a command with all that it started" {
	mark=$(new_mark)
	background -- sh -c "setsid sleep $mark & sleep $mark"
	wait_until running "$mark"
	substrate world kill "$(message .span_id)"
	client_ends 137
	wait_until not_running "$mark"
}

@test "world restart: another world, the same session, and nothing of the old one" {
	mark=$(new_mark)
	survivor "$mark"
	before=$(status_json)
	run substrate world restart --json
	[ "$(jq .world_reused <<<"$output")" = false ]
	[ "$(jq .session_id <<<"$output")" = "$(jq '.worlds[0].session_id' <<<"$before")" ]
	[ "$(jq .world_id <<<"$output")" != "$(jq '.worlds[0].world_id' <<<"$before")" ]
	wait_until not_running "$mark"
	[ "$(status_json | jq '.worlds | length')" -eq 1 ]
}

@test "world stop: of this project, of one agent, of all" {
	mkdir one two
	mark=$(new_mark)
	substrate run --cwd one --agent bee -- true
	substrate run --cwd one --agent cat -- true
	substrate run --cwd two -- true
	[ "$(substrate world stop --cwd one --agent cat --json)" = '{"stopped":1}' ]
	[ "$(substrate world stop --cwd one)" = "stopped 1 world" ]
	[ "$(substrate world stop --cwd one --json)" = '{"stopped":0}' ]
	cd two
	background -- sleep "$mark"
	[ "$(substrate world stop --all --json)" = '{"stopped":1}' ]
	client_ends 125
	wait_until not_running "$mark"
	[ "$(substrate trace --json "$(message .span_id)" | jq -r '.events[-1].status')" = lost ]
	[ "$(substrate world stop --all --json)" = '{"stopped":0}' ]
}

@test "world plan and doctor say what would be, and start no world" {
	[[ "$(substrate world plan)" == *"$PWD"* ]]
	[ "$(substrate world plan --json | jq '.steps | length')" -gt 10 ]
	substrate doctor
	[ "$(substrate world doctor --json | jq .ok)" = true ]
	[ "$(substrate world list)" = "no worlds" ]
	# The hash of the plan is the one that the world then has.
	hash=$(substrate world plan --json | jq -r .hash)
	substrate run -- true
	[ "$(status_json | jq -r '.worlds[0].plan_hash')" = "$hash" ]
	# The trace has it too, and another one for the rules.
	event=$(substrate trace --json | jq -c '.events[-1]')
	[ "$(jq -r .plan_hash <<<"$event")" = "$hash" ]
	rules=$(jq -r .policy_commit <<<"$event")
	[ "${#rules}" -eq 64 ]
	[ "$rules" != "$hash" ]
	substrate run --ephemeral -- true
	[ "$(substrate trace --json | jq -r '.events[-1].policy_commit')" = "$rules" ]
}

# The trace ------------------------------------------------------------------------------------

# tampered PYTHON: change the lines of the trace, `lines`, while no daemon runs; verify then says no.
tampered() {
	stop_daemon
	cp "$SUBSTRATE_HOME/trace.jsonl" saved
	python3 - "$SUBSTRATE_HOME/trace.jsonl" "$1" <<-'PY'
		import pathlib, sys
		path = pathlib.Path(sys.argv[1])
		lines = path.read_text().splitlines(True)
		exec(sys.argv[2])
		path.write_text("".join(lines))
	PY
	run substrate trace verify
	printf '%s\n' "$output"
	[ "$status" -eq 1 ] || return 1
	[ "$(substrate trace verify --json | jq .intact)" = false ] || return 1
	stop_daemon
	cp saved "$SUBSTRATE_HOME/trace.jsonl"
	substrate trace verify
}

@test "trace verify: a trace that was changed is not intact" {
	for word in one two three; do
		substrate run -- true "$word"
	done
	substrate trace verify
	tampered 'lines[2] = lines[2].replace("one", "0ne")'
	tampered 'del lines[3]'
	tampered 'lines[2], lines[3] = lines[3], lines[2]'
	tampered 'lines.insert(3, lines[3])'
	tampered 'lines[1] = "nonsense\n"'
}

@test "trace verify: a change behind the daemon's back is seen, and so is a missing end" {
	substrate run -- true one
	head=$(substrate trace verify --json | jq -r .head)
	substrate run -- true two
	substrate trace verify --head "$head"
	sed -i 's/"two"/"2wo"/' "$SUBSTRATE_HOME/trace.jsonl"
	run -1 substrate trace verify
	stop_daemon
	sed -i 's/"2wo"/"two"/' "$SUBSTRATE_HOME/trace.jsonl"
	head=$(substrate trace verify --json | jq -r .head)
	stop_daemon
	# An end that is cut off leaves a chain; a head that was noted elsewhere tells.
	sed -i '$d' "$SUBSTRATE_HOME/trace.jsonl"
	run -1 substrate trace verify --head "$head"
}

# What the trace says of a command -------------------------------------------------------------

@test "trace SPAN tells what was set aside while the command ran, and where it is kept" {
	git init -q .
	span=$(substrate run --json -- sh -c 'echo x >.envrc; while [ -e .envrc ]; do sleep 0.05; done' |
		jq -r .span_id)
	substrate trace "$span" | tee shown
	kept=$(sed -n 's/.* set_aside  [^ ]*\/.envrc .*  \(\/.*\)$/\1/p' shown)
	[ "$(cat "$kept")" = x ]
}

@test "a refused command has its place in the trace; what is no request has none" {
	run -125 --separate-stderr substrate run --json --cwd "$SUBSTRATE_HOME" -- true
	span=$(jq -r .span_id <<<"$output")
	substrate trace "$span" | grep "^status *error"
	before=$(wc -l <"$SUBSTRATE_HOME/trace.jsonl")
	curl -sS --unix-socket "$SUBSTRATE_HOME/sock/agent.sock" http://localhost/v1/execute \
		-d '{"agent_id": "a", "cmd": "true", "cwd": "/no/such"}' | jq -e '.status == 400'
	[ "$(wc -l <"$SUBSTRATE_HOME/trace.jsonl")" -eq "$before" ]
}

# Detached commands ----------------------------------------------------------------------------

# ended_by_kill SPAN: the trace has its end.
ended_by_kill() {
	[ "$(substrate trace --json "$1" | jq -r '.events[-1].signal')" = 9 ]
}

@test "a detached command goes on without its client, and is listed and ended" {
	mark=$(new_mark)
	span=$(substrate run --detach -- sh -c "cat; echo unseen; exec sleep $mark")
	[[ "$span" == spn_* ]]
	wait_until running "$mark"
	[ "$(status_json | jq -r '.worlds[0].commands[0].span_id')" = "$span" ]
	[ "$(substrate trace list --status running --json | jq -r '.spans[].span_id')" = "$span" ]
	substrate world kill "$span"
	wait_until not_running "$mark"
	wait_until ended_by_kill "$span"
	# The same by the API.
	run curl -sS --unix-socket "$SUBSTRATE_HOME/sock/agent.sock" http://localhost/v1/execute \
		-d "{\"agent_id\":\"a\",\"cwd\":\"$PWD\",\"cmd\":\"sleep $mark\",\"detach\":true}"
	[ "$(jq -r .status <<<"$output")" = running ]
	wait_until running "$mark"
	substrate world kill "$(jq -r .span_id <<<"$output")"
	wait_until not_running "$mark"
	# Over a stream that leaves, the end of stdin comes with it.
	python3 - "$SUBSTRATE_HOME/sock/agent.sock" "$PWD" <<-'PY'
		import base64, json, os, socket, struct, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		          b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n")
		start = json.dumps({"agent_id": "a", "cwd": sys.argv[2], "detach": True, "stdin": "stream",
		                    "cmd": "cat; echo ended >ended"}).encode()
		s.sendall(b"\x81\xfe" + struct.pack(">H", len(start)) + bytes(4) + start)
		data = b""
		while b'"started"' not in data:
		    more = s.recv(65536)
		    assert more, data
		    data += more
		s.close()
	PY
	wait_until test -s ended
	# What cannot run is said as ever.
	run -127 substrate run --detach -- no-such-command
	[ "$status" -eq 127 ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad input gets a clear message and the documented status, and the daemon stays up: the same
# process answers before and after each of these tests.

# Scripts in single quotes are for another shell.
# shellcheck disable=SC2016

bats_require_minimum_version 1.5.0
load ../lib/common

setup() {
	setup_home
	# The limit on the length of arguments is a quarter of this.
	ulimit -S -s 8192
	substrate run -- true
	pid=$(daemon_pid)
	[ -n "$pid" ]
}

teardown() {
	local now
	now=$(daemon_pid)
	substrate run -- true
	teardown_home
	[ "$now" = "$pid" ]
}

# refuse STATUS TEXT COMMAND...: the command ends with STATUS, and says TEXT in its error output,
# which is one line that names substrate.
refuse() {
	local wanted=$1 text=$2
	shift 2
	# An empty stdin, so that a command that runs after all ends.
	run --separate-stderr "-$wanted" "$@" </dev/null
	# shellcheck disable=SC2154 # run sets it
	printf '%s\n' "status $status" "$output" "$stderr"
	[ "$status" -eq "$wanted" ] || return 1
	[[ "$stderr" == "substrate: "*"$text"* ]] || return 1
	[ -z "$output" ]
}

# api METHOD PATH [CURL-OPTION...]: print the answer's body; its status is in $code, its type in
# $type.
api() {
	local method=$1 path=$2 head=$BATS_TEST_TMPDIR/head
	shift 2
	body=$(curl -sS -m 60 -X "$method" -D "$head" -H 'Expect:' \
		--unix-socket "$SUBSTRATE_HOME/sock/agent.sock" "http://localhost$path" "$@")
	code=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$head")
	type=$(sed -n 's/^Content-Type: \([^\r]*\).*/\1/Ip' "$head")
	printf '%s %s %s\n' "$code" "$type" "$body"
}

# execute OBJECT: POST it to /v1/execute.
execute() {
	api POST /v1/execute --data-binary "$1"
}

# problem STATUS TEXT: the last answer is a problem of this status, and its detail has TEXT.
problem() {
	[ "$code" = "$1" ] || return 1
	[ "$type" = application/problem+json ] || return 1
	[ "$(jq .status <<<"$body")" = "$1" ] || return 1
	[[ "$(jq -r .type <<<"$body")" == urn:substrate:problem:* ]] || return 1
	[[ "$(jq -r .detail <<<"$body")" == *"$2"* ]]
}

# raw: send what stdin has to the socket, byte by byte as it is; the status line of the answer and
# its body are in $answer.
raw() {
	answer=$(python3 -c '
import os, socket, sys
where = os.open(sys.argv[1] + "/sock", os.O_PATH | os.O_DIRECTORY)
conn = socket.socket(socket.AF_UNIX)
conn.settimeout(60)
conn.connect(f"/proc/self/fd/{where}/agent.sock")
conn.sendall(sys.stdin.buffer.read())
data = b""
while chunk := conn.recv(65536):
    data += chunk
sys.stdout.write(data.decode("utf-8", "replace"))
' "$SUBSTRATE_HOME")
	printf '%s\n' "$answer"
}

# The command line ---------------------------------------------------------------------------

@test "an unknown option or subcommand: 2, and a suggestion" {
	refuse 2 frobnicate substrate frobnicate
	refuse 2 status substrate world statsu
	refuse 2 --timeout substrate run --timeuot 3 -- true
	refuse 2 frob substrate trace --frob
	refuse 2 -q substrate run -q -- true
	refuse 2 --ephemeral substrate run --ephemeral=yes -- true
}

@test "what is missing or not a value: 2" {
	refuse 2 "" substrate run
	refuse 2 "" substrate run --
	refuse 2 -c substrate -c
	refuse 2 --cwd substrate run --cwd
	refuse 2 --timeout substrate run --timeout soon -- true
	refuse 2 --timeout substrate run --timeout -1 -- true
	refuse 2 --env substrate run --env =x -- true
	refuse 2 --env substrate run --env NAME -- true
	refuse 2 --status-fd substrate run --status-fd 77 -- true
	refuse 2 profile substrate run --profile other -- true
	refuse 2 agent substrate run --agent 'Not Valid' -- true
	refuse 2 "" substrate world kill
	refuse 2 "" substrate world stop too many
	refuse 2 "" substrate run -- ''
	refuse 2 "--no-pty" substrate run --pty --no-pty -- true
}

@test "what later versions bring is known by name: 2" {
	refuse 2 "not available yet" substrate run --isolated -- true
	refuse 2 "not available yet" substrate undo
}

@test "a working directory that is missing or a file: 2" {
	touch file
	refuse 2 "No such file or directory" substrate run --cwd /no/such -- true
	refuse 2 "not a directory" substrate run --cwd file -- true
	refuse 2 "ot a directory" substrate run --cwd file/below -- true
	ln -s loop loop
	refuse 2 loop substrate run --cwd loop -- true
	refuse 2 --cwd substrate run --cwd '' -- true
	mkdir gone
	cd gone
	rmdir ../gone
	refuse 2 directory substrate run -- true
	refuse 2 directory substrate world warm
}

@test "a working directory in SUBSTRATE_HOME, or hidden: 125" {
	refuse 125 SUBSTRATE_HOME substrate run --cwd "$SUBSTRATE_HOME" -- true
	refuse 125 SUBSTRATE_HOME substrate run --cwd "$SUBSTRATE_HOME/sock" -- true
	# What is hidden of a home is known to the daemon by its own HOME.
	stop_daemon
	export HOME="$PWD/home"
	mkdir -p "$HOME/.gnupg"
	substrate run -- true
	pid=$(daemon_pid)
	refuse 125 "not visible" substrate run --cwd "$HOME/.gnupg" -- true
}

@test "a directory, a script without an interpreter, what is no program: 126" {
	printf '#!/no/such/interpreter\n' >lost
	printf 'echo hi\n' >bare
	printf '\177ELF and nothing else' >broken
	printf '#!/bin/sh\n' >closed
	chmod +x lost bare broken
	ln -s loop loop
	refuse 126 "is a directory" substrate run -- /usr
	refuse 126 "is a directory" substrate run -- ./
	refuse 126 "interpreter is not there" substrate run -- ./lost
	refuse 126 "neither a program nor a script" substrate run -- ./bare
	refuse 126 "neither a program nor a script" substrate run -- ./broken
	refuse 126 "ermission denied" substrate run -- ./closed
	refuse 126 "symbolic links" substrate run -- ./loop
	refuse 127 "not found" substrate run -- ./missing
	refuse 127 "not found" substrate run -- no-such-command
	refuse 127 "not found" substrate run -- ./bare/below
}

# many KIB: print so many arguments of 1 KiB, each with its NUL.
many() {
	python3 -c 'import sys; sys.stdout.write(("a" * 1023 + "\0") * int(sys.argv[1]))' "$1"
}

@test "2 MiB of arguments: 126; less is delivered whole; over 4 MiB: 126" {
	# The client needs room for them itself; the daemon runs with the usual limit.
	ulimit -S -s 65536 || skip_or_fail "the limit on the stack cannot be raised"
	many 1800 >arguments
	xargs -0 -s 2500000 -a arguments "$SUBSTRATE_BIN/substrate" run -- \
		sh -c 'echo $#; printf "%s\0" "$@" >delivered' sh >count
	[ "$(cat count)" = 1800 ]
	cmp arguments delivered
	many 2048 >arguments
	run -126 python3 - "$SUBSTRATE_BIN/substrate" <<-'PY'
		import os, sys
		words = open("arguments").read().split("\0")[:-1]
		os.execv(sys.argv[1], ["substrate", "run", "--", "true", *words])
	PY
	[[ "$output" == *"too long"* ]]
	many 4096 >arguments
	run -126 python3 - "$SUBSTRATE_BIN/substrate" <<-'PY'
		import os, sys
		words = open("arguments").read().split("\0")[:-1]
		os.execv(sys.argv[1], ["substrate", "run", "--", "true", *words])
	PY
	[[ "$output" == *"4194304 bytes"* ]]
}

@test "names and text that are not UTF-8 pass through byte for byte" {
	name=$'caf\351\n\001'
	mkdir "$name"
	cd "$name"
	printf '#!/bin/sh\nprintf "%%s|" "$0" "$1" "$PWD" "$NAME"; : >"$1"\n' >$'tool\376'
	chmod +x $'tool\376'
	substrate run --env NAME=$'\374' -- ./$'tool\376' $'made\375' >../out
	printf '%s|' ./$'tool\376' $'made\375' "$PWD" $'\374' >../wanted
	cmp ../out ../wanted
	[ -e $'made\375' ]
	cd "$OLDPWD"
	[ "$(substrate run --cwd "$name" pwd)" = "$PWD/$name" ]
	refuse 127 'no-such-\xff' substrate run -- $'no-such-\377'
	refuse 2 'no-such-\xff' substrate run --cwd $'no-such-\377' -- true
	# What is shown of it is text, and a terminal is safe from it.
	substrate trace >shown
	substrate world list >>shown
	iconv -f UTF-8 -t UTF-8 shown
	run -1 grep -q $'\001' shown
	substrate trace verify
}

@test "a reason with a name that is not UTF-8 can be told" {
	name=$'caf\351'
	mkdir "$name"
	cd "$name"
	stop_daemon
	SUBSTRATE_HOME="$PWD/home"
	substrate run --status-fd 9 -- true 9>../messages
	cat ../messages
	[[ "$(jq -r 'select(.type == "started").notices[0]' <../messages)" == *'caf\xe9'*SUBSTRATE_HOME* ]]
	run substrate world status
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"holds SUBSTRATE_HOME"* ]]
	pid=$(daemon_pid)
}

@test "closed standard streams: stdin is empty, output that cannot be written is 125" {
	[ "$(substrate run -- wc -c <&-)" = 0 ]
	run -3 substrate run -- sh -c 'exit 3' <&-
	bash -c '"$SUBSTRATE_BIN/substrate" run -- true <&- >&- 2>&-'
	run -125 bash -c '"$SUBSTRATE_BIN/substrate" run -- echo out >&-'
	[[ "$output" == "substrate: "*"standard output"* ]]
	run -125 bash -c '"$SUBSTRATE_BIN/substrate" run -- echo out >/dev/full'
	run -125 bash -c '"$SUBSTRATE_BIN/substrate" run -- sh -c "echo err >&2" 2>&-'
	# The closed number is not reused for something that the command then writes to.
	bash -c '"$SUBSTRATE_BIN/substrate" run -- sh -c "echo out; echo err >&2" 2>&- >out' || true
	[ "$(cat out)" = out ]
}

@test "what is not there: 1" {
	refuse 1 "" substrate trace spn_00000000-0000-7000-8000-000000000000
	refuse 1 "" substrate world kill spn_00000000-0000-7000-8000-000000000000
	refuse 2 "" substrate trace no-span
}

# The API ------------------------------------------------------------------------------------

@test "execute without an agent_id, or with a bad one: 400" {
	execute '{"cmd": "true"}'
	problem 400 agent_id
	execute '{"cmd": "true", "agent_id": ""}'
	problem 400 agent_id
	execute '{"cmd": "true", "agent_id": null}'
	problem 400 agent_id
	execute '{"cmd": "true", "agent_id": "../up"}'
	problem 400 agent_id
	execute '{"cmd": "true", "agent_id": 7}'
	problem 400 agent_id
}

@test "NUL in an argument, in a variable or in a directory: 400" {
	execute '{"agent_id": "a", "argv": ["echo", "a\u0000b"]}'
	problem 400 u0000
	execute '{"agent_id": "a", "argv": ["echo", {"b64": "YQBi"}]}'
	problem 400 NUL
	execute '{"agent_id": "a", "cmd": {"b64": "YQBi"}}'
	problem 400 NUL
	execute '{"agent_id": "a", "cmd": "true", "env": {"A": {"b64": "YQBi"}}}'
	problem 400 NUL
	execute '{"agent_id": "a", "cmd": "true", "cwd": {"b64": "LwBi"}}'
	problem 400 NUL
}

@test "JSON with duplicate keys, unknown fields, or that is none: 400" {
	execute '{"agent_id": "a", "cmd": "true", "cmd": "false"}'
	problem 400 duplicate
	execute '{"agent_id": "a", "cmd": "true", "env": {"A": "1", "A": "2"}}'
	problem 400 duplicate
	execute '{"agent_id": "a", "cmd": "true", "root": true}'
	problem 400 "unknown field 'root'"
	execute '{"agent_id": "a", "cmd": "true"'
	problem 400 ""
	execute '{"agent_id": "a", "cmd": "true"} x'
	problem 400 ""
	execute '[1]'
	problem 400 object
	execute ''
	problem 400 ""
	execute $'{"agent_id": "a", "cmd": "\377"}'
	problem 400 ""
	execute "$(printf '[%.0s' {1..1000})"
	problem 400 deeper
}

@test "fields of a wrong type or value: 400, and the field is named" {
	execute '{"agent_id": "a"}'
	problem 400 "exactly one of cmd and argv"
	execute '{"agent_id": "a", "cmd": "true", "argv": ["true"]}'
	problem 400 "exactly one of cmd and argv"
	execute '{"agent_id": "a", "argv": "true"}'
	problem 400 argv
	execute '{"agent_id": "a", "argv": [1]}'
	problem 400 argv
	execute '{"agent_id": "a", "argv": [""]}'
	problem 400 argv
	execute '{"agent_id": "a", "cmd": "true", "pty": 1}'
	problem 400 pty
	execute '{"agent_id": "a", "cmd": "true", "pty": true, "rows": 0}'
	problem 400 rows
	execute '{"agent_id": "a", "cmd": "true", "pty": true, "cols": 10000}'
	problem 400 cols
	execute '{"agent_id": "a", "cmd": "true", "profile": "other"}'
	problem 400 profile
	execute '{"agent_id": "a", "cmd": "true", "timeout_ms": -1}'
	problem 400 timeout_ms
	execute '{"agent_id": "a", "cmd": "true", "timeout_ms": 1e30}'
	problem 400 timeout_ms
	execute '{"agent_id": "a", "cmd": "true", "umask": 512}'
	problem 400 umask
	execute '{"agent_id": "a", "cmd": "true", "env": {"A=B": "x"}}'
	problem 400 env
	execute '{"agent_id": "a", "cmd": "true", "env": ["A=B"]}'
	problem 400 env
}

@test "a bad working directory: 400 where it is none, 403 or 503 where it cannot be seen" {
	touch file
	execute '{"agent_id": "a", "cmd": "true", "cwd": "/no/such"}'
	problem 400 /no/such
	execute '{"agent_id": "a", "cmd": "true", "cwd": "relative"}'
	problem 400 absolute
	execute "{\"agent_id\": \"a\", \"cmd\": \"true\", \"cwd\": \"$PWD/file\"}"
	problem 400 "not a directory"
	execute "{\"agent_id\": \"a\", \"cmd\": \"true\", \"cwd\": \"$SUBSTRATE_HOME\"}"
	problem 503 SUBSTRATE_HOME
	[ "$(jq .exit <<<"$body")" = 125 ]
}

@test "a command that cannot run is a result: 200, with its status" {
	execute '{"agent_id": "a", "argv": ["no-such-command"]}'
	[ "$code" = 200 ]
	[ "$(jq -r '.exit, .status' <<<"$body")" = $'127\nnot_found' ]
	execute '{"agent_id": "a", "argv": ["/usr"]}'
	[ "$(jq -r '.exit, .status' <<<"$body")" = $'126\nnot_executable' ]
	[[ "$(jq -r .error <<<"$body")" == *"is a directory"* ]]
	python3 -c 'import json
print(json.dumps({"agent_id": "a", "argv": ["true"] + ["a" * 1023] * 2048}))' >long
	execute @long
	[ "$(jq -r '.exit, .status' <<<"$body")" = $'126\nnot_executable' ]
	[[ "$(jq -r .error <<<"$body")" == *"too long"* ]]
}

@test "a body over 4 MiB: 413, with a length and in chunks" {
	python3 -c 'import json
print(json.dumps({"agent_id": "a", "cmd": "touch made; #" + "x" * (4 << 20)}))' >large
	execute @large
	problem 413 limit
	api POST /v1/execute -H 'Transfer-Encoding: chunked' --data-binary @large
	problem 413 limit
	[ ! -e made ]
}

@test "a head that can be read in two ways: 400, and the connection is closed" {
	object='{"agent_id": "a", "cmd": "touch made"}'
	# raw reads until the end of the connection: a daemon that did not close it would time out.
	raw <<<$'POST /v1/execute HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r
Transfer-Encoding: chunked\r\n\r\n26\r\n'"$object"$'\r\n0\r\n\r'
	[[ "$answer" == "HTTP/1.1 400 "*"Content-Length and Transfer-Encoding"* ]]
	raw <<<$'POST /v1/execute HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 38\r\n\r
'"$object"
	[[ "$answer" == "HTTP/1.1 400 "*"Host is repeated"* ]]
	raw <<<$'POST /v1/execute HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r
Content-Length: 39\r\n\r\n'"$object"
	[[ "$answer" == "HTTP/1.1 400 "* ]]
	raw <<<$'POST /v1/execute HTTP/1.1\r\nContent-Length: 38\r\n\r\n'"$object"
	[[ "$answer" == "HTTP/1.1 400 "*Host* ]]
	raw <<<$'POST /v1/execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r
26\r\n'"$object"$'\r\n0\r\n\r'
	[[ "$answer" == "HTTP/1.1 400 "* ]]
	raw <<<$'POST /v1/execute HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'"$object"
	[[ "$answer" == "HTTP/1.1 4"* ]]
	raw <<<$'\001\002 not http at all\r\n\r'
	[[ "$answer" == "" || "$answer" == "HTTP/1."*" 400 "* ]]
	[ ! -e made ]
	# The same request, well-formed, does run.
	execute '{"agent_id": "a", "cmd": "touch '"$PWD"'/made"}'
	[ -e made ]
}

@test "an unknown route: 404; a wrong method: 405, with the right one" {
	api GET /v1/nothing
	problem 404 route
	api GET /v1/execute
	problem 405 POST
	grep -qi '^allow: POST' "$BATS_TEST_TMPDIR/head"
	api GET /v1/trace/../../etc/passwd --path-as-is
	problem 404 ""
	api GET /v1/worlds/plan
	problem 400 cwd
	api POST /v1/worlds/stop --data-binary '{"everything": true}'
	problem 400 everything
	api POST /v1/worlds/kill --data-binary '{"span_id": 7}'
	problem 400 span
}

@test "the stream: a first message that is no execute object, and messages that are none" {
	python3 - "$SUBSTRATE_HOME" <<-'PY'
		import base64, json, os, socket, struct, sys

		def connect():
		    where = os.open(sys.argv[1] + "/sock", os.O_PATH | os.O_DIRECTORY)
		    conn = socket.socket(socket.AF_UNIX)
		    conn.settimeout(60)
		    conn.connect(f"/proc/self/fd/{where}/agent.sock")
		    key = base64.b64encode(os.urandom(16)).decode()
		    conn.sendall(f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
		                 f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		                 f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
		    head = b""
		    while b"\r\n\r\n" not in head:
		        head += conn.recv(1)
		    assert head.startswith(b"HTTP/1.1 101 "), head
		    return conn

		def frame(op, data, mask=True):
		    bit = 0x80 if mask else 0
		    size = (bytes([bit | len(data)]) if len(data) < 126
		            else bytes([bit | 126]) + struct.pack("!H", len(data)))
		    return bytes([0x80 | op]) + size + (b"\0" * 4 if mask else b"") + data

		def talk(*frames):
		    """The messages of the daemon until it closes."""
		    conn = connect()
		    conn.sendall(b"".join(frames))
		    data = b""
		    while chunk := conn.recv(65536):
		        data += chunk
		    return data

		start = json.dumps({"agent_id": "a", "cwd": os.getcwd(), "argv": ["sleep", "60"]}).encode()
		for first, word in [
		    (frame(2, b"\0data"), b"execute object"),
		    (frame(1, b"nonsense"), b"nonsense"),
		    (frame(1, b'{"agent_id": "a", "agent_id": "b"}'), b"duplicate"),
		    (frame(1, b'{"argv": ["true"]}'), b"agent_id"),
		    (frame(1, start) + frame(1, b'{"type": "dance"}'), b"dance"),
		    (frame(1, start) + frame(1, b'{"type": "signal", "signal": 99}'), b"signal"),
		    (frame(1, start) + frame(2, b"\7data"), b"byte 0"),
		]:
		    said = talk(first)
		    assert b'"problem"' in said and word in said, (first, said)
		# What is no WebSocket at all ends the connection.
		talk(frame(1, start, mask=False))
		talk(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	PY
	api GET /v1/stream
	problem 426 WebSocket
}

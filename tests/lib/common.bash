# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers for the bats suites; tests/README.md describes the contract.  Load it with
#
#     load ../lib/common
#
#     setup() { setup_home; }
#     teardown() { teardown_home; }

# A guard against a hang, not an expectation about speed.
HANG_S=60

# The client under test.
substrate() {
	"$SUBSTRATE_BIN/substrate" "$@"
}

# in_world COMMAND...: bats' `run` of a command in a world.  Fails when substrate itself failed (125):
# an attack that never ran proves nothing.
in_world() {
	run substrate run -- "$@"
	# shellcheck disable=SC2154 # run sets both
	if [ "$status" -eq 125 ]; then
		printf 'no world ran this: %s\n' "$output" >&2
		return 1
	fi
}

# skip_or_fail REASON: what this test needs is missing on this machine.  It is skipped, unless
# SUBSTRATE_MUST_WORK=1 says that this machine has everything.
skip_or_fail() {
	if [ "${SUBSTRATE_MUST_WORK:-0}" = 1 ]; then
		echo "missing here, and SUBSTRATE_MUST_WORK is set: $1" >&2
		return 1
	fi
	skip "$1"
}

# need COMMAND...: skip_or_fail unless every one of these programs is installed.
need() {
	local name
	for name; do
		command -v "$name" >/dev/null || skip_or_fail "$name is not installed" || return 1
	done
}

# Give the test a SUBSTRATE_HOME of its own and work in a folder of its own.
setup_home() {
	if [ ! -x "${SUBSTRATE_BIN:?names the folder with the programs}/substrate" ]; then
		echo "$SUBSTRATE_BIN: no program substrate there" >&2
		return 1
	fi
	export SUBSTRATE_HOME="$BATS_TEST_TMPDIR/home"
	# A daemon that a killed test leaves behind goes away by itself.
	export SUBSTRATE_IDLE_EXIT="${SUBSTRATE_IDLE_EXIT:-120}"
	unset SUBSTRATE_WORLD SUBSTRATE_AGENT_ID SUBSTRATE_SPAN_ID
	mkdir -m 0700 "$SUBSTRATE_HOME" || return 1
	mkdir "$BATS_TEST_TMPDIR/work" && cd "$BATS_TEST_TMPDIR/work" || return 1
	# The whole suite is also run with a guard left out: see start_daemon_without.
	[ -z "${SUBSTRATE_WITHOUT:-}" ] || start_daemon_without ""
}

# start_daemon_without GUARDS: start the daemon that leaves out these guards of its worlds
# (comma-separated, as tests/programs/substrated_without.c names them) and those that the run leaves
# out anyway.  It takes the place of a daemon that runs.
start_daemon_without() {
	local guards="${SUBSTRATE_WITHOUT:-}${SUBSTRATE_WITHOUT:+${1:+,}}$1"
	stop_daemon || return 1
	SUBSTRATE_WITHOUT="$guards" "$SUBSTRATE_BIN/substrated-without" \
		</dev/null >>"$BATS_TEST_TMPDIR/without.log" 2>&1 3>&- &
	wait_until daemon_or_end "$!" || return 1
	if [ -z "$(daemon_pid)" ]; then
		cat "$BATS_TEST_TMPDIR/without.log" >&2
		return 1
	fi
}

# daemon_or_end PID: true when a daemon listens, or when PID has ended without getting there.
daemon_or_end() {
	[ -n "$(daemon_pid)" ] || pid_gone "$1"
}

# Stop the daemon of this test.  Fails when there is one that does not go when it is asked to.
teardown_home() {
	cd /
	[ -n "${SUBSTRATE_HOME:-}" ] || return 0
	stop_daemon "$SUBSTRATE_HOME"
}

# daemon_pid [HOME]: print the pid of the daemon that listens in HOME, or nothing.
daemon_pid() {
	python3 - "${1:-$SUBSTRATE_HOME}" <<-'PY'
		import os, socket, struct, sys
		try:
		    # Through a descriptor: the path may be longer than a socket address holds.
		    where = os.open(sys.argv[1] + "/sock", os.O_PATH | os.O_DIRECTORY)
		    conn = socket.socket(socket.AF_UNIX)
		    conn.connect(f"/proc/self/fd/{where}/agent.sock")
		    peer = conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
		    print(struct.unpack("3i", peer)[0])
		except OSError:
		    pass
	PY
}

# pid_gone PID: true when the process has ended, even if nobody has reaped it yet.
pid_gone() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	stat=${stat##*) }
	[ "${stat:0:1}" = Z ]
}

# wait_until COMMAND...: repeat the command until it succeeds; fail after HANG_S seconds.
wait_until() {
	local end=$((SECONDS + HANG_S))
	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "gave up waiting for: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# stop_daemon [HOME]: end the daemon that listens in HOME with SIGTERM, if there is one.
stop_daemon() {
	local pid
	pid=$(daemon_pid "${1:-$SUBSTRATE_HOME}")
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	wait_until pid_gone "$pid" && return 0
	kill -KILL "$pid"
	return 1
}

# make_project [DIR]: make a git repository with one commit and print its path.
make_project() {
	local dir=${1:-$PWD/project}
	mkdir -p "$dir" || return 1
	git -C "$dir" init -q -b main || return 1
	git -C "$dir" config user.name tester
	git -C "$dir" config user.email tester@localhost
	git -C "$dir" commit -q --allow-empty -m first || return 1
	printf '%s\n' "$dir"
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# as_user COMMAND...: run the command as the ordinary user SUBSTRATE_TEST_USER when the suite runs
# as root, else as who runs it.  The user's HOME is set; SUBSTRATE_BIN is readable for it.
as_user() {
	if ! is_root; then
		"$@"
		return
	fi
	if ! id -u "${SUBSTRATE_TEST_USER:-}" >/dev/null 2>&1; then
		skip_or_fail "SUBSTRATE_TEST_USER names no user to run as"
		return
	fi
	runuser -u "$SUBSTRATE_TEST_USER" -- env \
		HOME="$(getent passwd "$SUBSTRATE_TEST_USER" | cut -d: -f6)" \
		USER="$SUBSTRATE_TEST_USER" LOGNAME="$SUBSTRATE_TEST_USER" "$@"
}

# user_dir: make and print a folder that as_user owns, 0700.  It is removed with remove_user_dirs.
user_dir() {
	local dir
	dir=$(as_user mktemp -d /tmp/substrate-user.XXXXXX) || return 1
	printf '%s\n' "$dir" >>"$BATS_TEST_TMPDIR/user_dirs"
	printf '%s\n' "$dir"
}

# remove_user_dirs: for teardown, after the daemons in them are stopped.
remove_user_dirs() {
	local dir
	[ -f "$BATS_TEST_TMPDIR/user_dirs" ] || return 0
	while read -r dir; do
		rm -rf -- "$dir"
	done <"$BATS_TEST_TMPDIR/user_dirs"
}

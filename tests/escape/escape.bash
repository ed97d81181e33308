# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers for the escape suite, on top of ../lib/common.  Load both with
#
#     load ../lib/common
#     load escape
#
#     setup() { setup_escape; }
#     teardown() { teardown_escape; }
#
# A test attacks from a world and looks at the effect.  Its companion is the same attack where the
# guard is left out, in the same test after `without GUARDS`, or on the host when the guard is that
# the world has its own of something.  A companion that fails says that the attack proves nothing.

# Work in a project with one commit that holds the attack program.
setup_escape() {
	setup_home || return 1
	local dir
	dir=$(make_project) || return 1
	cd "$dir" || return 1
	# Where everybody looks up the suite's folder, a world does not see it.
	cp "$SUBSTRATE_BIN/substrate-attack" attack || return 1
}

teardown_escape() {
	teardown_home || return 1
	local made
	for made in "$BATS_TEST_TMPDIR"/made/*; do
		[ ! -L "$made" ] || rm -rf -- "$(readlink "$made")"
	done
}

# without GUARDS: serve this home by a daemon that leaves the guards out of its worlds.
without() {
	start_daemon_without "$1"
}

# breaks_out NAME [ARG...]: this attack of tests/programs/attack.h goes through in a world.
breaks_out() {
	in_world ./attack "$@" || return 1
	# shellcheck disable=SC2154 # in_world sets both
	if [ "$status" -ne 0 ]; then
		printf 'attack %s: status %d: %s\n' "$*" "$status" "$output" >&2
		return 1
	fi
}

# held_back NAME [ARG...]: it is refused.
held_back() {
	in_world ./attack "$@" || return 1
	if [ "$status" -ne 1 ]; then
		printf 'attack %s: status %d: %s\n' "$*" "$status" "$output" >&2
		return 1
	fi
}

# home_dir: make and print a folder below the home of who runs the suite; teardown removes it.  Only
# such a folder is, unlike $BATS_TEST_TMPDIR, where a world would see it if nothing were hidden.
home_dir() {
	local real made
	real=$(getent passwd "$(id -u)" | cut -d: -f6)
	made=$(mktemp -d "$real/substrate-escape.XXXXXX") || return 1
	mkdir -p "$BATS_TEST_TMPDIR/made"
	ln -s "$made" "$BATS_TEST_TMPDIR/made/${made##*.}"
	printf '%s\n' "$made"
}

# use_home: let the daemon, from now on, have a new $HOME from home_dir, and so its worlds.
use_home() {
	HOME=$(home_dir) || return 1
	export HOME
	stop_daemon || return 1
	[ -z "${SUBSTRATE_WITHOUT:-}" ] || start_daemon_without ""
}

# in_throwaway SCRIPT [ARG...]: run the script on the host side in a mount namespace of its own, whose
# mounts are shared among those that it makes.  The suite's functions are there; the daemon that it
# starts lives in there and is stopped at the end.
in_throwaway() {
	is_root || skip "an ordinary user cannot mount on the host"
	stop_daemon || return 1
	# shellcheck disable=SC2016 # for the shell in there
	unshare --mount --propagation private bash -euc '
		. "$1/../lib/common.bash"
		. "$1/escape.bash"
		shift
		mount --make-rshared /
		trap stop_daemon EXIT
		[ -z "${SUBSTRATE_WITHOUT:-}" ] || start_daemon_without ""
		eval "$1"' in_throwaway "$BATS_TEST_DIRNAME" "$@"
}

# root_only: skip the rest for an ordinary user, who could do no harm there.
root_only() {
	is_root || skip "only root can do this harm"
}

# caps_only: skip a companion whose guard is the lack of capabilities for an ordinary user: the exec of
# a command takes them away even where nobody drops them.
caps_only() {
	is_root || skip "the commands of an ordinary user lose their capabilities at exec"
}

# init_pids: print the pid of each world's init.
init_pids() {
	substrate world list --json | grep -o '"init_pid":[0-9]*'
}

# gone PATH...: none of these exists, not even as a link that leads nowhere.
gone() {
	local path
	for path; do
		if [ -e "$path" ] || [ -L "$path" ]; then
			printf '%s exists\n' "$path" >&2
			return 1
		fi
	done
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What ./try, ./check and .ci/run share: packages, builds, and counting results.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # for those who source this
TEST_USER=substrate-test

# The bats suites against a real daemon; the escape suite also where a second line must hold alone.
# shellcheck disable=SC2034
SUITES=(integration escape escape@landlock escape@seccomp:mount)

# Messages go to stderr: stdout belongs to the command that ./try runs.
say() {
	printf '%s\n' "$*" >&2
}

# packages GROUP...: print the packages of these groups, one a line.
packages() {
	local group
	for group; do
		sed -n "s/^$group://p" "$ROOT/tools/packages"
	done | tr -s ' ' '\n' | sed '/^$/d' | sort -u
}

# missing PACKAGE[/COMMAND]...: print the packages that are not installed and needed.
missing() {
	local entry package
	for entry; do
		package=${entry%/*}
		[ "$package" = "$entry" ] || ! command -v "${entry#*/}" >/dev/null || continue
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			printf '%s\n' "$package"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "Installing packages takes root, and there is no sudo here: ask root to run this first."
		return 1
	fi
}

# install_packages GROUP...: install what is missing; apt is not touched when nothing is.
install_packages() {
	local wanted
	if ! command -v dpkg-query >/dev/null; then
		say "This is not a Debian system: install the equivalents of tools/packages yourself."
		return 0
	fi
	mapfile -t wanted < <(packages "$@")
	mapfile -t wanted < <(missing "${wanted[@]}")
	[ "${#wanted[@]}" -gt 0 ] || return 0
	say "Installing ${wanted[*]}"
	as_root true || return
	as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || true
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 \
		install -y --no-install-recommends "${wanted[@]}" >&2
}

# build DIR [MESON-OPTION...]: configure DIR if that was not done yet, and build everything.
# KEEP_GOING=1 shows all errors, not only the first.
build() {
	local dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$ROOT" "$@" >&2 || return
	fi
	ninja -C "$dir" ${KEEP_GOING:+-k 0} >&2
}

# make_test_user: make sure that TEST_USER exists (root only).
make_test_user() {
	id -u "$TEST_USER" >/dev/null 2>&1 ||
		useradd --create-home --shell /bin/bash "$TEST_USER"
}

# limited COMMAND...: run it for STAGE_TIMEOUT_S seconds at most; a shell function is not limited.
limited() {
	if [ "$(type -t "$1")" = function ]; then
		"$@"
	else
		timeout --kill-after=30 "${STAGE_TIMEOUT_S:-1800}" "$@"
	fi
}

PASSED=0
FAILED=0
FAILURES=()

# stage NAME COMMAND...: run the command and count it: what its last line `N passed, N failed` says,
# else one.  A stage that fails without counting a failure is one failure.
stage() {
	local name=$1 log status passed=0 failed=0 last
	shift
	log=$(mktemp)
	printf '\n== %s\n' "$name"
	limited "$@" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	last=$(tail -n 1 "$log")
	rm -f "$log"
	if [[ "$last" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
	elif [ "$status" -eq 0 ]; then
		passed=1
	fi
	if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	[ "$status" -ne 124 ] || echo "timed out after ${STAGE_TIMEOUT_S:-1800} s"
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	[ "$failed" -eq 0 ] || FAILURES+=("$name: $failed failed")
}

# verdict: print what failed and, last, `N passed, N failed`.  Fails when anything did.
verdict() {
	printf '\n'
	[ "${#FAILURES[@]}" -eq 0 ] || printf '%s\n' "${FAILURES[@]}"
	printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}

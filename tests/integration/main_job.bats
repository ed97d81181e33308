#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job on real input: inside a world, this repository is configured, compiled and
# unit-tested, with gcc and with the sanitizers; debuggers and the leak checker work.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common

setup() {
	need gcc meson ninja
	setup_home
	mkdir source
	cp -R "${SUBSTRATE_SOURCE:?names a copy of the source tree}/." source
	cd source
	git init -q -b main
}

teardown() { teardown_home; }

# unit_tests BUILD MODULE...: the names of the unit tests of these modules, as meson has them.
unit_tests() {
	local build=$1 modules
	shift
	printf -v modules '%s|' "$@"
	substrate run -- meson introspect --tests "$build" |
		jq -r '.[] | select(.suite | index("substrate:unit")) | .name' |
		grep -E "^(${modules%|})(/|$)"
}

# results RESULT: how many tests ended so in the last run.
results() {
	jq -s --arg result "$1" '[.[] | select(.result == $result)] | length' \
		build/meson-logs/testlog.json
}

# test_in_world MODULE... -- MESON-OPTION...: configure, compile and run the modules' unit tests, all
# in a world.
test_in_world() {
	local modules=()
	while [ "$1" != -- ]; do
		modules+=("$1")
		shift
	done
	shift
	substrate run -- meson setup build --werror "$@"
	mapfile -t names < <(unit_tests build "${modules[@]}")
	[ "${#names[@]}" -gt 30 ]
	substrate run -- meson test -C build --timeout-multiplier 10 --print-errorlogs "${names[@]}"
	# What it says it did, it did, and it did it here.
	echo "$(results OK) ok, $(results SKIP) skipped, of ${#names[@]}"
	[ "$(($(results OK) + $(results SKIP)))" -eq "${#names[@]}" ]
	[ "$(results OK)" -gt 30 ]
}

# A world cannot be built inside a world: tests that need one say so, and are skipped.
@test "this repository is configured, compiled with gcc and unit-tested" {
	test_in_world '[a-z]+' --
	[ "$(results OK)" -gt 70 ]
	[ "$(results SKIP)" -lt 30 ]
	substrate run -- ninja -C build src/programs/substrate
	./build/substrate --help
}

# The modules without worlds, to save time.
@test "this repository is configured, compiled with the sanitizers and unit-tested" {
	test_in_world base hash json httphead loop git trace filter http proc -- \
		-Db_sanitize=address,undefined -Dc_args=-fno-sanitize-recover=all
	nm build/tests/unit/base/test-base-buf | grep -q __asan_init
}

@test "a failing unit test is seen" {
	substrate run -- meson setup build
	substrate run -- sh -c 'sed -i "s/assert_int_equal(/assert_int_not_equal(/" tests/unit/base/test_str.c'
	run substrate run -- meson test -C build base/str
	echo "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *FAIL* ]]
}

@test "LeakSanitizer finds a leak" {
	cat >leak.c <<-'C'
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			char *volatile leaked = malloc(4321);

			(void)argv;
			if (argc > 1)
				free(leaked);
			leaked = NULL;
			return 0;
		}
	C
	substrate run -- gcc -g -fsanitize=address -o leak leak.c
	run substrate run --env ASAN_OPTIONS=exitcode=23 -- ./leak
	echo "$output"
	[ "$status" -eq 23 ]
	[[ "$output" == *"4321 byte(s)"* ]]
	run substrate run --env ASAN_OPTIONS=exitcode=23 -- ./leak free
	[ "$status" -eq 0 ]
}

@test "gdb stops at a breakpoint, looks at a variable, and attaches to a process" {
	need gdb
	cat >answer.c <<-'C'
		#include <unistd.h>
		static volatile int answer = 41;
		static void step(void) { answer++; }
		int main(int argc, char **argv)
		{
			(void)argv;
			step();
			if (argc > 1)
				pause();
			return answer;
		}
	C
	substrate run -- gcc -g -O0 -o answer answer.c
	run substrate run -- gdb -nx -batch -ex 'break step' -ex run -ex finish -ex 'print answer' \
		-ex continue ./answer
	echo "$output"
	[[ "$output" == *"Breakpoint 1"*"step () at answer.c"* ]]
	[[ "$output" == *'$1 = 42'* ]]
	[[ "$output" == *"exited with code 052"* ]]
	run substrate run -- sh -c './answer wait & pid=$!
		until grep -q "(sleeping)" /proc/$pid/status; do :; done
		gdb -nx -batch -p $pid -ex "print answer"; kill $pid'
	echo "$output"
	[[ "$output" == *'$1 = 42'* ]]
}

@test "strace follows a command and its children, and attaches to a process" {
	need strace
	substrate run -- strace -f -o trace.txt sh -c 'cat meson.build >/dev/null; true'
	grep -q 'execve(.*"cat"' trace.txt
	grep -q 'openat(.*"meson.build"' trace.txt
	grep -q 'exited with 0' trace.txt
	substrate run -- sh -c 'sleep 60 & pid=$!
		strace -o attached.txt -p $pid & tracer=$!
		until grep -q "TracerPid:.*[1-9]" /proc/$pid/status; do :; done
		kill $pid; wait $tracer || true'
	grep -q 'SIGTERM' attached.txt
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the runners count: nothing that failed, crashed or did not run may pass unseen.

ROOT="$BATS_TEST_DIRNAME/../.."

# bats_file: write a bats file from stdin, in which a test starts with %test, and run it.
bats_file() {
	sed 's/^%test/@test/' >"$BATS_TEST_TMPDIR/sample.bats"
	# The sample is a run of its own: this one's variables are not its business.
	run env -u BATS_RUN_TMPDIR -u BATS_TEST_TMPDIR -u BATS_TMPDIR "$ROOT/tools/run-bats" \
		"$BATS_TEST_TMPDIR/sample.bats"
	echo "$output"
}

# staged CODE: run bash code that may use stage and verdict.
staged() {
	run bash -uc ". '$ROOT/tools/lib.bash'; $1"
	echo "$output"
}

@test "run-bats counts passes and failures and lists skips with their reasons" {
	bats_file <<-'BATS'
		%test "good" { true; }
		%test "bad" { false; }
		%test "left out" { skip "no such thing here"; }
	BATS
	[ "$status" -eq 1 ]
	[[ "$output" == *"1 skipped:"*"left out: no such thing here"* ]]
	[ "${lines[-1]}" = "1 passed, 1 failed" ]
}

@test "run-bats passes when all tests do" {
	bats_file <<-'BATS'
		%test "good" { true; }
	BATS
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "1 passed, 0 failed" ]
}

@test "run-bats counts a file that does not load as a failure" {
	bats_file <<-'BATS'
		load no/such/file
		%test "good" { true; }
	BATS
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" =~ ^[0-9]+\ passed,\ [1-9][0-9]*\ failed$ ]]
}

@test "run-bats counts planned tests that did not run" {
	bats_file <<-'BATS'
		%test "good" { true; }
		%test "fatal" { kill -KILL $PPID; }
		%test "never" { true; }
	BATS
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" =~ ^[0-9]+\ passed,\ [1-9][0-9]*\ failed$ ]]
}

@test "a stage that prints counts adds them" {
	staged 'stage one echo "3 passed, 2 failed"; stage two true; verdict'
	[ "$status" -eq 1 ]
	[[ "$output" == *"one: 2 failed"* ]]
	[ "${lines[-1]}" = "4 passed, 2 failed" ]
}

@test "a stage that fails without counts is one failure" {
	staged 'stage one false; stage two true; verdict'
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "1 passed, 1 failed" ]
}

@test "a stage that counts no failure but fails is one failure" {
	staged 'stage one bash -c "echo 3 passed, 0 failed; exit 9"; verdict'
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "3 passed, 1 failed" ]
}

@test "a stage that hangs is ended and is one failure" {
	staged 'STAGE_TIMEOUT_S=1; stage one sleep 600; verdict'
	[ "$status" -eq 1 ]
	[[ "$output" == *"timed out"* ]]
	[ "${lines[-1]}" = "0 passed, 1 failed" ]
}

@test "nothing run at all is not a success" {
	staged 'verdict'
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "0 passed, 0 failed" ]
}

# meson_project: build a project whose tests are shell commands from stdin, one `NAME CODE` a line.
meson_project() {
	local dir="$BATS_TEST_TMPDIR/project" name code
	mkdir "$dir"
	echo "project('sample')" >"$dir/meson.build"
	while read -r name code; do
		printf '#!/bin/sh\n%s\n' "$code" >"$dir/$name"
		chmod +x "$dir/$name"
		echo "test('$name', files('$name'))" >>"$dir/meson.build"
	done
	meson setup "$BATS_TEST_TMPDIR/build" "$dir" >/dev/null
	run "$ROOT/tools/run-meson" "$BATS_TEST_TMPDIR/build"
	echo "$output"
}

@test "run-meson counts what a cmocka binary says, on whichever stream" {
	meson_project <<-'TESTS'
		good echo '[  PASSED  ] 3 test(s).'
		bad echo '[  PASSED  ] 2 test(s).'; echo '[  FAILED  ] 1 test(s), listed below:' >&2; exit 1
	TESTS
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "5 passed, 1 failed" ]
}

@test "run-meson counts a binary that dies after its tests passed as a failure" {
	meson_project <<-'TESTS'
		leaks echo '[  PASSED  ] 3 test(s).'; exit 23
	TESTS
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "3 passed, 1 failed" ]
}

@test "run-meson counts other tests as one each" {
	meson_project <<-'TESTS'
		one true
		two true
	TESTS
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "2 passed, 0 failed" ]
}

@test "run-meson takes a build without tests for a failure" {
	meson_project </dev/null
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "0 passed, 1 failed" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each check of tools/ passes on a good tree, fails on every failing example for the reason
# that the example is there for, and passes on this repository.
#
# A failing example is a folder of examples/ that is laid over a copy of examples/good.

ROOT="$BATS_TEST_DIRNAME/../.."
EXAMPLES="$BATS_TEST_DIRNAME/examples"

# example [NAME]: make $TREE from the good example and the one of that name.
example() {
	TREE="$BATS_TEST_TMPDIR/tree"
	cp -r "$EXAMPLES/good" "$TREE"
	[ $# -eq 0 ] || cp -r "$EXAMPLES/$1/." "$TREE"
}

# refuses CHECK WORDS: the check fails on $TREE, finds one problem and names it so.
refuses() {
	run "$ROOT/tools/$1" "$TREE"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$2"* ]]
	[[ "${lines[-1]}" == *": 1 problems in "* ]]
}

passes() {
	run "$@"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" == *": 0 problems in "* ]]
	[[ "${lines[-1]}" != *" in 0 "* ]]
}

# build: compile $TREE's examples into $BUILD.
build() {
	BUILD="$BATS_TEST_TMPDIR/build"
	meson setup "$BUILD" "$TREE" >/dev/null
	ninja -C "$BUILD" >/dev/null
}

refuses_names() {
	run "$ROOT/tools/check-names" "$TREE" "$BUILD"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$1"* ]]
}

@test "every check passes on the good example" {
	example
	for check in layers words headers files; do
		passes "$ROOT/tools/check-$check" "$TREE"
	done
	build
	passes "$ROOT/tools/check-names" "$TREE" "$BUILD"
}

@test "every check that needs no build passes on this repository" {
	for check in layers words headers files; do
		passes "$ROOT/tools/check-$check"
	done
}

@test "check-names passes on this repository" {
	[ -n "${SUBSTRATE_BUILD:-}" ] || skip "SUBSTRATE_BUILD names no build folder"
	passes "$ROOT/tools/check-names" "$ROOT" "$SUBSTRATE_BUILD"
}

@test "check-layers refuses an include from a lower module to a higher one" {
	example layers-upward
	refuses check-layers "low may not use high"
}

@test "check-layers refuses an include that is not granted, however it is spaced" {
	example layers-sideways
	refuses check-layers "roof.c:3: high may not use side"
}

@test "check-layers refuses another module's private header" {
	example layers-private
	refuses check-layers "low/ground_priv.h is private to low"
}

@test "check-layers refuses a project header without its module" {
	example layers-bare
	refuses check-layers '"roof.h" is not of the form'
}

@test "check-layers refuses a project header in angle brackets" {
	example layers-brackets
	refuses check-layers "with quotes"
}

@test "check-layers refuses to link a module that is not granted" {
	example layers-link
	refuses check-layers "low may not link high"
}

@test "check-layers refuses a module that is not listed" {
	example layers-unlisted
	refuses check-layers "stray: not listed"
}

@test "check-layers refuses a list in which two modules use each other" {
	example layers-cycle
	refuses check-layers "low may not use high: not listed above it"
}

@test "check-words refuses a call that is allowed nowhere" {
	example words-nowhere
	refuses check-words "ground.c:8: strcpy() is allowed nowhere"
}

@test "check-words refuses a call that is allowed in another module only" {
	example words-elsewhere
	refuses check-words "epoll_create1() is allowed only in loop/*"
}

@test "check-words refuses a raw system call as it does the function" {
	example words-raw
	refuses check-words "clone3() is allowed only in"
}

@test "check-words refuses exit() outside the mains" {
	example words-exit
	refuses check-words "exit() is allowed only in"
}

@test "check-words knows every word of the list" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/src/low"
	TREE="$BATS_TEST_TMPDIR/tree"
	words=$(sed -e 's/#.*//' -e 's/:.*//' -e 's/\*/x/g' "$ROOT/tools/words")
	count=0
	for word in $words; do
		printf 'int x = %s(0);\n' "$word" >>"$TREE/src/low/ground.c"
		count=$((count + 1))
	done
	run "$ROOT/tools/check-words" "$TREE"
	[ "$count" -gt 30 ]
	[ "${lines[-1]}" = "check-words: $count problems in 1 files" ]
}

@test "check-names refuses an exported function with a foreign prefix" {
	example names-prefix
	build
	refuses_names "exports soil_depth, which does not start with ground_"
}

@test "check-names refuses exported data with a foreign prefix" {
	example names-data
	build
	refuses_names "exports depth, which does not start with ground_"
}

@test "check-names refuses main() outside the programs" {
	example names-main
	build
	refuses_names "exports main, which does not start with ground_"
}

@test "check-names refuses two modules with a file of one stem" {
	example names-stem
	build
	refuses_names "has the same stem as"
}

@test "check-names refuses a build that holds nothing of the tree" {
	example
	mkdir "$BATS_TEST_TMPDIR/empty"
	echo '[]' >"$BATS_TEST_TMPDIR/empty/compile_commands.json"
	BUILD="$BATS_TEST_TMPDIR/empty"
	refuses_names "holds no object"
}

@test "check-headers refuses a header that does not compile alone" {
	example headers-alone
	CHECK_COMPILERS=gcc refuses check-headers "roof.h: does not compile alone with gcc"
}

@test "check-headers compiles with every compiler that it is given" {
	example headers-alone
	CHECK_COMPILERS="gcc cc" run "$ROOT/tools/check-headers" "$TREE"
	[ "$status" -eq 1 ]
	[[ "$output" == *"alone with gcc"* ]]
	[[ "$output" == *"alone with cc"* ]]
}

@test "check-headers refuses a header without #pragma once" {
	example headers-once
	refuses check-headers "roof.h: no #pragma once"
}

@test "check-headers refuses a function without a comment of its own" {
	example headers-doc
	refuses check-headers "roof.h:7: roof_second() has no doc comment"
}

@test "check-headers refuses a header that leaves something to do" {
	example headers-undone
	refuses check-headers "roof.h:5: TODO in a header"
}

@test "check-headers refuses a header of 201 lines" {
	example
	have=$(wc -l <"$TREE/src/high/roof.h")
	yes '// filler' | head -n $((201 - have)) >>"$TREE/src/high/roof.h"
	refuses check-headers "roof.h: 201 lines"
}

@test "check-files refuses a source file without the licence line" {
	example files-licence
	refuses check-files "ground.c: the first line is not"
}

@test "check-files refuses a source file of 801 lines" {
	example
	have=$(wc -l <"$TREE/src/high/roof.c")
	yes '// filler' | head -n $((801 - have)) >>"$TREE/src/high/roof.c"
	refuses check-files "roof.c: 801 lines"
}

@test "check-files refuses a module without a README" {
	example
	rm "$TREE/src/low/README.md"
	refuses check-files "low: no README.md"
}

@test "check-files refuses a README that does not say what it must" {
	example files-readme
	run "$ROOT/tools/check-files" "$TREE"
	[ "$status" -eq 1 ]
	[[ "$output" == *"does not say \`Job\`"* ]]
	[[ "$output" == *"does not say \`Start reading at\`"* ]]
}

@test "check-files refuses a README of 21 lines" {
	example
	have=$(wc -l <"$TREE/src/low/README.md")
	yes '' | head -n $((21 - have)) >>"$TREE/src/low/README.md"
	refuses check-files "README.md: 21 lines"
}

@test "check-files says when it is given no tree" {
	run "$ROOT/tools/check-files" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 1 ]
	[[ "$output" == *"no src/ below it"* ]]
}
